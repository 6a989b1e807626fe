import { z } from 'zod';
import { Failure } from '../../lib/failure.ts';
import { readJson } from '../../lib/json.ts';
import { type Digest, digestAlgorithm } from '../../registry/oci/digest.ts';
import { type Descriptor, hasDigest, type Index, type Manifest } from '../../registry/oci/manifest.ts';
import { formatPlatform } from '../../registry/oci/platform.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { readBlob } from '../../registry/small-blob.ts';
import type { SignatureVerdict } from '../../signatures/verdict.ts';
import type { PlannedImage } from '../plan/planning.ts';
import { CONVERSIONS, conversionIn } from '../plan/recorded-options.ts';
import type { SourceVerification } from '../plan/source-verification.ts';
import type { ReportedMove } from '../report/report.ts';
import { reportedSignature } from '../report/signature-report.ts';
import { isSignatureTag } from '../select/signature-tag.ts';
import { formImage } from './format.ts';
import { isAttestation } from './index-subset.ts';
import { choosePlatforms } from './platform-choice.ts';

/** An image whose tag may have moved. */
type WatchedImage = Pick<
  PlannedImage,
  'source' | 'target' | 'platforms' | 'recorded' | 'uploaded' | 'ifMoved'
>;

/** A tag that has another digest than before. */
interface FoundMove {
  /** `maybe-back`: a tag that moves by nature, of which only a move back to an older image is reported. */
  readonly kind: 'moved' | 'differs' | 'maybe-back';
  readonly before: Digest;
}

/** What the search for moves needs. */
interface MoveParts {
  readonly target: Registry;
  /** Verifies signatures; undefined if that is off. */
  readonly verification: SourceVerification | undefined;
  /** Returns what the tag of an image has at the source, whose digest is known. */
  readonly fetchImage: (source: WatchedImage['source'], digest: Digest) => Promise<Manifest>;
  readonly fetch: (place: Place, digest: Digest) => Promise<Manifest>;
  readonly signal: AbortSignal;
}

interface Place {
  readonly registry: Registry;
  readonly repository: Repository;
}

/** The time in the configuration of an image. Some builders write none, or the start of a calendar: 1970 or 1980. */
const configurationShape = z.object({ created: z.iso.datetime({ offset: true }) });
const FIRST_TRUE_TIME = Date.UTC(1981, 0);
/** Years after this have more digits than other programs read. */
const LAST_TRUE_TIME = Date.UTC(9999, 11);
/** Larger than any configuration that people or builders write. */
const CONFIGURATION_LIMIT = 1024 * 1024;

/** Finds tags that moved at the source but should not, and what is known about both images. */
export class MoveSearch {
  readonly #parts: MoveParts;

  constructor(parts: MoveParts) {
    this.#parts = parts;
  }

  /** Returns whether the digest at the source has to be known before an image is copied. */
  watches({ recorded, target, ifMoved }: WatchedImage): boolean {
    const isNews = ifMoved.isFixed || this.#parts.verification !== undefined;
    return recorded !== undefined && isNews && ifMoved.mode !== 'copy' && !isSignatureTag(target.tag);
  }

