import { z } from 'zod';
import { Failure } from '../../lib/failure.ts';
import { readJson } from '../../lib/json.ts';
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
  /** The tag that stands for the API. Reports name the signatures by it, even if no such tag is needed. */
  readonly tag: Tag;
  /** Undefined if all of them are there already. */
  readonly copied?: Pick<Tally, 'bytesSent' | 'uploaded' | 'mounted' | 'present'> | undefined;
  /** Why they could not be copied. */
  readonly error?: unknown;
  /** The signatures that the source lists. They may be signed too. */
  readonly referrers: readonly Digest[];
}

/** What the source lists for a manifest; undefined if it does not have the API. */
interface Offer {
  readonly subject: Digest;
  readonly wanted: readonly Referrer[] | undefined;
}

/** A bill of materials has a signature, which may be signed again. No deeper nesting is known. */
const DEEPEST_LEVEL = 8;
/** Of one image, on all levels together. */
const MOST_REFERRERS = 5000;

const COPIES_KEPT = 20_000;
const OFFERS_KEPT = {
  results: COPIES_KEPT,
  weight: 200_000,
  weigh: ({ wanted = [] }: Offer): number => wanted.length,
};

const annotationsShape = z.object({ annotations: fieldOf(recordOf(z.string())).catch(undefined) });

/** Copies signatures that the referrers API of a source lists, and the tag that stands for the API if it is needed. */
export class ReferrerCopier {
  readonly #target: Registry;
  readonly #tree: TreePush;
  readonly #isDryRun: boolean;
  readonly #signal: AbortSignal;
  /** Whether sources have the API. A source that has answered once has it, even if it refuses requests later. */
  readonly #hasApi = new Map<Registry, boolean>();
  /** The first request to each source. The others wait for its answer, which may make them unnecessary. */
  readonly #first = new Map<Registry, Promise<unknown>>();
  readonly #offers = new SingleFlight<string, Offer>(OFFERS_KEPT);
  readonly #copies = new SingleFlight<string, CopiedReferrers>({ results: COPIES_KEPT });

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

  /** Returns whether a source may have the API: false only if it answered that it does not. */
  mayOffer(registry: Registry): boolean {
    return this.#hasApi.get(registry) !== false;
  }

