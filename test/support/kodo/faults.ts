/** What a request to Kodo asks for. */
export type Operation =
  | 'form'
  | 'init'
  | 'part'
  | 'list-parts'
  | 'complete'
  | 'abort'
  | 'stat'
  | 'list'
  | 'delete'
  | 'download'
  | 'query'
  | 'domains'
  | 'unknown';

/** One request as it was answered. */
export interface JournalEntry {
  readonly operation: Operation;
  readonly key: string | undefined;
  readonly part: number | undefined;
  readonly uploadId: string | undefined;
  /** Bytes of the body that arrived. */
  bytes: number;
  /** The status answered; 0 where the connection was cut or nobody answered. */
  status: number;
  readonly port: number | undefined;
}

/** A trouble that befalls requests. */
export interface Fault {
  readonly operation: Operation;
  /** Only this part; every one when left out. */
  readonly part?: number;
  /** How many requests it befalls; one when left out. */
  times?: number;
  /** Answer with this status and error instead of doing the work. */
  readonly answer?: {
    readonly status: number;
    readonly error?: string;
    readonly headers?: Record<string, string>;
  };
  /** Cut the connection after that many bytes of the body. */
  readonly cutAfter?: number;
  /** Do the work, then cut the connection without an answer. */
  readonly loseAnswer?: boolean;
  /** Take the body and never answer. */
  readonly silent?: boolean;
  /** Do the work and answer null, as programs in Go write an empty list. */
  readonly isNull?: boolean;
  /** Answer correctly, but with another etag, which is named a hash after the last part. */
  readonly wrongEtag?: boolean;
}

/** The troubles that wait for their requests. */
export class Faults {
  readonly #waiting: Fault[] = [];

  add(fault: Fault): void {
    this.#waiting.push({ ...fault });
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  /** Returns the trouble for a request, if there is one, and counts it. */
  take(operation: Operation, part: number | undefined): Fault | undefined {
    const index = this.#waiting.findIndex(
      (fault) => fault.operation === operation && (fault.part === undefined || fault.part === part),
    );
    const fault = this.#waiting[index];
    if (fault === undefined) return undefined;
    const left = (fault.times ?? 1) - 1;
    if (left <= 0) this.#waiting.splice(index, 1);
    else fault.times = left;
    return fault;
  }
}
