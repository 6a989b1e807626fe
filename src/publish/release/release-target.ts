import { HttpClient, type HttpTrust } from '../../lib/http/http.ts';
import type { HttpTimeouts } from '../../lib/http/request-clock.ts';
import type { PackageFile, PackageLocation, PublishTarget, TransferProgress } from '../contract/target.ts';
import { GithubReleases, type ReleaseAccess } from './github-releases.ts';
import { ReleaseDelivery } from './release-delivery.ts';
import { PART_SIZE, planParts } from './release-parts.ts';

/** The settings of a release to publish to. */
interface ReleaseTargetSettings extends ReleaseAccess {
  /** The default is the tag of the package's version, such as `kube-1.36.2`. */
  readonly tag: string | undefined;
  readonly overwrite: boolean;
  /** Largest asset in bytes; 1900 MiB by default. */
  readonly partSize?: number | undefined;
  /** The trust of the run; the usual authorities if undefined. */
  readonly trust?: HttpTrust | undefined;
  /** Set by tests, which use short timeouts. */
  readonly timeouts?: HttpTimeouts | undefined;
}

/** Publishes packages as assets of a release on GitHub; large ones are split. */
export class ReleaseTarget implements PublishTarget {
  readonly name = 'release';
  readonly #settings: ReleaseTargetSettings;
  readonly #http: HttpClient;

  constructor(settings: ReleaseTargetSettings) {
    this.#settings = settings;
    const { trust = {}, timeouts } = settings;
    this.#http = new HttpClient({ ...trust, timeouts });
  }

  async prove(signal: AbortSignal): Promise<void> {
    try {
      await new GithubReleases(this.#settings, this.#http, signal).prove();
    } finally {
      this.#http.close();
    }
  }

  async publish(
    file: PackageFile,
    signal: AbortSignal,
    onProgress: TransferProgress,
  ): Promise<PackageLocation> {
    const { repository, tag, overwrite, partSize = PART_SIZE } = this.#settings;
    try {
      const parts = await planParts(file, partSize, signal);
      const releases = new GithubReleases(this.#settings, this.#http, signal);
      const goal = { repository, tag: tag ?? defaultTag(file), overwrite };
      const delivered = await new ReleaseDelivery({ releases, goal, file, parts, onProgress }).run();
      return { target: this.name, ...delivered };
    } finally {
      this.#http.close();
    }
  }
}

/** Returns the tag for all packages of this package's version. */
function defaultTag({ name }: PackageFile): string {
  return /^kube-v?\d+(?:\.\d+)*/.exec(name)?.[0] ?? name;
}
