import { Failure, failureCode, isTransient } from '../../lib/failure.ts';
import { HttpClient, type HttpTimeouts } from '../../lib/http/http.ts';
import { retry } from '../../lib/retry.ts';
import { alreadyPublished, mayReplace } from '../target/replacement.ts';
import type { PackageFile, PackageLocation, PublishTarget, TransferProgress } from '../target/target.ts';
import {
  type GithubRelease,
  GithubReleases,
  type ReleaseAccess,
  type ReleaseAsset,
} from './github-releases.ts';
import { isAmong, isSame, isWhole, type WantedAsset, wantedAssets } from './release-assets.ts';
import { areOwnNotes, updateNotes } from './release-notes.ts';
import { isPartOf, PART_SIZE, type PackagePart, planParts } from './release-parts.ts';

/** How packages go to a release on GitHub. */
export interface ReleaseSettings extends ReleaseAccess {
  /** Undefined has it derived from the package: `kube-1.36.2` for all packages of that version. */
  readonly tag: string | undefined;
  readonly overwrite: boolean;
  /** Bytes an asset may have; 1900 MiB when left out. */
  readonly partSize?: number;
  readonly timeouts?: HttpTimeouts;
}

/** Publishes packages as assets of a release on GitHub, split where they are too large for one. */
export class ReleaseTarget implements PublishTarget {
  readonly name = 'release';
  readonly #settings: ReleaseSettings;
  readonly #http: HttpClient;
  readonly #releases: GithubReleases;

  constructor(settings: ReleaseSettings) {
    this.#settings = settings;
    this.#http = new HttpClient(settings.timeouts === undefined ? {} : { timeouts: settings.timeouts });
    this.#releases = new GithubReleases(settings, this.#http);
  }

  async prove(signal: AbortSignal): Promise<void> {
    try {
      await this.#releases.prove(signal);
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
      const parts = await planParts(file, this.#settings.partSize ?? PART_SIZE, signal);
      return await this.#publish(file, parts, signal, onProgress);
    } finally {
      this.#http.close();
    }
  }

  async #publish(
    file: PackageFile,
    parts: readonly PackagePart[],
    signal: AbortSignal,
    onProgress: TransferProgress,
  ): Promise<PackageLocation> {
    const { overwrite } = this.#settings;
    const tag = this.#tagOf(file);
    const found = await this.#releases.find(tag, signal);
    const release = found ?? (await this.#createDraft(tag, updateNotes('', file, parts), signal));
    const wanted = wantedAssets(file, parts);
    const present = (await this.#releases.listAssets(release, signal)).filter((asset) =>
      isPartOf(file.name, asset.name),
    );
    const differing = present.filter((asset) => isWhole(asset) && !isAmong(asset, wanted));
    // In a draft nobody has seen the other content yet.
    if (differing.length > 0 && !release.draft && !mayReplace(file.name, overwrite)) {
      throw alreadyPublished(file.name, `the release ${tag} has another file of this name`);
    }
    const uploaded = await this.#uploadAll(release, wanted, present, signal, onProgress);
    const names = new Set(wanted.map((asset) => asset.name));
    const stale = present.filter((asset) => !names.has(asset.name));
    for (const asset of stale) await this.#releases.deleteAsset(asset, signal);
    const final = await this.#announce(release, file, parts, signal);
    return this.#locate(final, file, parts, uploaded > 0, signal);
  }

  #createDraft(tag: string, body: string, signal: AbortSignal): Promise<GithubRelease> {
    return retry({ policy: this.#settings.retry, signal }, async (number) => {
      // The answer to the first attempt may have been lost, and two drafts of one tag are one too many.
      const made = number === 1 ? undefined : await this.#releases.find(tag, signal);
      return made ?? (await this.#releases.createDraft(tag, body, signal));
    });
  }

  #tagOf(file: PackageFile): string {
    return this.#settings.tag ?? /^kube-v?\d+(?:\.\d+)*/.exec(file.name)?.[0] ?? file.name;
  }

