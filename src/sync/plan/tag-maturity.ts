import type { Duration } from '../../lib/duration.ts';
import { Failure } from '../../lib/failure.ts';
import { formatTime } from '../../lib/text/time.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { TagList } from '../../registry/tag-list.ts';
import { isSignatureTag } from '../select/signature-tag.ts';
import type { RecordedImage } from '../state/image-rows.ts';
import type { RepositoryAddress } from '../state/repository-rows.ts';
import type { Sighting } from '../state/sighting-rows.ts';

/** The part of the state that records which digests the tags of sources had. */
interface SightingLog {
  readonly sightings: (source: RepositoryAddress) => ReadonlyMap<Tag, Sighting>;
  readonly sight: (
    source: RepositoryAddress,
    sightings: ReadonlyMap<Tag, Sighting>,
    gone?: readonly Tag[] | undefined,
  ) => void;
}

/** What is known about a tag without another request. */
interface TagHistory {
  readonly digest: Digest;
  /** When the image was uploaded, according to the source. */
  readonly uploaded: Date | undefined;
  /** The digest that the tag was last seen with, and since when. */
  readonly sighting: Sighting | undefined;
  /** The digest that was mirrored from the tag before. */
  readonly mirrored: Digest | undefined;
  /** Whether an earlier run saw the tags of this repository, so that a tag without a sighting is new. */
  readonly isWatched: boolean;
}

/** No registry of images is older. Times before it are zero values, and mean nothing. */
const FIRST_UPLOAD = Date.UTC(2013, 0);

/**
 * Returns since when a tag has had its digest, as far as that is certain. The time of upload comes from the registry,
 * and is believed only for a repository that no run saw before: an attacker can upload an image days before the tag
 * points to it. The time in an image's configuration comes from its author, and is ignored. If no time is known, the
 * image is as young as the first run that saw it.
 */
function firstSeen({ digest, uploaded, sighting, mirrored, isWatched }: TagHistory, now: Date): Date {
  if (sighting?.digest === digest) return sighting.seen < now ? sighting.seen : now;
  const isMoved = sighting !== undefined || (mirrored !== undefined && mirrored !== digest);
  if (isMoved || isWatched || uploaded === undefined) return now;
  const isPossible = uploaded.getTime() >= FIRST_UPLOAD && uploaded <= now;
  return isPossible ? uploaded : now;
}

/** Several times what repositories have. If one has more, further tags are recorded only if an image set wants them. */
const MOST_KEPT = 10_000;

/** A tag that is younger than the image set allows. */
export class TooYoung extends Failure<'TOO_YOUNG'> {
  /** From then on it is old enough, if it does not move. */
  readonly oldEnough: Date;

  constructor(about: string, oldEnough: Date) {
    super({
      code: 'TOO_YOUNG',
      about,
      message: `it is younger than "minimumAge"; old enough from ${formatTime(oldEnough)} UTC on`,
    });
    this.oldEnough = oldEnough;
  }
}

/** What is known about a source repository in this run. */
interface Watch {
  readonly isWatched: boolean;
  readonly sightings: Map<Tag, Sighting>;
}

/** An image of a source that may be too young, with what was listed of it and what was mirrored under its tag. */
interface AgingImage {
  readonly source: { readonly registry: Registry; readonly repository: Repository; readonly tag: Tag };
  readonly sourceDigest: Digest | undefined;
  readonly uploaded: Date | undefined;
  readonly recorded: Pick<RecordedImage, 'sourceDigest'> | undefined;
  readonly minimumAge: Duration;
}

interface MaturityParts {
  readonly log: SightingLog;
  readonly now: Date;
}

/** Decides which tags of sources are old enough, and records when they were first seen. */
export class TagMaturity {
  readonly #log: SightingLog;
  readonly #now: Date;
  readonly #watches = new Map<string, Watch>();

  constructor({ log, now }: MaturityParts) {
    this.#log = log;
    this.#now = now;
  }

