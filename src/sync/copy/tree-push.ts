import { failureCode } from '../../lib/failure.ts';
import { HttpFailure, isAnswerFailure } from '../../lib/http/http-failure.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import type { BlobBoard } from '../../registry/blob/blob-board.ts';
import { type BlobSource, registrySource } from '../../registry/blob/blob-source.ts';
import { hasBlob } from '../../registry/blob-presence.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import {
  type Descriptor,
  type Image,
  type Index,
  isForeignLayer,
  type Manifest,
} from '../../registry/oci/manifest.ts';
import { isBlobMediaType } from '../../registry/oci/media-type.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { PlannedImage } from '../plan/planning.ts';
import { type FormedImage, formatOf, type RefusedFormat } from './format.ts';
import { requireReasonable } from './index-limits.ts';
import { isAttestation } from './index-subset.ts';
import type { MissingPart } from './missing-parts.ts';
import { failureOfBlobs, failureOfIndex, type PartResult } from './parts-failure.ts';
import type { PushClock } from './push-clock.ts';
import type { Transfer } from './transfer.ts';

/** What pushing one image took. It grows while the image is pushed. */
export interface Tally {
  bytesSent: number;
  uploaded: number;
  mounted: number;
  present: number;
  /** The digests of the image and of what its index lists. */
  readonly digests: Set<Digest>;
}

/** One image that is being pushed. */
export interface PushTask extends Pick<PlannedImage, 'name' | 'source' | 'target'> {
  /** What is pushed of it, and in which format. */
  readonly form: FormedImage;
  readonly clock: PushClock;
  readonly tally: Tally;
  /** Measures the transfers; undefined if no progress is shown. */
  readonly transfer?: Transfer | undefined;
  /** What is known to be missing below the tag, which is right already. Empty if that was not checked. */
  readonly missing: readonly MissingPart[];
}

/** What is below a manifest at the destination, and the manifest. */
export interface PushedTree {
  /** In bytes, with the manifests. Undefined if a part was there already and its contents were not checked. */
  readonly size: number | undefined;
  /** The number of foreign layers that are not there. */
  readonly layersLeftOut: number;
  /** Whether the registry answered that it lists the manifest among the referrers of its subject. */
  readonly isListed?: boolean | undefined;
}

/** The destination refuses the format of a manifest. All that the manifest refers to was pushed. */
export class RefusedManifest extends Error {
  readonly format: RefusedFormat;
  readonly refusal: unknown;

  constructor(format: RefusedFormat, refusal: unknown) {
    super('the destination refuses the format of a manifest');
    this.format = format;
    this.refusal = refusal;
  }
}

const CHILDREN_KEPT = 20_000;

/** Pushes manifests after all that they refer to, each one once per repository and run. */
export class TreePush {
  readonly #target: Registry;
  readonly #board: BlobBoard;
  readonly #wasAbsent: (repository: Repository) => boolean;
  readonly #fetch: (source: PushTask['source'], digest: Digest) => Promise<Manifest>;
  readonly #pushed = new SingleFlight<string, PushedTree>({ results: CHILDREN_KEPT });

  constructor(parts: {
    readonly target: Registry;
    readonly board: BlobBoard;
    /** Returns whether a repository did not exist when the run began. */
    readonly wasAbsent: (repository: Repository) => boolean;
    readonly fetch: (source: PushTask['source'], digest: Digest) => Promise<Manifest>;
  }) {
    this.#target = parts.target;
    this.#board = parts.board;
    this.#wasAbsent = parts.wasAbsent;
    this.#fetch = parts.fetch;
  }

  /** Pushes an image and, last, its tag. Returns what is there then. Throws `RefusedManifest`. */
  push(task: PushTask): Promise<PushedTree> {
    const { manifest } = task.form;
    for (const { kind, digest } of task.missing) {
      if (kind !== 'manifest') this.#board.doubt(digest, task.target.repository);
    }
    return this.#pushTree(task, manifest, task.target.tag, formatOf(manifest), 0);
  }

  /** Pushes an image by its digest, without a tag. Returns what is there then. Throws `RefusedManifest`. */
  pushUntagged(task: PushTask): Promise<PushedTree> {
    const { manifest } = task.form;
    return this.#pushTree(task, manifest, manifest.digest, formatOf(manifest), 0);
  }