  async #uploadAll(
    release: GithubRelease,
    wanted: readonly WantedAsset[],
    present: readonly ReleaseAsset[],
    signal: AbortSignal,
    onProgress: TransferProgress,
  ): Promise<number> {
    let done = 0;
    let uploaded = 0;
    for (const asset of wanted) {
      const there = present.find((candidate) => candidate.name === asset.name);
      if (there === undefined || !isSame(there, asset)) {
        const before = done;
        await this.#upload(release, asset, there, signal, (bytes) => onProgress(before + bytes));
        uploaded += 1;
      }
      if (!Buffer.isBuffer(asset.content)) done += asset.size;
      onProgress(done);
    }
    return uploaded;
  }

  async #upload(
    release: GithubRelease,
    wanted: WantedAsset,
    inTheWay: ReleaseAsset | undefined,
    signal: AbortSignal,
    onProgress: (bytes: number) => void,
  ): Promise<void> {
    let obstacle = inTheWay;
    // What stands in the way is deleted before the next attempt.
    const isWorthRepeating = (error: unknown): boolean =>
      isTransient(error) || failureCode(error) === 'ALREADY_EXISTS';
    await retry({ policy: this.#settings.retry, signal, isWorthRepeating }, async (number) => {
      if (number > 1) {
        const assets = await this.#releases.listAssets(release, signal);
        obstacle = assets.find((asset) => asset.name === wanted.name);
        // The answer to an upload that went well may have been lost.
        if (obstacle !== undefined && isSame(obstacle, wanted)) return;
      }
      if (obstacle !== undefined) await this.#releases.deleteAsset(obstacle, signal);
      let sent = 0;
      const asset = await this.#releases.uploadAsset(
        release,
        wanted.name,
        wanted.content,
        signal,
        (count) => {
          sent += count;
          onProgress(sent);
        },
      );
      if (isSame(asset, wanted)) return;
      throw new Failure({
        code: 'DIGEST_MISMATCH',
        about: wanted.name,
        message: `GitHub has it as ${asset.digest ?? `${asset.size} bytes`} instead of ${wanted.sha256}`,
        hint: 'publish it again; if it happens again, something changes what is sent',
        transient: true,
      });
    });
  }

  /** Puts the package into the notes, and publishes the release if it is a draft of this program's making. */
  async #announce(
    release: GithubRelease,
    file: PackageFile,
    parts: readonly PackagePart[],
    signal: AbortSignal,
  ): Promise<GithubRelease> {
    const before = release.body ?? '';
    const notes = updateNotes(before, file, parts);
    const publishes = release.draft && areOwnNotes(before);
    if (notes === before && !publishes) return release;
    const change = { ...(notes === before ? {} : { body: notes }), ...(publishes ? { draft: false } : {}) };
    return await this.#releases.update(release, change, signal);
  }

  async #locate(
    release: GithubRelease,
    file: PackageFile,
    parts: readonly PackagePart[],
    isNew: boolean,
    signal: AbortSignal,
  ): Promise<PackageLocation> {
    const { repository } = this.#settings;
    const tag = release.tag_name;
    const draft = release.draft ? ' (the release is still a draft, which only its makers see)' : '';
    const common = { target: this.name, outcome: isNew ? 'published' : 'present' } as const;
    if (parts.length > 1) {
      const get = `gh release download ${tag} -R ${repository} -p '${file.name}.part*'`;
      const instruction = `${get} && cat ${file.name}.part??? > ${file.name}${draft}`;
      return { ...common, address: release.html_url, instruction };
    }
    const assets = await this.#releases.listAssets(release, signal);
    const address =
      assets.find((asset) => asset.name === file.name)?.browser_download_url ?? release.html_url;
    return { ...common, address, instruction: `curl -fLO ${address}${draft}` };
  }
}
