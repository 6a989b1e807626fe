import type { Digest } from '../oci/digest.ts';
import type { Repository } from '../oci/reference.ts';
import type { Registry } from '../registry.ts';
import { type BlobPush, type Placed, pushBlob } from './blob-push.ts';
import type { BlobSource } from './blob-source.ts';

/** A blob that an image needs in a repository before its manifest can be pushed there. */
type WantedBlob = Pick<BlobPush, 'repository' | 'descriptor'> & Interest;

/** An image that waits for a blob. Its callbacks learn of bytes that move. */
type Interest = Pick<BlobPush, 'signal' | 'onActive'> & Partial<Pick<BlobPush, 'onBytes'>>;

/** What the board needs to know about the destination. */
interface Destination {
  readonly registry: Registry;
  /** Returns whether a repository did not exist when the run began. */
  readonly wasAbsent: (repository: Repository) => boolean;
  /** Returns repositories that have a blob according to earlier runs, the most recently used first. */
  readonly believedHolders: (digest: Digest) => readonly Repository[];
  readonly onBytes: (count: number) => void;
  /** Called as soon as a blob was uploaded to a repository. */
  readonly onUploaded: (repository: Repository, digest: Digest) => void;
  /** Called when a repository does not have a blob that it should have. */
  readonly onMissing: (repository: Repository, digest: Digest) => void;
}

interface BoardEntry {
  readonly sources: BlobSource[];
  /** Repositories that have it according to an answer in this run. */
  readonly holders: Set<Repository>;
  readonly placements: Map<Repository, Placement>;
  /** The repository from which it was mounted, by the one that it was mounted to. */
  readonly origins: Map<Repository, Repository>;
  /** The placement that transfers the bytes. All others wait for it and then mount. */
  fetching: Placement | undefined;
  /** Whether the registry contradicted itself about it, so that mounts of it are not trusted. */
  isDoubted: boolean;
}

/**
 * All blobs of a run, and the repositories that have them. Each blob is transferred once, even if several images and
 * repositories need it: the first one starts the transfer, the others wait without a slot and then mount the blob.
 */
export class BlobBoard {
  readonly #destination: Destination;
  readonly #entries = new Map<Digest, BoardEntry>();
  readonly #proved = new Map<Repository, Set<Digest>>();
  readonly #underWay = new Set<Promise<void>>();
  /** The bytes of blobs that no repository has yet, as far as known. */
  readonly #pending = new Map<Digest, number>();

  constructor(destination: Destination) {
    this.#destination = destination;
  }