  async #pushTree(
    task: PushTask,
    manifest: Manifest,
    name: Tag | Digest,
    format: RefusedFormat,
    depth: number,
  ): Promise<PushedTree> {
    const { target, clock } = task;
    let parts = await this.#pushParts(task, manifest, depth);
    let isListed = false;
    const put = async () => {
      isListed = await this.#putManifest(target.repository, name, manifest, clock);
    };
    try {
      await put().catch((error: unknown) => {
        if (!isContentUnknown(error)) throw error;
        // What was assumed to be there is pushed again. Eventually consistent stores may need a moment longer.
        const again = async () => {
          this.#doubtParts(manifest, target.repository);
          parts = await this.#pushParts(task, manifest, depth);
          await put();
        };
        // What the source does not hold will not be there a moment later either.
        const mayPass = (repeated: unknown) => isContentUnknown(repeated) && parts.layersLeftOut === 0;
        return this.#target.retrying(clock.signal, again, mayPass);
      });
    } catch (error) {
      const isOfFormat = ['FORMAT_REFUSED', 'MANIFEST_REFUSED'].includes(failureCode(error));
      if (isOfFormat) throw new RefusedManifest(format, error);
      throw error;
    }
    const size = parts.size === undefined ? undefined : parts.size + manifest.bytes.length;
    return { ...parts, size, isListed };
  }

  /** Throws `CONTENT_UNKNOWN` also if a registry refuses without a reason, and a part is missing there. */
  async #putManifest(
    repository: Repository,
    name: Tag | Digest,
    manifest: Manifest,
    { signal, setActive }: PushClock,
  ): Promise<boolean> {
    try {
      return await this.#target.putManifest(repository, name, manifest, signal, setActive);
    } catch (error) {
      if (failureCode(error) !== 'MANIFEST_REFUSED') throw error;
      const missing = await this.#findMissing(repository, manifest, signal);
      if (missing === undefined) throw error;
      const about = this.#target.nameOf(repository, name);
      const message = `${error instanceof Error ? error.message : String(error)}; it does not have ${missing}`;
      throw new HttpFailure({ code: 'CONTENT_UNKNOWN', about, message, cause: error });
    }
  }

  /** Returns a part of a manifest that the destination does not have, if its answers show one. */
  async #findMissing(
    repository: Repository,
    manifest: Manifest,
    signal: AbortSignal,
  ): Promise<Digest | undefined> {
    const isMissing = async (part: Descriptor): Promise<boolean> => {
      try {
        if (manifest.kind === 'image' || isBlobMediaType(part.mediaType))
          return (await hasBlob(this.#target, repository, part, signal)) === false;
        return (await this.#target.findManifest(repository, part.digest, signal)) === undefined;
      } catch {
        signal.throwIfAborted();
        return false;
      }
    };
    const parts =
      manifest.kind === 'index'
        ? manifest.manifests
        : [manifest.config, ...manifest.layers.filter((layer) => !isForeignLayer(layer))];
    const missing = await Promise.all(parts.map(isMissing));
    return parts.find((_, position) => missing[position])?.digest;
  }

  async #pushParts(task: PushTask, manifest: Manifest, depth: number): Promise<PushedTree> {
    if (manifest.kind === 'image') {
      const placed = this.#placeBlobs(task, manifest);
      task.transfer?.read();
      return placed;
    }
    const about = this.#target.nameOf(task.target.repository, manifest.digest);
    requireReasonable(manifest, depth, task.tally.digests, about);
    for (const { digest } of manifest.manifests) task.tally.digests.add(digest);
    return this.#pushChildren(task, manifest, depth + 1);
  }

  /** Failures that another format would not avoid come before refused formats. All of them are reported. */
  async #pushChildren(task: PushTask, index: Index, depth: number): Promise<PushedTree> {
    const ours = index.manifests.filter(({ digest }) => task.form.theirs?.has(digest) !== true);
    task.transfer?.read(ours.length);
    const settled = await Promise.all(
      ours.map(async (part): Promise<PartResult & { readonly tree?: PushedTree }> => {
        try {
          return { part, tree: await this.#pushChild(task, part, depth) };
        } catch (error) {
          return { part, error };
        }
      }),
    );
    task.clock.signal.throwIfAborted();
    const isRefused = ({ error }: PartResult): boolean => error instanceof RefusedManifest;
    const others = settled.filter((result) => !isRefused(result));
    if (others.some(({ error }) => error !== undefined)) throw failureOfIndex(others, this.#wholeOf(task));
    const refusals = settled.flatMap(({ error }) => (error instanceof RefusedManifest ? [error] : []));
    const refused = refusals.find(({ format }) => format !== 'attestation') ?? refusals[0];
    if (refused !== undefined) {
      const results = settled.map(({ part, error }) => ({
        part,
        error: error instanceof RefusedManifest ? error.refusal : undefined,
      }));
      throw new RefusedManifest(refused.format, failureOfIndex(results, this.#wholeOf(task)));
    }
    return sum(settled.flatMap(({ tree }) => (tree === undefined ? [] : [tree])));
  }

  #wholeOf({ name, target }: PushTask): Parameters<typeof failureOfIndex>[1] {
    return { name, destination: `${this.#target.host}/${target.repository}` };
  }

  async #pushChild(task: PushTask, child: Descriptor, depth: number): Promise<PushedTree> {
    if (isBlobMediaType(child.mediaType)) {
      const placed = this.#placeBlob(task, child);
      task.transfer?.read();
      return placed;
    }
    // An earlier image may have found it there without checking its contents. That is not enough for an incomplete
    // child.
    const key = `${task.target.repository}@${child.digest}${isIncomplete(task, child) ? ' in full' : ''}`;
    for (;;) {
      let isOwn = false;
      try {
        const pushed = this.#pushed.get(key, () => {
          isOwn = true;
          return this.#bringChild(task, child, depth);
        });
        // What another image pushes is not counted for this one.
        if (!isOwn) task.transfer?.read();
        return await pushed;
      } catch (error) {
        // Another image pushed it for both and reached its own time limit. This image has time left.
        const isForeign = !isOwn && failureCode(error) === 'PUSH_TIMED_OUT' && !task.clock.signal.aborted;
        if (!isForeign) throw error;
      }
    }
  }

  async #bringChild(task: PushTask, child: Descriptor, depth: number): Promise<PushedTree> {
    const { repository } = task.target;
    const { signal } = task.clock;
    const isThere =
      !this.#wasAbsent(repository) &&
      !isIncomplete(task, child) &&
      (await this.#target.claimsManifest(repository, child.digest, signal));
    // Only images of Windows have foreign layers, which may not be there.
    if (isThere && child.platform?.os !== 'windows') {
      task.transfer?.read();
      return { size: undefined, layersLeftOut: 0 };
    }
    const manifest = task.form.parts.get(child.digest) ?? (await this.#fetchChild(task, child));
    if (isThere) return this.#pushParts(task, manifest, depth);
    const format = isAttestation(child) ? 'attestation' : formatOf(manifest);
    return this.#pushTree(task, manifest, child.digest, format, depth);
  }

  /** Checks the size, because the limits for an index rely on the sizes in it. */
  async #fetchChild({ source }: PushTask, { digest, size }: Descriptor): Promise<Manifest> {
    const manifest = await this.#fetch(source, digest);
    if (manifest.bytes.length <= size) return manifest;
    const about = source.registry.nameOf(source.repository, digest);
    const message = `it has ${manifest.bytes.length} bytes, but ${size} according to its index`;
    throw new HttpFailure({ code: 'SIZE_MISMATCH', about, message });
  }

  async #placeBlobs(task: PushTask, image: Image): Promise<PushedTree> {
    const distinct = [
      ...new Map([image.config, ...image.layers].map((blob) => [blob.digest, blob])).values(),
    ];
    const work = distinct.map(async (part): Promise<PartResult & { readonly tree?: PushedTree }> => {
      try {
        return { part, tree: await this.#placeBlob(task, part) };
      } catch (error) {
        return { part, error };
      }
    });
    // Fails only when all have ended. Transfers that were aborted may still be closing their connections.
    const placed = await Promise.all(work);
    task.clock.signal.throwIfAborted();
    if (placed.some(({ error }) => error !== undefined)) throw failureOfBlobs(placed, this.#wholeOf(task));
    return sum(placed.flatMap(({ tree }) => (tree === undefined ? [] : [tree])));
  }

  async #placeBlob(task: PushTask, descriptor: Descriptor): Promise<PushedTree> {
    const { tally, clock, transfer } = task;
    const { size } = descriptor;
    let moved = 0;
    const onBytes = (count: number): void => {
      moved += count;
      transfer?.move(count);
    };
    transfer?.expect(size);
    const { repository } = task.target;
    const source: BlobSource = registrySource(task.source.registry, task.source.repository);
    try {
      const want = { descriptor, repository, signal: clock.signal, onActive: clock.setActive, onBytes };
      const placed = await this.#board.place(want, source);
      transfer?.settle(size, moved);
      tally[placed] += 1;
      if (placed === 'uploaded') tally.bytesSent += size;
      return { size, layersLeftOut: 0 };
    } catch (error) {
      if (isForeignLayer(descriptor) && isWithheld(error)) return { size: 0, layersLeftOut: 1 };
      throw error;
    }
  }

  #doubtParts(manifest: Manifest, repository: Repository): void {
    if (manifest.kind === 'index') {
      for (const { digest, mediaType } of manifest.manifests) {
        if (isBlobMediaType(mediaType)) this.#board.doubt(digest, repository);
        for (const key of [`${repository}@${digest}`, `${repository}@${digest} in full`])
          this.#pushed.forget(key);
      }
      return;
    }
    for (const { digest } of [manifest.config, ...manifest.layers]) this.#board.doubt(digest, repository);
  }
}

/** Returns whether a child, or something below it, is known to be missing. */
function isIncomplete({ missing }: PushTask, child: Descriptor): boolean {
  return missing.some(({ path }) => path.includes(child.digest));
}

function isContentUnknown(error: unknown): boolean {
  return failureCode(error) === 'CONTENT_UNKNOWN';
}

/** Returns whether a registry does not have a layer, or refuses to send or accept it. */
function isWithheld(error: unknown): boolean {
  const isFinal = isAnswerFailure(error) && !error.transient;
  return isFinal && ['NOT_FOUND', 'DENIED', 'REGISTRY_REFUSED'].includes(error.code);
}

function sum(trees: readonly PushedTree[]): PushedTree {
  return trees.reduce<PushedTree>(
    (total, tree) => ({
      size: total.size === undefined || tree.size === undefined ? undefined : total.size + tree.size,
      layersLeftOut: total.layersLeftOut + tree.layersLeftOut,
    }),
    { size: 0, layersLeftOut: 0 },
  );
}
