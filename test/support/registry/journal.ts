import type { IncomingHttpHeaders } from 'node:http';
import type { RequestKind } from './route.ts';

/** Which listener a request reached: the registry itself, where it sends blobs, or what stands behind it. */
export type Listener = 'registry' | 'storage' | 'backend';

/** One request that a test registry saw. */
export interface JournalEntry {
  readonly listener: Listener;
  readonly connection: number;
  readonly kind: RequestKind;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly repository: string;
  /** Tag, digest or upload; empty where there is none. */
  readonly reference: string;
  /** 0 while there is no answer. */
  status: number;
  bytesIn: number;
  bytesOut: number;
  state: 'open' | 'answered' | 'broken';
}

/** Chooses requests: all given parts must agree. */
export interface RequestMatch {
  readonly kind?: RequestKind | readonly RequestKind[];
  readonly path?: RegExp;
  readonly listener?: Listener;
  readonly when?: (entry: JournalEntry) => boolean;
}

/** Returns whether a request is one of those a match chooses. */
export function matches(match: RequestMatch, entry: JournalEntry): boolean {
  const kinds = match.kind === undefined ? undefined : [match.kind].flat();
  return (
    (kinds === undefined || kinds.includes(entry.kind)) &&
    (match.path === undefined || match.path.test(entry.path)) &&
    (match.listener === undefined || match.listener === entry.listener) &&
    (match.when === undefined || match.when(entry))
  );
}

interface Waiter {
  readonly match: RequestMatch;
  readonly resolve: (entry: JournalEntry) => void;
}

/** Every request of a test registry, in the order of their arrival. */
export class Journal {
  readonly entries: JournalEntry[] = [];
  readonly #open = new Map<RequestKind, number>();
  readonly #peaks = new Map<RequestKind, number>();
  readonly #waiters = new Set<Waiter>();

  /** Returns the requests that a match chooses. */
  filter(match: RequestMatch): JournalEntry[] {
    return this.entries.filter((entry) => matches(match, entry));
  }

  /** Counts requests by kind, or by anything a match can choose. */
  count(match: RequestKind | RequestMatch = {}): number {
    return this.filter(typeof match === 'string' ? { kind: match } : match).length;
  }

  /** Counts all requests by kind, without kinds that did not occur. */
  tally(match: RequestMatch = {}): Partial<Record<RequestKind, number>> {
    const counts: Partial<Record<RequestKind, number>> = {};
    for (const { kind } of this.filter(match)) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  /** Counts the connections that carried at least one request. */
  connections(): number {
    return new Set(this.entries.map(({ listener, connection }) => `${listener} ${connection}`)).size;
  }

  /** Returns how many requests of a kind were under way at the same time at most. */
  peak(kind: RequestKind): number {
    return this.#peaks.get(kind) ?? 0;
  }

  /** Sums the bytes of bodies that came in and went out. */
  bytes(match: RequestMatch = {}): { in: number; out: number } {
    const sum = { in: 0, out: 0 };
    for (const entry of this.filter(match)) {
      sum.in += entry.bytesIn;
      sum.out += entry.bytesOut;
    }
    return sum;
  }

  /** Waits for the next request that a match chooses; requests of the past do not count. */
  next(match: RequestMatch): Promise<JournalEntry> {
    return new Promise((resolve) => this.#waiters.add({ match, resolve }));
  }

  /** Forgets the past, so that a second run is counted by itself. */
  clear(): void {
    this.entries.length = 0;
    this.#peaks.clear();
  }

  begin(entry: JournalEntry): void {
    this.entries.push(entry);
    const open = (this.#open.get(entry.kind) ?? 0) + 1;
    this.#open.set(entry.kind, open);
    this.#peaks.set(entry.kind, Math.max(open, this.peak(entry.kind)));
    for (const waiter of this.#waiters) {
      if (!matches(waiter.match, entry)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(entry);
    }
  }

  end(entry: JournalEntry, state: 'answered' | 'broken'): void {
    entry.state = state;
    this.#open.set(entry.kind, (this.#open.get(entry.kind) ?? 1) - 1);
  }
}
