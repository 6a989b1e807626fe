import { Failure, failureCode, isTransient } from '../../lib/failure.ts';
import { comparisonCommand, downloadCommand } from '../contract/download-command.ts';
import { alreadyPublished, mayReplace } from '../contract/replacement.ts';
import type { PackageFile, PackageLocation, TransferProgress } from '../contract/target.ts';
import type { GithubRelease, GithubReleases, ReleaseAsset } from './github-releases.ts';
import { isAmong, isSame, isWhole, type WantedAsset, wantedAssets } from './release-assets.ts';
import { areOwnNotes, updateNotes } from './release-notes.ts';
import { isPartOf, type PackagePart } from './release-parts.ts';

/** A package, and the release to upload it to. */
interface ReleaseDeliverySettings {
  readonly releases: GithubReleases;
  readonly goal: {
    /** `owner/name`. */
    readonly repository: string;
    readonly tag: string;
    readonly overwrite: boolean;
  };
  readonly file: PackageFile;
  readonly parts: readonly PackagePart[];
  readonly onProgress: TransferProgress;
}

const BY_SIZE = 'compared by size only, because this GitHub reports no digests';

/** Uploads one package to the release of a tag, which is created if there is none. */
export class ReleaseDelivery {
  readonly #settings: ReleaseDeliverySettings;
  readonly #wanted: readonly WantedAsset[];

  constructor(settings: ReleaseDeliverySettings) {
    this.#settings = settings;
    this.#wanted = wantedAssets(settings.file, settings.parts);
  }

  /** Uploads the package and returns where it is. Throws `HttpFailure`, `ALREADY_PUBLISHED` or `DIGEST_MISMATCH`. */
  async run(): Promise<Omit<PackageLocation, 'target'>> {
    const { releases, goal, file } = this.#settings;
    const release = (await releases.find(goal.tag)) ?? (await this.#createDraft());
    const assets = await releases.listAssets(release);
    const present = assets.filter((asset) => isPartOf(file.name, asset.name));
    this.#refuseOther(release, present);
    const uploaded = await this.#uploadMissing(release, present);
    const names = new Set(this.#wanted.map((asset) => asset.name));
    for (const asset of present) if (!names.has(asset.name)) await releases.deleteAsset(asset);
    const final = await this.#announce(release);
    const isBySize = present.some((asset) => names.has(asset.name) && asset.digest === undefined);
    return {
      outcome: uploaded > 0 ? 'published' : 'present',
      uncompared: uploaded === 0 && isBySize ? BY_SIZE : undefined,
      ...(await this.#locate(final)),
    };
  }

  #createDraft(): Promise<GithubRelease> {
    const { releases, goal, file, parts } = this.#settings;
    return releases.createDraft(goal.tag, updateNotes('', file, parts));
  }

  #refuseOther(release: GithubRelease, present: readonly ReleaseAsset[]): void {
    const { goal, file } = this.#settings;
    const isOther = present.some((asset) => isWhole(asset) && !isAmong(asset, this.#wanted));
    // The content of a draft is not public yet, so it may be replaced.
    if (isOther && !release.draft && !mayReplace(file.name, goal.overwrite)) {
      throw alreadyPublished(file.name, `the release ${goal.tag} has a different file with this name`);
    }
  }

  /** Uploads each asset that is missing or wrong and returns their number. */
  async #uploadMissing(release: GithubRelease, present: readonly ReleaseAsset[]): Promise<number> {
    const { onProgress } = this.#settings;
    let done = 0;
    let uploaded = 0;
    for (const wanted of this.#wanted) {
      const obstacle = present.find(({ name }) => name === wanted.name);
      if (obstacle === undefined || !isSame(obstacle, wanted)) {
        const before = done;
        await this.#upload(release, { wanted, obstacle }, (bytes) => onProgress(before + bytes));
        uploaded += 1;
      }
      if (!Buffer.isBuffer(wanted.content)) done += wanted.size;
      onProgress(done);
    }
    return uploaded;
  }

  async #upload(
    release: GithubRelease,
    { wanted, obstacle: first }: { wanted: WantedAsset; obstacle: ReleaseAsset | undefined },
    onProgress: (bytes: number) => void,
  ): Promise<void> {
    const { releases } = this.#settings;
    // The asset in the way is deleted before the next attempt.
    const isWorthRepeating = (error: unknown): boolean =>
      isTransient(error) || failureCode(error) === 'ALREADY_EXISTS';
    await releases.retrying(async (attempt) => {
      const obstacle = attempt === 1 ? first : await this.#findAsset(release, wanted.name);
      // An earlier attempt may have succeeded with only its answer lost.
      if (obstacle !== undefined && isSame(obstacle, wanted)) return;
      if (obstacle !== undefined) await releases.deleteAsset(obstacle);
      let sent = 0;
      const asset = await releases.uploadAsset(release, wanted, (count) => {
        sent += count;
        onProgress(sent);
      });
      if (!isSame(asset, wanted)) throw damaged(asset, wanted);
    }, isWorthRepeating);
  }

  /** Adds the package to the notes, publishes the release if it is a draft of packer, and returns it. */
  async #announce(release: GithubRelease): Promise<GithubRelease> {
    const { releases, file, parts } = this.#settings;
    const before = release.body ?? '';
    const notes = updateNotes(before, file, parts);
    const publishes = release.draft && areOwnNotes(before);
    if (notes === before && !publishes) return release;
    return await releases.update(release, {
      notes: notes === before ? undefined : notes,
      draft: publishes ? false : undefined,
    });
  }

  async #locate(release: GithubRelease): Promise<Pick<PackageLocation, 'address' | 'instruction'>> {
    const { goal, file, parts } = this.#settings;
    const tag = release.tag_name;
    const draft = release.draft
      ? ' # the release is still a draft, visible only to users with write access'
      : '';
    if (parts.length > 1) {
      const get = `gh release download ${tag} -R ${goal.repository} -p '${file.name}.part*'`;
      const join = `cat ${file.name}.part??? > ${file.name} && ${comparisonCommand(file)}`;
      const instruction = `${get} && ${join}${draft}`;
      return { address: release.html_url, instruction };
    }
    const asset = await this.#findAsset(release, file.name);
    const address = asset?.browser_download_url ?? release.html_url;
    return { address, instruction: `${downloadCommand(address, file)}${draft}` };
  }

  async #findAsset(release: GithubRelease, name: string): Promise<ReleaseAsset | undefined> {
    return (await this.#settings.releases.listAssets(release)).find((asset) => asset.name === name);
  }
}

function damaged(asset: ReleaseAsset, wanted: WantedAsset): Failure<'DIGEST_MISMATCH'> {
  return new Failure({
    code: 'DIGEST_MISMATCH',
    about: wanted.name,
    message: `GitHub stored it as ${asset.digest ?? `${asset.size} bytes`} instead of ${wanted.sha256}`,
    hint: 'publish it again; if this happens again, check for a proxy that changes the data',
    transient: true,
  });
}