  /**
   * Returns the tags in a listing that are not known to be old enough. Tags that have a digest in the listing are
   * recorded as seen. `mirrored` returns the digest that was mirrored from a tag before, and was accepted then.
   */
  youngIn(
    source: RepositoryAddress,
    { tags, manifests, isCut, isCircular }: TagList,
    {
      minimumAge,
      mirrored,
    }: { readonly minimumAge: Duration; readonly mirrored: (tag: Tag) => Digest | undefined },
  ): Set<Tag> {
    const young = new Set<Tag>();
    if (minimumAge === 0) return young;
    const watch = this.#watch(source);
    const news = new Map<Tag, Sighting>();
    const all = new Set([...tags, ...manifests.keys()]);
    for (const tag of all) {
      if (isSignatureTag(tag)) continue;
      const listed = manifests.get(tag);
      const before = mirrored(tag);
      const known = watch.sightings.get(tag);
      if (listed === undefined) {
        // Whether it moved is known only when its digest is requested.
        const isOld = known !== undefined && this.#isOld(known.seen, minimumAge);
        if (!isOld && before === undefined) young.add(tag);
        continue;
      }
      const { digest, uploaded } = listed;
      const seen = firstSeen(
        { digest, uploaded, sighting: known, mirrored: before, isWatched: watch.isWatched },
        this.#now,
      );
      if (known?.digest !== digest) news.set(tag, { digest, seen });
      if (before !== digest && !this.#isOld(seen, minimumAge)) young.add(tag);
    }
    const isWhole = isCut !== true && isCircular !== true;
    const gone = isWhole ? [...watch.sightings.keys()].filter((tag) => !all.has(tag)) : [];
    for (const tag of gone) watch.sightings.delete(tag);
    // A malicious source must not fill the state. What is not kept is young until it is seen again.
    const room = Math.max(0, MOST_KEPT - watch.sightings.size);
    const isKnown = (tag: Tag): boolean => watch.sightings.has(tag);
    const fresh = [...news.keys()].filter((tag) => !isKnown(tag)).slice(room);
    for (const tag of fresh) news.delete(tag);
    this.#keep(source, watch, news, gone);
    return young;
  }

  /**
   * Records that the tag of an image has a digest now. Returns the reason not to copy the image if the tag has not had
   * the digest for long enough.
   */
  judge(
    { source: { registry, repository, tag }, sourceDigest, uploaded, recorded, minimumAge }: AgingImage,
    digest: Digest,
  ): TooYoung | undefined {
    if (minimumAge === 0 || isSignatureTag(tag)) return undefined;
    const source = { host: registry.host, repository };
    const watch = this.#watch(source);
    const sighting = watch.sightings.get(tag);
    const mirrored = recorded?.sourceDigest;
    const listed = digest === sourceDigest ? uploaded : undefined;
    const { isWatched } = watch;
    const seen = firstSeen({ digest, uploaded: listed, sighting, mirrored, isWatched }, this.#now);
    if (sighting?.digest !== digest) this.#keep(source, watch, new Map([[tag, { digest, seen }]]));
    if (mirrored === digest || this.#isOld(seen, minimumAge)) return undefined;
    return new TooYoung(registry.nameOf(repository, tag), new Date(seen.getTime() + minimumAge));
  }

  /** Records that a tag has a digest now, without judging it. */
  sight({ tag, ...source }: RepositoryAddress & { readonly tag: Tag }, digest: Digest): void {
    const watch = this.#watch(source);
    if (watch.sightings.get(tag)?.digest === digest) return;
    this.#keep(source, watch, new Map([[tag, { digest, seen: this.#now }]]));
  }

  #isOld(seen: Date, minimumAge: Duration): boolean {
    return seen.getTime() + minimumAge <= this.#now.getTime();
  }

  #watch(source: RepositoryAddress): Watch {
    const key = `${source.host}/${source.repository}`;
    const known = this.#watches.get(key);
    if (known !== undefined) return known;
    const sightings = new Map(this.#log.sightings(source));
    const watch = { isWatched: sightings.size > 0, sightings };
    this.#watches.set(key, watch);
    return watch;
  }

  #keep(
    { host, repository }: RepositoryAddress,
    watch: Watch,
    news: ReadonlyMap<Tag, Sighting>,
    gone: readonly Tag[] = [],
  ): void {
    if (news.size + gone.length === 0) return;
    for (const [tag, sighting] of news) watch.sightings.set(tag, sighting);
    this.#log.sight({ host, repository }, news, gone);
  }
}
