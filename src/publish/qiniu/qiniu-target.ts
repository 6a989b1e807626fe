import { ConcurrencyLimiter, type LimiterWidth } from '../../lib/concurrency-limiter.ts';
import { HttpClient, type HttpTrust } from '../../lib/http/http.ts';
import type { HttpTimeouts } from '../../lib/http/request-clock.ts';
import { comparisonCommand, downloadCommand } from '../contract/download-command.ts';
import { mayReplace } from '../contract/replacement.ts';
import type { PackageFile, PackageLocation, PublishTarget, TransferProgress } from '../contract/target.ts';
import { DOMAIN_TIMEOUTS, downloadAddress } from './download-address.ts';
import { keyTaken } from './kodo-refusal.ts';
import type { KodoAccess } from './kodo-region.ts';
import { KodoService } from './kodo-service.ts';
import { KodoUpload } from './kodo-upload.ts';
import { ResumableUpload } from './resumable-upload.ts';

/** The settings of a bucket to publish to. */
interface QiniuTargetSettings extends KodoAccess {
  /** Whether a package may replace another one of its name, as `-beta` packages always may. */
  readonly overwrite: boolean;
  /** Parts in transfer at once; by default starts at 4 and adapts up to 16. */
  readonly parallel?: LimiterWidth | undefined;
  /** The trust of the run; the usual authorities if undefined. */
  readonly trust?: HttpTrust | undefined;
  /** Set by tests, which use short timeouts. */
  readonly timeouts?: HttpTimeouts | undefined;
}

const PROBE_KEY = '.keel-pkg-probe';
const DEFAULT_PARALLEL: LimiterWidth = { start: 4, ceiling: 16 };

/** Publishes packages to a bucket of Qiniu Kodo. */
export class QiniuTarget implements PublishTarget {
  readonly name = 'qiniu';
  readonly #settings: QiniuTargetSettings;
  readonly #http: HttpClient;
  readonly #domainHttp: HttpClient;
  readonly #limiter: ConcurrencyLimiter;
  #service: Promise<KodoService> | undefined;

  constructor(settings: QiniuTargetSettings) {
    this.#settings = settings;
    const { trust = {}, timeouts } = settings;
    this.#http = new HttpClient({ ...trust, timeouts });
    // Users who download check certificates, even if this run does not.
    const { authorities } = trust;
    this.#domainHttp = new HttpClient({ authorities, timeouts: timeouts ?? DOMAIN_TIMEOUTS });
    this.#limiter = new ConcurrencyLimiter(settings.parallel ?? DEFAULT_PARALLEL);
  }

  /** Requests an object, which checks the keys, then opens and aborts an upload, which checks the rest. */
  async prove(signal: AbortSignal): Promise<void> {
    try {
      const service = await this.#open(signal);
      await service.stat(PROBE_KEY, signal);
      const goal = { key: PROBE_KEY, size: 1, replace: false };
      const upload = await KodoUpload.open(service, goal, signal);
      await upload.abort(signal);
    } finally {
      this.#http.close();
    }
  }

  async publish(
    file: PackageFile,
    signal: AbortSignal,
    onProgress: TransferProgress,
  ): Promise<PackageLocation> {
    try {
      const service = await this.#open(signal);
      const replace = mayReplace(file.name, this.#settings.overwrite);
      const present = await service.stat(file.name, signal);
      const isPresent = present?.hash === file.qetag;
      if (!isPresent) {
        if (present !== undefined && !replace) throw keyTaken(service.bucket, file.name);
        const limiter = this.#limiter;
        await new ResumableUpload({ service, file, replace, limiter, signal, onProgress }).run();
      }
      const location = await this.#locate(service, file, signal);
      const { target, address, instruction } = location;
      return { target, outcome: isPresent ? 'present' : 'published', address, instruction };
    } finally {
      this.#http.close();
      this.#domainHttp.close();
    }
  }

  #open(signal: AbortSignal): Promise<KodoService> {
    this.#service ??= KodoService.open(this.#settings, this.#http, signal).catch((error: unknown) => {
      this.#service = undefined;
      throw error;
    });
    return this.#service;
  }

  async #locate(
    service: KodoService,
    file: PackageFile,
    signal: AbortSignal,
  ): Promise<Pick<PackageLocation, 'target' | 'address' | 'instruction'>> {
    const { bucket } = service;
    const domains = await service.domains(signal);
    const url = await downloadAddress(domains, file.name, { http: this.#domainHttp, signal });
    if (url === undefined) {
      const fetching = `qshell get ${bucket} ${file.name} && ${comparisonCommand(file)}`;
      const instruction = `bind a domain to the bucket ${bucket}, or fetch it with: ${fetching}`;
      return { target: this.name, address: `qiniu://${bucket}/${file.name}`, instruction };
    }
    const note =
      url.protocol === 'https:'
        ? ''
        : '  # over plain HTTP: only the checksum proves that it is this package';
    const instruction = `${downloadCommand(url.href, file)}${note}`;
    return { target: this.name, address: url.href, instruction };
  }
}
