import { type Placed, pushBlob } from '../../registry/blob-push.ts';
import type { BlobSource } from '../../registry/blob-source.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Descriptor } from '../../registry/oci/manifest.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { type Interest, Placement } from './placement.ts';

/** A blob that has to be in a repository before a manifest can be pushed there. */
export interface BlobWant extends Interest {
  readonly descriptor: Descriptor;
  readonly repository: Repository;
  readonly source: BlobSource;
}

/** What the board is told about the destination. */
export interface Destination {
  readonly registry: Registry;
  /** Whether a repository was found not to exist when the run began. */
  readonly wasAbsent: (repository: Repository) => boolean;
  /** Repositories that earlier runs believed to hold a blob, the most recently used first. */
  readonly believedHolders: (digest: Digest) => readonly Repository[];
  readonly onBytes: (count: number) => void;
  /** Told as soon as a blob's bytes have arrived in a repository. */
  readonly onUploaded: (repository: Repository, digest: Digest) => void;
}

interface BoardEntry {
  readonly sources: BlobSource[];
  /** Proved by an answer of this run. */
  readonly holders: Set<Repository>;
  readonly placements: Map<Repository, Placement>;
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
  async place(want: BlobWant): Promise<Placed> {
    const { descriptor, repository, source, signal } = want;
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
      fetching: undefined,
      isDoubted: false,
    };
    this.#entries.set(digest, entry);
    return entry;
  }

  async #bring(
    entry: BoardEntry,
    descriptor: Descriptor,
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
    const holder = this.#holderFor(entry, descriptor.digest, repository);
    const isFetching = !entry.holders.has(holder ?? repository);
    if (isFetching) entry.fetching = placement;
    try {
      const placed = await pushBlob({
        registry: this.#destination.registry,
        repository,
        descriptor,
        sources: () => entry.sources,
        mountFrom: entry.isDoubted ? undefined : holder,
        isAbsent: this.#destination.wasAbsent(repository),
        isDoubted: entry.isDoubted,
        signal: placement.signal,
        onActive: placement.setActive,
        onBytes: this.#destination.onBytes,
      });
      entry.holders.add(repository);
      const proved = this.#proved.get(repository) ?? new Set();
      this.#proved.set(repository, proved.add(descriptor.digest));
      if (placed === 'uploaded') this.#destination.onUploaded(repository, descriptor.digest);
      return placed;
    } finally {
      if (entry.fetching === placement) entry.fetching = undefined;
    }
  }

  #holderFor(entry: BoardEntry, digest: Digest, repository: Repository): Repository | undefined {
    const [proved] = entry.holders;
    if (proved !== undefined) return proved;
    const { registry } = this.#destination;
    const origin = entry.sources.find((source) => source.origin?.registry === registry)?.origin;
    if (origin !== undefined && origin.repository !== repository) return origin.repository;
    return this.#destination.believedHolders(digest).find((believed) => believed !== repository);
  }
}
