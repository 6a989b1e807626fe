import { HttpClient, type HttpTimeouts } from '../../lib/http/http.ts';
import type { PackageFile, PackageLocation, PublishTarget, TransferProgress } from '../target/target.ts';
import { GithubReleases, type ReleaseAccess } from './github-releases.ts';
import { ReleaseDelivery } from './release-delivery.ts';
import { PART_SIZE, planParts } from './release-parts.ts';

/** How packages go to a release on GitHub. */
interface ReleaseTargetSettings extends ReleaseAccess {
  /** Undefined has it derived from the package: `kube-1.36.2` for all packages of that version. */
  readonly tag: string | undefined;
  readonly overwrite: boolean;
  /** Bytes an asset may have; 1900 MiB when left out. */
  readonly partSize?: number | undefined;
  /** Given by tests, whose patience is short. */
  readonly timeouts?: HttpTimeouts | undefined;
}

/** Publishes packages as assets of a release on GitHub, split where they are too large for one. */
export class ReleaseTarget implements PublishTarget {
  readonly name = 'release';
  readonly #settings: ReleaseTargetSettings;
  readonly #http: HttpClient;

  constructor(settings: ReleaseTargetSettings) {
    this.#settings = settings;
    this.#http = new HttpClient({ timeouts: settings.timeouts });
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

/** Returns the tag of a package's version, which all packages of that version share. */
function defaultTag({ name }: PackageFile): string {
  return /^kube-v?\d+(?:\.\d+)*/.exec(name)?.[0] ?? name;
}