  /**
   * Copies the signatures of manifests of the repository of an image, then the signatures of these, and so on, each once
   * in a run. Returns a result for each manifest that has any; none if the source does not have the API.
   */
  async copy(
    image: PlannedImage,
    digests: readonly Digest[],
    clock: PushClock,
  ): Promise<readonly CopiedReferrers[]> {
    const results: CopiedReferrers[] = [];
    const known = new Set(digests);
    let room = MOST_REFERRERS;
    let subjects = [...known];
    for (let level = 1; subjects.length > 0; level += 1) {
      const settled = await Promise.all(subjects.map((subject) => this.#settle(image, subject)));
      const offers = settled.filter((each) => 'wanted' in each);
      results.push(...settled.filter((each) => 'tag' in each));
      // A registry may list manifests that it listed at a higher level already.
      const listed = [...new Set(offers.flatMap(digestsOf))].filter((digest) => !known.has(digest));
      const fresh = level > DEEPEST_LEVEL ? [] : listed.slice(0, room);
      const left = new Set(listed.slice(fresh.length));
      const taken = offers.map((offer) => without(offer, left));
      const cut = offers.find((offer) => digestsOf(offer).some((digest) => left.has(digest)));
      // This result comes before others of the same manifest, because only the first one is reported.
      if (cut !== undefined) results.push(failedCopy(cut.subject, this.#unreasonable(image, cut.subject)));
      const copied = await Promise.all(taken.map((offer) => this.#bring(image, offer, clock)));
      results.push(...copied.filter((each) => each !== undefined));
      if (cut !== undefined) break;
      for (const digest of fresh) known.add(digest);
      room -= fresh.length;
      subjects = fresh;
    }
    return results;
  }

  /** Requests the list of signatures of a manifest. Returns the failure if that fails. */
  async #settle(image: PlannedImage, subject: Digest): Promise<Offer | CopiedReferrers> {
    const { registry, repository } = image.source;
    try {
      return await this.#offers.get(registry.nameOf(repository, subject), () => this.#ask(image, subject));
    } catch (error) {
      this.#signal.throwIfAborted();
      return failedCopy(subject, error);
    }
  }

  async #ask({ source }: PlannedImage, subject: Digest): Promise<Offer> {
    const first = this.#first.get(source.registry);
    if (first !== undefined) {
      await first.catch(() => undefined);
      return this.#askApi(source, subject);
    }
    const asked = this.#askApi(source, subject);
    this.#first.set(source.registry, asked);
    return asked;
  }

  async #askApi({ registry, repository }: PlannedImage['source'], subject: Digest): Promise<Offer> {
    if (!this.mayOffer(registry)) return { subject, wanted: undefined };
    const offered = await askReferrersApi(registry, repository, subject, this.#signal);
    if (offered !== undefined || !this.#hasApi.has(registry))
      this.#hasApi.set(registry, offered !== undefined);
    return { subject, wanted: offered?.filter(({ artifactType }) => isSignatureType(artifactType)) };
  }

  /** Copies the signatures of a manifest to the destination. Returns undefined if there are none. */
  async #bring(image: PlannedImage, offer: Offer, clock: PushClock): Promise<CopiedReferrers | undefined> {
    const { wanted = [], subject } = offer;
    if (wanted.length === 0) return undefined;
    const { source, target } = image;
    // The limit may leave another image more of them.
    const key = `${source.registry.nameOf(source.repository, subject)} ${target.repository} ${wanted.length}`;
    try {
      return await this.#copies.get(key, () => this.#copy(image, subject, wanted, clock));
    } catch (error) {
      this.#signal.throwIfAborted();
      return failedCopy(subject, error instanceof RefusedManifest ? error.refusal : error);
    }
  }

  async #copy(
    image: PlannedImage,
    subject: Digest,
    wanted: readonly Referrer[],
    clock: PushClock,
  ): Promise<CopiedReferrers> {
    const tag = referrersTag(subject);
    const referrers = wanted.map(({ digest }) => digest);
    const there = await this.#listThere(image.target.repository, subject);
    const missing = wanted.filter((referrer) => !there.has(referrer.digest));
    if (missing.length === 0) return { tag, referrers };
    const tally: Tally = { bytesSent: 0, uploaded: 0, mounted: 0, present: 0, digests: new Set() };
    if (this.#isDryRun) return { tag, referrers, copied: tally };
    const entries = await Promise.all(missing.map((referrer) => this.#push(image, referrer, clock, tally)));
    const unlisted = entries.filter((entry) => entry !== undefined);
    if (unlisted.length > 0) await this.#list(image.target.repository, tag, unlisted);
    return { tag, referrers, copied: tally };
  }

  #unreasonable({ source }: PlannedImage, subject: Digest): Failure {
    return new Failure({
      code: 'REFERRERS_UNREASONABLE',
      about: source.registry.nameOf(source.repository, subject),
      message: `its referrers are nested more than ${DEEPEST_LEVEL} levels deep, or it has more than ${MOST_REFERRERS} signatures`,
      hint: 'leave the image out with "exclude", or use --signatures skip; the signatures before this limit were copied; if the image is real, please report it',
    });
  }

  /** What the destination does not list is pushed again, which changes nothing. */
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
    const { annotations } = annotationsShape.parse(readJson(manifest.bytes));
    const { mediaType, bytes } = manifest;
    return { mediaType, digest, size: bytes.length, artifactType, annotations };
  }

  /** Adds entries to the tag that stands for the API. Entries that others added there stay. */
  async #list(repository: Repository, tag: Tag, entries: readonly object[]): Promise<void> {
    const about = this.#target.nameOf(repository, tag);
    const mediaType = MEDIA_TYPE.ociIndex;
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }));
    const ours = parseManifest(body, mediaType, about);
    const theirs = await getStanding(this.#target, { repository, tag }, this.#signal);
    const union = theirs === undefined ? undefined : uniteSignatures(ours, theirs, about);
    if (union?.kind === 'complete') return;
    if (union?.kind === 'apart') {
      const message =
        'this tag should contain the list of signatures of an image, but contains something else';
      const hint = 'delete the tag there: without that list, clients cannot find the signatures of the image';
      throw new Failure({ code: 'MANIFEST_UNUSABLE', about, message, hint });
    }
    const manifest = union?.kind === 'joined' ? union.manifest : ours;
    await this.#target.putManifest(repository, tag, manifest, this.#signal);
  }
}

function digestsOf({ wanted = [] }: Offer): Digest[] {
  return wanted.map(({ digest }) => digest);
}

function without({ subject, wanted }: Offer, left: ReadonlySet<Digest>): Offer {
  return { subject, wanted: wanted?.filter(({ digest }) => !left.has(digest)) };
}

function failedCopy(subject: Digest, error: unknown): CopiedReferrers {
  return { tag: referrersTag(subject), referrers: [], error };
}
