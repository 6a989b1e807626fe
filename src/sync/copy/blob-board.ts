import { type Placed, pushBlob } from '../../registry/blob-push.ts';
import type { BlobSource } from '../../registry/blob-source.ts';
import type { BlobPush } from '../../registry/blob-upload.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';

/** What an image says of a blob that has to be in a repository before its manifest can be pushed there. */
type WantedBlob = Pick<BlobPush, 'repository' | 'descriptor' | 'signal' | 'onActive'>;

/** An image that waits for a blob. */
type Interest = Pick<BlobPush, 'signal' | 'onActive'>;

/** What the board is told about the destination. */
interface Destination {
  readonly registry: Registry;
  /** Whether a repository was found not to exist when the run began. */
  readonly wasAbsent: (repository: Repository) => boolean;
  /** Repositories that earlier runs believed to hold a blob, the most recently used first. */
  readonly believedHolders: (digest: Digest) => readonly Repository[];
  readonly onBytes: (count: number) => void;
  /** Told as soon as a blob's bytes have arrived in a repository. */
  readonly onUploaded: (repository: Repository, digest: Digest) => void;
  /** Told when a repository does not hold a blob that it was believed to hold. */
  readonly onMissing: (repository: Repository, digest: Digest) => void;
}

interface BoardEntry {
  readonly sources: BlobSource[];
  /** Proved by an answer of this run. */
  readonly holders: Set<Repository>;
  readonly placements: Map<Repository, Placement>;
  /** From where each repository has it, where it was mounted. */
  readonly origins: Map<Repository, Repository>;
  /** The placement that fetches the bytes; all others wait for it and then mount. */
  fetching: Placement | undefined;
  /** Whether what was believed of it turned out wrong, so that it has to be asked for by name. */
  isDoubted: boolean;
}

/**
 * All blobs of a run and where they are. Each is fetched once, however many images and repositories want it: the
 * first to come owns the transfer, the others wait without a slot and then mount it.
 */
export class BlobBoard {
  readonly #destination: Destination;
  readonly #entries = new Map<Digest, BoardEntry>();
  readonly #proved = new Map<Repository, Set<Digest>>();

  constructor(destination: Destination) {
    this.#destination = destination;
  }

  /**
   * Brings a blob into a repository unless it is there, and returns how it came there: `present` to all but the first who
   * asks. Throws the failure of the transfer, or the reason of the asker's own signal.
   */
  async place(want: WantedBlob, source: BlobSource): Promise<Placed> {
    const { descriptor, repository, signal } = want;
    // A placement that nobody joins could not be abandoned either.
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
    entry.placements.set(repository, placement);
    placement.start(async () => {
      try {
        return await this.#bring(entry, descriptor, repository, placement);
      } finally {
        if (entry.placements.get(repository) === placement) entry.placements.delete(repository);
      }
    });
    return placement.join(want);
  }

  /** Forgets that a repository holds a blob, after the registry said otherwise. */
  doubt(digest: Digest, repository: Repository): void {
    const entry = this.#entryOf(digest);
    entry.holders.delete(repository);
    this.#proved.get(repository)?.delete(digest);
    entry.isDoubted = true;
    this.#destination.onMissing(repository, digest);
    const origin = entry.origins.get(repository);
    if (origin !== undefined && !entry.holders.has(origin)) this.#destination.onMissing(origin, digest);
  }

  /** Returns the blobs that a repository was proved to hold in this run. */
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
        await entry.fetching.join({ signal: placement.signal, onActive: placement.setActive });
      } catch {
        // That it failed there is for those who want it there; here it is tried on its own.
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
        onBytes: this.#destination.onBytes,
      });
      entry.holders.add(repository);
      const proved = this.#proved.get(repository) ?? new Set();
      this.#proved.set(repository, proved.add(digest));
      if (placed === 'uploaded') this.#destination.onUploaded(repository, digest);
      if (placed === 'mounted' && mountFrom !== undefined) entry.origins.set(repository, mountFrom);
      // What was believed is wrong, or of no use: another repository is to be asked the next time.
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
 * The one effort to bring a blob into a repository, shared by all who want it there. It is given up when the last
 * of them has lost interest.
 */
class Placement {
  readonly #abandonment = new AbortController();
  readonly #interests = new Set<Interest>();
  #isActive = false;
  #isOver = false;
  #work: Promise<Placed> | undefined;

  /** Aborted when nobody is interested any more. */
  get signal(): AbortSignal {
    return this.#abandonment.signal;
  }

  /** Begins the work, once. */
  start(work: () => Promise<Placed>): void {
    this.#work = work();
    const end = (): void => {
      this.#isOver = true;
    };
    // Each who joins sees the failure; without a joiner it is nobody's.
    this.#work.then(end, end);
  }

  /** Passes on to all who are interested whether slots are held. */
  readonly setActive = (isActive: boolean): void => {
    this.#isActive = isActive;
    for (const interest of this.#interests) interest.onActive?.(isActive);
  };

  /** Waits for the work's end as one more who wants it. Rejects with its failure, or the interest's own reason. */
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
      // Aborting what is over would break the connection that brought it, just as it becomes free.
      if (this.#interests.size === 0 && !this.#isOver) {
        this.#abandonment.abort(
          signal.aborted ? signal.reason : new Error('nobody wants this blob any more'),
        );
      }
    }
  }
}
