import { setTimeout as delay } from 'node:timers/promises';

/**
 * Names of the calls that can be disturbed: the Twirp methods, the lookup of the old cache, and the two things done
 * with a blob.
 */
export type Call =
  | 'CreateCacheEntry'
  | 'FinalizeCacheEntryUpload'
  | 'GetCacheEntryDownloadURL'
  | 'CreateArtifact'
  | 'FinalizeArtifact'
  | 'ListArtifacts'
  | 'GetSignedArtifactURL'
  | 'DeleteArtifact'
  | 'artifactcache'
  | 'upload'
  | 'download';

/** Something that goes wrong with a call. */
export interface Fault {
  readonly call: Call;
  /** How many calls it hits; all of them when left out. */
  readonly times?: number;
  /** The status answered instead of doing the call. */
  readonly status?: number;
  /** Milliseconds before the answer. */
  readonly delay?: number;
  /** The blob that is read has half of its bytes flipped. */
  readonly damage?: boolean;
  /** Where the answer leads instead. */
  readonly location?: string;
  /** The connection is cut instead of answering. */
  readonly cut?: boolean;
}

/** The faults waiting to happen, in the order in which they were asked for. */
export class Faults {
  #waiting: { fault: Fault; left: number }[] = [];
  readonly #closing = new AbortController();

  add(fault: Fault): void {
    this.#waiting.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Returns the fault that hits this call, if one does, and counts it; its delay is over when this resolves. */
  async strike(call: Call): Promise<Fault | undefined> {
    const hit = this.#waiting.find(({ fault, left }) => fault.call === call && left > 0);
    if (hit === undefined) return undefined;
    hit.left -= 1;
    if (hit.fault.delay !== undefined) {
      await delay(hit.fault.delay, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
    return hit.fault;
  }

  /** Ends all delays at once, so that a closing service waits for no one. */
  close(): void {
    this.#closing.abort();
  }
}
