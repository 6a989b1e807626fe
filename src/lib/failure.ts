/**
 * Whose fault something is: the user's, who can correct a flag or a file that was named; the world's, such as a network,
 * a service or a disk; or this program's.
 */
export type Fault = 'usage' | 'world' | 'program';

/** What a `Failure` is made of. */
export interface FailureDetails<Code extends string> {
  /** A literal that programs and tests can switch on, such as `REFERENCE_MALFORMED`. */
  readonly code: Code;
  /** What happened, as one sentence without a full stop. */
  readonly message: string;
  /** The thing it happened to: an image, a file with line and column, a host, a flag. */
  readonly about: string;
  /** What the user can change so that it does not happen again. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** Whose fault it is; the world's unless said otherwise. */
  readonly fault?: Fault | undefined;
  /** Whether the same thing, tried again, could succeed; false unless said otherwise. */
  readonly transient?: boolean | undefined;
  /** Until when the other side asked to be left alone, in milliseconds since 1970. */
  readonly retryAt?: number | undefined;
}

/** An error that a user can act on: it has a literal code, names its subject and says what to change. */
export class Failure<Code extends string = string> extends Error {
  override readonly name: string = 'Failure';
  readonly code: Code;
  readonly about: string;
  readonly hint: string | undefined;
  readonly fault: Fault;
  readonly transient: boolean;
  readonly retryAt: number | undefined;

  constructor(details: FailureDetails<Code>) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.about = details.about;
    this.hint = details.hint;
    this.fault = details.fault ?? 'world';
    this.transient = details.transient ?? false;
    this.retryAt = details.retryAt;
  }
}

/** Returns the one line by which an error is shown everywhere: `about: message (hint)`. */
export function describeFailure(error: unknown): string {
  if (error instanceof Failure) {
    const hint = error.hint === undefined ? '' : ` (${error.hint})`;
    return `${error.about}: ${error.message}${hint}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** Returns the literal code of an error: a `Failure`'s or a Node system error's; `UNEXPECTED` for the rest. */
export function failureCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'UNEXPECTED';
}

/**
 * Returns whose fault an error is. One that is no `Failure` is the program's: whatever can go wrong outside is turned into
 * a `Failure` where it is first seen, system errors of the network and of files included.
 */
export function faultOf(error: unknown): Fault {
  return error instanceof Failure ? error.fault : 'program';
}

/** Returns whether the same thing, tried again, could succeed. An error that is no `Failure` is not repeated. */
export function isTransient(error: unknown): boolean {
  return error instanceof Failure && error.transient;
}
