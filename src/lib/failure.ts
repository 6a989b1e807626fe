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
}

/** An error that a user can act on: it has a literal code, names its subject and says what to change. */
export class Failure<Code extends string = string> extends Error {
  override readonly name: string = 'Failure';
  readonly code: Code;
  readonly about: string;
  readonly hint: string | undefined;

  constructor(details: FailureDetails<Code>) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.about = details.about;
    this.hint = details.hint;
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
