import { withoutSecrets } from './text/hidden-secrets.ts';

/**
 * Whose fault an error is: `usage` is a flag or a file that the user can correct, `world` a network, a service or a
 * disk, `program` a bug.
 */
export type Fault = 'usage' | 'world' | 'program';

/** What a `Failure` is made of. */
export interface FailureDetails<Code extends string> {
  /** A literal that programs and tests can switch on, such as `REFERENCE_MALFORMED`. */
  readonly code: Code;
  /** What happened, as one sentence without a full stop. */
  readonly message: string;
  /** What the failure is about: an image, a file with line and column, a host, a flag. */
  readonly about: string;
  /** What the user can change to prevent it. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** `world` by default. */
  readonly fault?: Fault | undefined;
  /** Whether the same operation could succeed if it is tried again; false by default. */
  readonly transient?: boolean | undefined;
  /** When the other side allows the next request, in milliseconds since 1970. */
  readonly retryAt?: number | undefined;
  /** What to report instead of another attempt, if the pause that the other side asked for is too long. */
  readonly deferral?: Failure | undefined;
}

/**
 * An error that a user can act on. It has a literal code, says what it is about, and how to prevent it. Its texts quote files,
 * flags and answers, so logins in their addresses are left out.
 */
export class Failure<Code extends string = string> extends Error {
  override readonly name: string = 'Failure';
  readonly code: Code;
  readonly about: string;
  readonly hint: string | undefined;
  readonly fault: Fault;
  readonly transient: boolean;
  readonly retryAt: number | undefined;
  readonly deferral: Failure | undefined;

  constructor(details: FailureDetails<Code>) {
    super(
      withoutSecrets(details.message),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = details.code;
    this.about = withoutSecrets(details.about);
    this.hint = details.hint === undefined ? undefined : withoutSecrets(details.hint);
    this.fault = details.fault ?? 'world';
    this.transient = details.transient ?? false;
    this.retryAt = details.retryAt;
    this.deferral = details.deferral;
  }
}

/** Returns the line that shows an error to the user: `about: message (hint)`. */
export function describeFailure(error: unknown): string {
  if (error instanceof Failure) {
    const hint = error.hint === undefined ? '' : ` (${error.hint})`;
    return `${error.about}: ${error.message}${hint}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** Returns the literal code of a `Failure` or of a Node system error; `UNEXPECTED` for any other error. */
export function failureCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'UNEXPECTED';
}

/**
 * Returns whose fault an error is. An error that is not a `Failure` is a bug: errors of the network and of files become
 * a `Failure` where they are first seen.
 */
export function faultOf(error: unknown): Fault {
  return error instanceof Failure ? error.fault : 'program';
}

/** Returns whether an error is a `Failure` after which the same operation could succeed if it is tried again. */
export function isTransient(error: unknown): boolean {
  return error instanceof Failure && error.transient;
}

/** Returns whether the other side asked for a pause that is too long to wait for. */
export function isDeferred(error: unknown): boolean {
  return error instanceof Failure && error.deferral !== undefined;
}
