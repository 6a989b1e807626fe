import { z } from 'zod';
import { Failure } from '../../lib/failure.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import { fieldOf, recordOf } from '../../lib/zero-value.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { type Manifest, parseManifest } from '../../registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../registry/oci/media-type.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import { askReferrersApi, listReferrers, type Referrer, referrersTag } from '../../registry/referrers.ts';
import type { Registry } from '../../registry/registry.ts';
import type { PlannedImage } from '../plan/planning.ts';
import { isSignatureType } from '../select/signature-type.ts';
import type { PushClock } from './push-clock.ts';
import { getStanding, uniteSignatures } from './signature-union.ts';
import { RefusedManifest, type Tally, type TreePush } from './tree-push.ts';

/** The signatures of one manifest that were copied from the referrers API of the source. */
export interface CopiedReferrers {
  /** The tag that stands for the API. It names them in reports, also where no such tag is needed. */
  readonly tag: Tag;
  /** Undefined if all of them are there already. */
  readonly copied?: Pick<Tally, 'bytesSent' | 'uploaded' | 'mounted' | 'present'> | undefined;
  /** Why they could not be copied. */
  readonly error?: unknown;
}

const COPIES_KEPT = 20_000;

const annotationsShape = z.object({ annotations: fieldOf(recordOf(z.string())).catch(undefined) });

/** Copies signatures that the referrers API of a source tells of, and the tag that stands for it where it is needed. */
export class ReferrerCopier {
  readonly #target: Registry;
  readonly #tree: TreePush;
  readonly #isDryRun: boolean;
  readonly #signal: AbortSignal;
  /** Sources that do not have the API. */
  readonly #without = new Set<Registry>();
  readonly #copies = new SingleFlight<string, CopiedReferrers | undefined>({ results: COPIES_KEPT });

  constructor(parts: {
    readonly target: Registry;
    readonly tree: TreePush;
    readonly isDryRun: boolean;
    readonly signal: AbortSignal;
  }) {
    this.#target = parts.target;
    this.#tree = parts.tree;
    this.#isDryRun = parts.isDryRun;
    this.#signal = parts.signal;
  }

  /** Returns whether a source has the API, as far as it was asked. */
  mayOffer(registry: Registry): boolean {
    return !this.#without.has(registry);
  }

  /**
   * Copies the signatures of a manifest of the repository of an image, once in a run. Returns undefined if the source has
   * none or does not have the API.
   */
  copy(image: PlannedImage, digest: Digest, clock: PushClock): Promise<CopiedReferrers | undefined> {
    const { source, target } = image;
    const key = `${source.registry.nameOf(source.repository, digest)} ${target.repository}`;
    return this.#copies.get(key, async () => {
      try {
        return await this.#copy(image, digest, clock);
      } catch (error) {
        this.#signal.throwIfAborted();
        return { tag: referrersTag(digest), error: error instanceof RefusedManifest ? error.refusal : error };
      }
    });
  }

  async #copy(image: PlannedImage, digest: Digest, clock: PushClock): Promise<CopiedReferrers | undefined> {
    const { registry, repository } = image.source;
    if (!this.mayOffer(registry)) return undefined;
    const offered = await askReferrersApi(registry, repository, digest, this.#signal);
    if (offered === undefined) {
      this.#without.add(registry);
      return undefined;
    }
    const wanted = offered.filter(({ artifactType }) => isSignatureType(artifactType));
    if (wanted.length === 0) return undefined;
    const tag = referrersTag(digest);
    const there = await this.#listThere(image.target.repository, digest);
    const missing = wanted.filter((referrer) => !there.has(referrer.digest));
    if (missing.length === 0) return { tag };
    const tally: Tally = { bytesSent: 0, uploaded: 0, mounted: 0, present: 0, digests: new Set() };
    if (this.#isDryRun) return { tag, copied: tally };
    const entries = await Promise.all(missing.map((referrer) => this.#push(image, referrer, clock, tally)));
    const unlisted = entries.filter((entry) => entry !== undefined);
    if (unlisted.length > 0) await this.#list(image.target.repository, tag, unlisted);
    return { tag, copied: tally };
  }

  /** What the destination does not tell is pushed again, which changes nothing. */
  async #listThere(repository: Repository, digest: Digest): Promise<ReadonlySet<Digest>> {
    const there = await listReferrers(this.#target, repository, digest, this.#signal);
    return new Set(there.map((referrer) => referrer.digest));
  }

  /** Pushes one signature. Returns its entry for the tag that stands for the API, unless the destination has the API. */
  async #push(
    image: PlannedImage,
    { digest, artifactType }: Referrer,
    clock: PushClock,
    tally: Tally,
  ): Promise<object | undefined> {
    const { registry, repository } = image.source;
    const manifest = await registry.getManifest(repository, digest, this.#signal);
    const form = { manifest, parts: new Map<Digest, Manifest>(), conversion: undefined };
    const { isListed } = await this.#tree.pushUntagged({ ...image, form, clock, tally, missing: [] });
    if (isListed === true) return undefined;
    const { annotations } = annotationsShape.parse(JSON.parse(manifest.bytes.toString('utf8')));
    const { mediaType, bytes } = manifest;
    return { mediaType, digest, size: bytes.length, artifactType, annotations };
  }

  /** Adds entries to the tag that stands for the API. What others listed there stays. */
  async #list(repository: Repository, tag: Tag, entries: readonly object[]): Promise<void> {
    const about = this.#target.nameOf(repository, tag);
    const mediaType = MEDIA_TYPE.ociIndex;
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }));
    const ours = parseManifest(body, mediaType, about);
    const theirs = await getStanding(this.#target, { repository, tag }, this.#signal);
    const union = theirs === undefined ? undefined : uniteSignatures(ours, theirs, about);
    if (union?.kind === 'complete') return;
    if (union?.kind === 'apart') {
      const message = 'the tag that stands for the referrers API holds no list';
      const hint = 'delete it there: nobody can find the signatures of the image by it';
      throw new Failure({ code: 'MANIFEST_UNUSABLE', about, message, hint });
    }
    const manifest = union?.kind === 'joined' ? union.manifest : ours;
    await this.#target.putManifest(repository, tag, manifest, this.#signal);
  }
}
