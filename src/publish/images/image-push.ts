import { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import type { BlobBoard } from '../../registry/blob/blob-board.ts';
import type { Placed } from '../../registry/blob/blob-push.ts';
import type { BlobSource } from '../../registry/blob/blob-source.ts';
import { hasBlob } from '../../registry/blob-presence.ts';
import { abbreviateDigest, type Digest, digestAlgorithm, digestHex } from '../../registry/oci/digest.ts';
import type { Descriptor, Image, Manifest, ToldManifest } from '../../registry/oci/manifest.ts';
import { formatReference, type Reference, type Repository, type Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound, isRefusedQuestion } from '../../registry/registry-failure.ts';
import { readBlob } from '../../registry/small-blob.ts';
import { damaged, type PackageFiles } from './package-files.ts';
import { blobFile, type PackagedImage } from './packaged-images.ts';
import { joinPlatforms, platformOfConfig, type TaggedImage } from './platform-union.ts';

/** An image of a package, and its name at the registry. */
export interface ImageToPush extends PackagedImage {
  readonly target: Reference & { readonly tag: Tag };
}

/** The result for an image. */
export interface PushedImage {
  readonly outcome: 'pushed' | 'present';
  readonly bytesSent: number;
  /** The platforms that the tag had before and still has, if it is now an index. */
  readonly beside: readonly string[];
}

/** The work for an image: none, or blobs to send, and then manifests. */
interface Work {
  readonly blobs: readonly Descriptor[];
  /** In this order, each under its digest or the tag. */
  readonly manifests: readonly { readonly name: Tag | Digest; readonly manifest: Manifest }[];
  readonly beside: readonly string[];
}

/** A blob that an image needs in a repository. */
interface WantedBlob {
  readonly blob: Descriptor;
  readonly repository: Repository;
}

interface ImagePushParts {
  readonly files: PackageFiles;
  readonly registry: Registry;
  readonly board: BlobBoard;
  /** Whether an image may replace another one of the same platform. */
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
}

/** Files that are read at once to verify them. */
const CHECKED_AT_ONCE = 4;

/** Returns the distinct blobs of an image, its configuration first. */
export function distinctBlobs({ config, layers }: Pick<Image, 'config' | 'layers'>): readonly Descriptor[] {
  return [...new Map([config, ...layers].map((blob) => [blob.digest, blob])).values()];
}

/**
 * Pushes images of a package to a registry: blobs first, then the manifest, and the tag only when all of that is there.
 */
export class ImagePush {
  readonly #parts: ImagePushParts;
  readonly #source: BlobSource;
  readonly #checked = new Map<Digest, Promise<void>>();
  readonly #placed = new Map<string, Promise<Placed>>();
  readonly #counted = new Set<string>();
  readonly #holders = new Map<Digest, Set<Repository>>();
  readonly #checking = new ConcurrencyLimiter({ start: CHECKED_AT_ONCE });

  constructor(parts: ImagePushParts) {
    const { files } = parts;
    this.#parts = parts;
    this.#source = {
      about: files.about,
      limiter: files.limiter,
      open: (descriptor, signal, range) =>
        files.open(blobFile(descriptor.digest), range ?? { start: 0, end: descriptor.size }, signal),
    };
  }

  /** Asks the registry which parts of an image it has, and returns the remaining work. Throws `ALREADY_PUBLISHED`. */
  async plan(image: ImageToPush): Promise<Work> {
    const { manifest, target } = image;
    const whole = { blobs: distinctBlobs(manifest), manifests: [{ name: target.tag, manifest }], beside: [] };
    const there = await this.#findTag(target);
    if (there === undefined) return whole;
    if (there.digest === manifest.digest) return await this.#whatLacks(image, whole);
    const tagged = await this.#readTag(target.repository, target.tag);
    if (tagged === undefined) return whole;
    const about = formatReference(target);
    const own = { manifest, platform: platformOfConfig(await this.#configOf(image)) };
    const { overwrite: replaces } = this.#parts;
    const union = joinPlatforms(tagged, own, { about, replaces });
    const byDigest = { name: manifest.digest, manifest };
    if (union.kind === 'listed') return await this.#whatLacks(image, { ...whole, manifests: [byDigest] });
    if (union.kind === 'joined') {
      const manifests = [byDigest, { name: target.tag, manifest: union.index }];
      return { ...whole, manifests, beside: union.beside };
    }
    if (replaces) return whole;
    throw new Failure({
      code: 'ALREADY_PUBLISHED',
      about,
      message: `this tag has a different image for the same platform, ${abbreviateDigest(there.digest)}; the package contains ${abbreviateDigest(manifest.digest)}`,
      hint: 'to replace it with the image of the package, use --overwrite, or push to another path',
    });
  }

  /**
   * Begins to bring the blobs of images to the registry, in their order in the package. `carryOut` throws the failures.
   */
  async begin(works: readonly { readonly image: ImageToPush; readonly work: Work }[]): Promise<void> {
    const { files } = this.#parts;
    const order = ({ blob }: WantedBlob): number => files.position(blobFile(blob.digest));
    const wanted = works
      .flatMap(({ image: { target }, work }) =>
        work.blobs.map((blob): WantedBlob => ({ blob, repository: target.repository })),
      )
      .toSorted((one, other) => order(one) - order(other));
    await this.#findHolders(wanted);
    for (const { blob, repository } of wanted) void this.#place(blob, repository).catch(() => undefined);
  }

  /** Returns the repositories that have a blob, according to answers in this run. */
  holdersOf(digest: Digest): readonly Repository[] {
    return [...(this.#holders.get(digest) ?? [])];
  }

  /** Brings the blobs of an image to the registry, then its manifests. Returns what was done. */
  async carryOut({ target }: ImageToPush, { blobs, manifests, beside }: Work): Promise<PushedImage> {
    const { registry, signal } = this.#parts;
    const { repository } = target;
    if (manifests.length === 0) return { outcome: 'present', bytesSent: 0, beside };
    let bytesSent = 0;
    const settled = await Promise.allSettled(
      blobs.map(async (blob) => {
        const key = `${repository}@${blob.digest}`;
        if ((await this.#place(blob, repository)) !== 'uploaded' || this.#counted.has(key)) return;
        this.#counted.add(key);
        bytesSent += blob.size;
      }),
    );
    signal.throwIfAborted();
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    for (const { name, manifest } of manifests) {
      await registry.putManifest(repository, name, manifest, signal).catch((error: unknown) => {
        throw withRemedy(error, manifest);
      });
    }
    return { outcome: 'pushed', bytesSent, beside };
  }

  /** Asks for blobs that several images need: one that an earlier run pushed is mounted, and not sent again. */
  async #findHolders(wanted: readonly WantedBlob[]): Promise<void> {
    const { signal } = this.#parts;
    const shared = [...Map.groupBy(wanted, ({ blob }) => blob.digest).values()].filter(
      (places) => new Set(places.map(({ repository }) => repository)).size > 1,
    );
    await Promise.all(
      shared.flat().map(async ({ blob, repository }) => {
        // The push of the blob reports what is wrong.
        await this.#ask(blob, repository).catch(() => signal.throwIfAborted());
      }),
    );
  }

  /** Returns whether a repository has a blob, and remembers it if it has. */
  async #ask(blob: Descriptor, repository: Repository): Promise<boolean | undefined> {
    const { registry, signal } = this.#parts;
    const isThere = await hasBlob(registry, repository, blob, signal);
    const holders = this.#holders.get(blob.digest) ?? new Set();
    if (isThere === true) this.#holders.set(blob.digest, holders.add(repository));
    return isThere;
  }

  /** Brings a blob to a repository, once in a run. */
  #place(descriptor: Descriptor, repository: Repository): Promise<Placed> {
    const { board, signal } = this.#parts;
    const key = `${repository}@${descriptor.digest}`;
    const place = async (): Promise<Placed> => {
      await this.#check(descriptor);
      return await board.place({ descriptor, repository, signal }, this.#source);
    };
    const placed = this.#placed.get(key) ?? place();
    this.#placed.set(key, placed);
    return placed;
  }

  /** Returns what a tag holds; undefined if there is nothing. */
  async #findTag({ repository, tag }: ImageToPush['target']): Promise<ToldManifest | undefined> {
    const { registry, signal } = this.#parts;
    try {
      return await registry.findManifest(repository, tag, signal);
    } catch (error) {
      // Artifactory denies access to tags that do not exist. A tag that exists but may not be read must not be
      // replaced.
      if (isRefusedQuestion(error) && (await this.#isUnlisted(repository, tag))) return undefined;
      throw error;
    }
  }

  /** Returns whether the list of tags lacks a tag. */
  async #isUnlisted(repository: Repository, tag: Tag): Promise<boolean> {
    const { registry, signal } = this.#parts;
    try {
      return !(await registry.listTags(repository, signal)).tags.includes(tag);
    } catch (error) {
      signal.throwIfAborted();
      return isNotFound(error);
    }
  }

  /** Returns the other image or index that a tag holds; undefined if it is gone by now. */
  async #readTag(repository: Repository, tag: Tag): Promise<TaggedImage | undefined> {
    const { registry, signal } = this.#parts;
    try {
      const manifest = await registry.getManifest(repository, tag, signal);
      if (manifest.kind === 'index') return { manifest };
      const config = await readBlob(registry, repository, manifest.config, signal);
      return { manifest, platform: platformOfConfig(config) };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #configOf({ manifest }: ImageToPush): Promise<Buffer> {
    const { files, signal } = this.#parts;
    await this.#check(manifest.config);
    return await files.read(blobFile(manifest.config.digest), signal);
  }

  /** Returns the remaining work if the tag is right: a garbage collection may have removed parts of its image. */
  async #whatLacks({ manifest, target: { repository } }: ImageToPush, work: Work): Promise<Work> {
    const { registry, board, signal } = this.#parts;
    const answers = await Promise.all(
      work.blobs.map(async (blob) => ({ blob, isThere: await this.#ask(blob, repository) })),
    );
    const blobs = answers.flatMap(({ blob, isThere }) => (isThere === false ? [blob] : []));
    for (const { digest } of blobs) board.doubt(digest, repository);
    const isListed = await registry
      .findManifest(repository, manifest.digest, signal)
      .catch((error: unknown) => {
        // If access to an existing manifest is denied, pushing it again costs little.
        if (isRefusedQuestion(error)) return undefined;
        throw error;
      });
    if (blobs.length === 0 && isListed !== undefined) return { blobs: [], manifests: [], beside: [] };
    return { ...work, blobs };
  }

  /** Verifies a blob in the package before any of it is sent. It is hashed again while it is sent. */
  #check({ digest }: Descriptor): Promise<void> {
    const known = this.#checked.get(digest);
    if (known !== undefined) return known;
    const checked = this.#prove(digest);
    this.#checked.set(digest, checked);
    return checked;
  }

  async #prove(digest: Digest): Promise<void> {
    const { files, signal } = this.#parts;
    if (digestAlgorithm(digest) !== 'sha256') return;
    const path = blobFile(digest);
    const giveBack = await ConcurrencyLimiter.take([this.#checking], signal);
    try {
      if ((await files.sumOf(path, signal)) === digestHex(digest)) return;
    } finally {
      giveBack();
    }
    throw damaged(files.about, path, 'its content does not match its digest');
  }
}

/** Returns the refusal of a manifest with a hint for users who push a package; returns other errors unchanged. */
function withRemedy(error: unknown, manifest: Manifest): unknown {
  if (!(error instanceof Failure)) return error;
  const { about, message } = error;
  switch (failureCode(error)) {
    case 'TAG_IMMUTABLE': {
      const hint =
        'tags are immutable in this registry: exclude this repository from the rule, or push to another path';
      return new Failure({ code: 'TAG_IMMUTABLE', about, message, hint, cause: error });
    }
    case 'FORMAT_REFUSED': {
      const hint =
        manifest.kind === 'index'
          ? 'this registry does not accept this type of index, which a tag with images for two architectures needs: push each package to a path of its own'
          : 'this registry does not accept images of this format: configure it to accept them, as zot with "compat": ["docker2s2"], or push to another registry';
      return new Failure({ code: 'FORMAT_REFUSED', about, message, hint, cause: error });
    }
    default:
      return error;
  }
}