  /** How many bytes of the blobs that images have requested so far have not moved yet. */
  get pending(): number {
    return [...this.#pending.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /**
   * Brings a blob to a repository unless it is there. Returns how it came there; `present` for all callers but the
   * first. Throws the failure of the transfer, or the reason of the signal of `want`.
   */
  async place(want: WantedBlob, source: BlobSource): Promise<Placed> {
    const { descriptor, repository, signal } = want;
    // A placement is aborted when the last image leaves it, so it must not start without one.
    signal.throwIfAborted();
    const entry = this.#entryOf(descriptor.digest);
    if (entry.holders.has(repository)) return 'present';
    if (!entry.sources.some(({ about }) => about === source.about)) entry.sources.push(source);
    const underWay = entry.placements.get(repository);
    if (underWay !== undefined && !underWay.signal.aborted) {
      await underWay.join(want);
      return 'present';
    }
    const placement = new Placement();
    if (entry.holders.size === 0 && entry.placements.size === 0)
      this.#pending.set(descriptor.digest, descriptor.size);
    entry.placements.set(repository, placement);
    const ended = placement.start(async () => {
      try {
        return await this.#bring(entry, descriptor, repository, placement);
      } finally {
        if (entry.placements.get(repository) === placement) entry.placements.delete(repository);
        if (entry.holders.size > 0 || entry.placements.size === 0) this.#pending.delete(descriptor.digest);
      }
    });
    this.#underWay.add(ended);
    void ended.then(() => this.#underWay.delete(ended));
    return placement.join(want);
  }

  /** Resolves when all transfers have ended, also those that no image waits for any more and that are winding up. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Forgets that a repository has a blob, after the registry denied it. */
  doubt(digest: Digest, repository: Repository): void {
    const entry = this.#entryOf(digest);
    entry.holders.delete(repository);
    this.#proved.get(repository)?.delete(digest);
    entry.isDoubted = true;
    this.#destination.onMissing(repository, digest);
    const origin = entry.origins.get(repository);
    if (origin !== undefined && !entry.holders.has(origin)) this.#destination.onMissing(origin, digest);
  }

  /** Returns the blobs that a repository has according to answers in this run. */
  provedIn(repository: Repository): readonly Digest[] {
    return [...(this.#proved.get(repository) ?? [])];
  }

  #entryOf(digest: Digest): BoardEntry {
    const known = this.#entries.get(digest);
    if (known !== undefined) return known;
    const entry: BoardEntry = {
      sources: [],
      holders: new Set(),
      placements: new Map(),
      origins: new Map(),
      fetching: undefined,
      isDoubted: false,
    };
    this.#entries.set(digest, entry);
    return entry;
  }

  async #bring(
    entry: BoardEntry,
    descriptor: WantedBlob['descriptor'],
    repository: Repository,
    placement: Placement,
  ): Promise<Placed> {
    while (entry.fetching !== undefined) {
      try {
        await entry.fetching.join({
          signal: placement.signal,
          onActive: placement.setActive,
          onBytes: placement.move,
        });
      } catch {
        // That failure is for images that wait for the other repository. This one starts a transfer of its own.
        placement.signal.throwIfAborted();
      }
    }
    const { digest } = descriptor;
    const holder = this.#holderFor(entry, repository);
    const believed = holder === undefined ? this.#believedHolder(digest, repository) : undefined;
    const mountFrom = entry.isDoubted ? undefined : (holder ?? believed);
    const isFetching = !entry.holders.has(holder ?? repository);
    if (isFetching) entry.fetching = placement;
    try {
      const placed = await pushBlob({
        registry: this.#destination.registry,
        repository,
        descriptor,
        sources: () => entry.sources,
        mountFrom,
        isAbsent: this.#destination.wasAbsent(repository),
        isDoubted: entry.isDoubted,
        signal: placement.signal,
        onActive: placement.setActive,
        onBytes: (count) => {
          this.#destination.onBytes(count);
          const left = this.#pending.get(digest);
          if (left !== undefined) this.#pending.set(digest, Math.max(0, left - count));
          placement.move(count);
        },
      });
      entry.holders.add(repository);
      const proved = this.#proved.get(repository) ?? new Set();
      this.#proved.set(repository, proved.add(digest));
      if (placed === 'uploaded') this.#destination.onUploaded(repository, digest);
      if (placed === 'mounted' && mountFrom !== undefined) entry.origins.set(repository, mountFrom);
      // The believed holder did not have it, or cannot be mounted from. The next run tries another one.
      const isWrong = placed === 'uploaded' && mountFrom !== undefined && mountFrom === believed;
      if (isWrong) this.#destination.onMissing(believed, digest);
      return placed;
    } finally {
      if (entry.fetching === placement) entry.fetching = undefined;
    }
  }

  #holderFor(entry: BoardEntry, repository: Repository): Repository | undefined {
    const [proved] = entry.holders;
    if (proved !== undefined) return proved;
    const { registry } = this.#destination;
    const origin = entry.sources.find((source) => source.origin?.registry === registry)?.origin;
    return origin?.repository === repository ? undefined : origin?.repository;
  }

  #believedHolder(digest: Digest, repository: Repository): Repository | undefined {
    return this.#destination.believedHolders(digest).find((believed) => believed !== repository);
  }
}

/**
 * Brings one blob to one repository for all images that wait for it. It is aborted when the last of them does not wait
 * any more.
 */
class Placement {
  readonly #abandonment = new AbortController();
  readonly #interests = new Set<Interest>();
  #isActive = false;
  #isOver = false;
  #work: Promise<Placed> | undefined;

  /** Aborts when no image waits any more. */
  get signal(): AbortSignal {
    return this.#abandonment.signal;
  }

  /** Starts the work. To be called once. Resolves when it has ended. */
  start(work: () => Promise<Placed>): Promise<void> {
    this.#work = work();
    const end = (): void => {
      this.#isOver = true;
    };
    // The failure is thrown by `join`. Without a listener here it would end the process.
    return this.#work.then(end, end);
  }

  /** Reports to all waiting images whether the transfer holds its slots. */
  readonly setActive = (isActive: boolean): void => {
    this.#isActive = isActive;
    for (const interest of this.#interests) interest.onActive?.(isActive);
  };

  /** Reports to all waiting images that bytes moved. */
  readonly move = (count: number): void => {
    for (const interest of this.#interests) interest.onBytes?.(count);
  };

  /**
   * Waits for the end of the work and returns its result. Throws its failure, or the reason of the signal of
   * `interest`.
   */
  async join(interest: Interest): Promise<Placed> {
    const { signal, onActive } = interest;
    signal.throwIfAborted();
    const work = this.#work;
    if (work === undefined) throw new Error('a placement was joined before it started');
    this.#interests.add(interest);
    if (this.#isActive) onActive?.(true);
    const { promise, reject } = Promise.withResolvers<never>();
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([work, promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      this.#interests.delete(interest);
      if (this.#isActive) onActive?.(false);
      // Aborting work that is over would break a connection that is about to be reused.
      if (this.#interests.size === 0 && !this.#isOver) {
        this.#abandonment.abort(
          signal.aborted ? signal.reason : new Error('no image needs this blob any more'),
        );
      }
    }
  }
}
