import { Failure } from '../../lib/failure.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { isMalformed } from './answer-shape.ts';

const PASSING: ReadonlySet<string> = new Set(['THROTTLED', 'RATE_LIMITED', 'SERVICE_BROKEN']);

/** An answer of a service that packages go to which is not a success, in words that say what to change. */
export class ServiceRefusal<Code extends string = string> extends Failure<Code> {
  override readonly name: string = 'ServiceRefusal';
  readonly status: number;
  /** When the service asked to be left alone until, in milliseconds since 1970. */
  readonly retryAt: number | undefined;

  constructor(status: number, code: Code, about: string, message: string, hint?: string, retryAt?: number) {
    super({ code, about, message, hint });
    this.status = status;
    this.retryAt = retryAt;
  }

  /** Whether the same request could go well a moment later. */
  get transient(): boolean {
    return PASSING.has(this.code);
  }
}

/** Returns whether a request to a service could go well a moment later. */
export function isTransient(error: unknown): boolean {
  return (
    isMalformed(error) ||
    ((error instanceof HttpFailure || error instanceof ServiceRefusal) && error.transient)
  );
}

/** Returns when a service asked to be left alone until, in milliseconds since 1970. */
export function heldUntil(error: unknown): number | undefined {
  return error instanceof ServiceRefusal ? error.retryAt : undefined;
}