  /**
   * Returns the move of a tag; undefined if it did not move, or if the move is not reported. Only the digest that the
   * source had when the tag was last mirrored proves a move. Without a state, it is only known that the sides differ.
   * `present` is what the destination has.
   */
  async find(
    image: WatchedImage,
    sourceDigest: Digest,
    present: Digest | undefined,
  ): Promise<FoundMove | undefined> {
    const { source, recorded, ifMoved, target } = image;
    if (recorded === undefined) {
      const isNews = ifMoved.isFixed && ifMoved.mode !== 'copy' && !isSignatureTag(target.tag);
      const isOther = present !== undefined && present !== sourceDigest;
      if (!isNews || !isOther || (await this.#isFormOf(image, sourceDigest, present))) return undefined;
      return { kind: 'differs', before: present };
    }
    const before = recorded.sourceDigest;
    if (!this.watches(image) || before === sourceDigest) return undefined;
    if (digestAlgorithm(before) !== digestAlgorithm(sourceDigest)) {
      if (hasDigest(await this.#parts.fetchImage(source, sourceDigest), before)) return undefined;
    }
    const { host, repository, tag } = recorded.source;
    const isSameSource =
      host === source.registry.host && repository === source.repository && tag === source.tag;
    if (isSameSource) return { kind: ifMoved.isFixed ? 'moved' : 'maybe-back', before };
    // What another source had proves nothing about this one.
    return ifMoved.isFixed ? { kind: 'differs', before: recorded.pushedDigest } : undefined;
  }

  /**
   * Returns what is known about both images of a move; undefined if the move is not reported after all. `verdict` is
   * about the signature of the new image. What cannot be fetched stays unknown, and is not a failure.
   */
  async describe(
    image: WatchedImage,
    { kind, before }: FoundMove,
    now: {
      readonly digest: Digest;
      readonly verdict: SignatureVerdict | undefined;
      readonly isKept: boolean;
    },
  ): Promise<ReportedMove | undefined> {
    const { source, recorded, uploaded } = image;
    const { digest, verdict } = now;
    if (kind === 'maybe-back' && verdict?.kind !== 'verified') return undefined;
    const [old, young] = await Promise.all([
      this.#findBefore(image, before),
      this.#try(source, () => this.#parts.fetchImage(source, digest)),
    ]);
    const pair = old !== undefined && young !== undefined ? pairOf(old.manifest, young) : undefined;
    const [created, createdNow] = await Promise.all([
      old && pair && this.#createdAt(old.place, old.manifest, pair.before),
      young && this.#createdAt(source, young, pair?.now ?? entriesOf(young)[0]?.digest),
    ]);
    const isOlder = created && createdNow && createdNow < created;
    if (kind === 'maybe-back' && isOlder !== true) return undefined;
    // The source may have deleted it, but the destination may have a copy.
    const copies = [{ registry: this.#parts.target, repository: image.target.repository }];
    const verdictBefore = await this.#parts.verification?.judge(image, before, copies);
    return {
      kind: kind === 'maybe-back' ? 'went-back' : kind,
      kept: now.isKept,
      before: {
        digest: before,
        created: created?.toISOString(),
        mirrored: recorded?.pushed?.toISOString(),
        signature: verdictBefore && reportedSignature(verdictBefore),
      },
      now: {
        digest,
        created: createdNow?.toISOString(),
        uploaded: uploaded !== undefined && isTrueTime(uploaded) ? uploaded.toISOString() : undefined,
        signature: verdict && reportedSignature(verdict),
      },
      isOlder,
      sameImages: old?.isConverted === true ? undefined : pair?.isSame,
    };
  }

  /**
   * Returns whether the destination holds the image of the source: with all platforms or the chosen ones, and unchanged
   * or converted because the destination refuses its format.
   */
  async #isFormOf({ source, platforms }: WatchedImage, digest: Digest, present: Digest): Promise<boolean> {
    const original = await this.#parts.fetchImage(source, digest);
    if (hasDigest(original, present)) return true;
    const about = source.registry.nameOf(source.repository, source.tag);
    const fetch = (part: Digest): Promise<Manifest> => this.#parts.fetch(source, part);
    const chosen = await this.#try(source, () => choosePlatforms(original, { platforms, about, fetch }));
    if (chosen !== undefined && hasDigest(chosen.manifest, present)) return true;
    const fetchPart = async (part: Digest) => chosen?.parts.get(part) ?? (await fetch(part));
    const whole = [original, chosen?.manifest].filter((one) => one !== undefined);
    for (const manifest of new Set(whole)) {
      for (const conversion of CONVERSIONS) {
        const formed = await this.#try(source, () => formImage(manifest, conversion, fetchPart, source.tag));
        if (formed !== undefined && hasDigest(formed.manifest, present)) return true;
      }
    }
    return false;
  }

  /** Returns the image before the move, from the destination or, if that has another one, from the source. */
  async #findBefore(
    { source, target, recorded }: WatchedImage,
    before: Digest,
  ): Promise<
    { readonly place: Place; readonly manifest: Manifest; readonly isConverted: boolean } | undefined
  > {
    const isConverted = conversionIn(recorded?.options ?? '') !== undefined;
    const there = { registry: this.#parts.target, repository: target.repository };
    const atTarget = { place: there, digest: recorded?.pushedDigest ?? before, isConverted };
    const atSource = { place: source, digest: before, isConverted: false };
    for (const { place, digest, isConverted: isOther } of isConverted
      ? [atSource, atTarget]
      : [atTarget, atSource]) {
      const manifest = await this.#try(place, (at) => this.#parts.fetch(at, digest));
      if (manifest !== undefined) return { place, manifest, isConverted: isOther };
    }
    return undefined;
  }

  /** Returns when an image was made; undefined if that is unknown. */
  #createdAt(place: Place, manifest: Manifest, digest: Digest | undefined): Promise<Date | undefined> {
    return this.#try(place, async ({ registry, repository }) => {
      if (digest === undefined) return undefined;
      const image =
        manifest.digest === digest ? manifest : await this.#parts.fetch({ registry, repository }, digest);
      if (image.kind === 'index' || image.config.size > CONFIGURATION_LIMIT) return undefined;
      const bytes = await readBlob(registry, repository, image.config, this.#parts.signal);
      const created = new Date(configurationShape.parse(readJson(bytes)).created);
      return isTrueTime(created) ? created : undefined;
    });
  }

  async #try<Found>(
    place: Place,
    ask: (place: Place) => Promise<Found | undefined>,
  ): Promise<Found | undefined> {
    try {
      return await ask(place);
    } catch {
      this.#parts.signal.throwIfAborted();
      return undefined;
    }
  }
}

function isTrueTime(time: Date): boolean {
  return time.getTime() >= FIRST_TRUE_TIME && time.getTime() <= LAST_TRUE_TIME;
}

/** Returns the images in a manifest, each with its platform if the manifest names it. */
function entriesOf(manifest: Manifest): readonly Pick<Descriptor, 'digest' | 'platform'>[] {
  return manifest.kind === 'image' ? [manifest] : runnable(manifest);
}

function runnable({ manifests }: Index): readonly Descriptor[] {
  return manifests.filter((entry) => !isAttestation(entry));
}

/** Two images of one platform. */
interface Pair {
  readonly before: Digest;
  readonly now: Digest;
  /** Whether the images of all platforms that both have are the same. Undefined if they have none in common. */
  readonly isSame: boolean | undefined;
}

/** Returns the images to compare of two manifests: of the first platform in which they differ, if there is one. */
function pairOf(before: Manifest, now: Manifest): Pair | undefined {
  const [old, young] = [entriesOf(before), entriesOf(now)];
  if (before.kind === 'image' || now.kind === 'image') {
    const [first, second] = [old[0]?.digest, young[0]?.digest];
    if (first === undefined || second === undefined) return undefined;
    const shared = old.find(({ digest }) => young.some((one) => one.digest === digest))?.digest;
    return { before: shared ?? first, now: shared ?? second, isSame: shared !== undefined };
  }
  const known = new Map(old.map(({ platform, digest }) => [platform && formatPlatform(platform), digest]));
  const pairs = young.flatMap(({ platform, digest }) => {
    const other = known.get(platform && formatPlatform(platform));
    return other === undefined ? [] : [{ before: other, now: digest }];
  });
  const different = pairs.find((pair) => pair.before !== pair.now);
  const chosen = different ?? pairs[0];
  return chosen && { ...chosen, isSame: different === undefined };
}

/** Returns whether the destination is left unchanged if a tag moved. */
export function keeps({ ifMoved }: WatchedImage, { kind }: FoundMove): boolean {
  return ifMoved.mode === 'keep' && kind !== 'maybe-back';
}

/** Returns the failure of an image whose tag moved, so that the destination was left unchanged. */
export function keptFailure(about: string, { kind }: Pick<FoundMove, 'kind'>): Failure {
  const hint = `find out why the tag moved; to accept it in one run, use --moved-tags copy, in a workflow moved-tags: copy; to accept it for this tag, add "movedTags": {"${about}": "copy"} to the image set`;
  if (kind === 'moved') {
    const message =
      'this tag should not move, but the source has another image now than the one that was mirrored; the destination was left unchanged';
    return new Failure({ code: 'TAG_MOVED', about, message, hint });
  }
  const message =
    'this tag should not move, but the source has another image than the destination, and it is unknown which of them changed; the destination was left unchanged';
  return new Failure({ code: 'TAG_DIFFERS', about, message, hint });
}
