import { failureCode } from '../lib/failure.ts';
import { HttpFailure, isAnswerFailure } from '../lib/http/http-failure.ts';

export type RegistryFailureCode =
  | 'NOT_FOUND'
  | 'LIST_INCOMPLETE'
  | 'DENIED'
  | 'UNAUTHORIZED'
  | 'RATE_LIMITED'
  | 'DIGEST_MISMATCH'
  | 'SIZE_MISMATCH'
  | 'CONTENT_UNKNOWN'
  | 'FORMAT_REFUSED'
  | 'MANIFEST_REFUSED'
  | 'TAG_IMMUTABLE'
  | 'REDIRECT_REFUSED'
  | 'REGISTRY_REFUSED'
  | 'REGISTRY_BROKEN';

/** A refusal of a registry, or an answer of it that cannot be used. */
export type RegistryFailure = HttpFailure<RegistryFailureCode>;

/** Returns whether a registry answered that something does not exist. */
export function isNotFound(error: unknown): boolean {
  return failureCode(error) === 'NOT_FOUND';
}

/** Returns whether a registry answered that its login is missing, wrong or not enough. */
export function isUnauthorized(error: unknown): boolean {
  return failureCode(error) === 'UNAUTHORIZED';
}

/** The `request` of a failure to log in. */
export const LOGIN_REQUEST = 'login';

/** Returns whether a registry refused our password itself, so it refuses every request with it. */
export function isLoginRefused(error: unknown): boolean {
  return isUnauthorized(error) && error instanceof HttpFailure && error.request === LOGIN_REQUEST;
}

/** Returns whether a registry refused something to our account that other accounts may be allowed. */
export function mayBeDeniedToUs(error: unknown): boolean {
  return isUnauthorized(error) || failureCode(error) === 'DENIED';
}

/**
 * Returns whether a registry refused a question, and would again. If the question was only to save work, its answer is
 * then unknown. A request for a pause is no such refusal, and neither is a broken answer.
 */
export function isRefusedQuestion(error: unknown): error is HttpFailure {
  const isFinal = isAnswerFailure(error) && !error.transient && error.code !== 'RATE_LIMITED';
  // A host that answers with another kind of status is no registry, and must not pass for one that only refuses.
  return isFinal && error.status !== undefined && error.status >= 400;
}

/** The status of a failure of the service, not of the question. */
const UNAVAILABLE = 503;

/**
 * Returns whether a registry failed at a question, in each attempt. Another form of it may succeed, unless the
 * registry is not available or asks for a pause.
 */
export function isFailedQuestion(error: unknown): boolean {
  if (!isAnswerFailure(error) || !error.transient || error.retryAt !== undefined) return false;
  const { status = 0, deferral } = error;
  return status >= 500 && status !== UNAVAILABLE && deferral === undefined;
}

/** Returns whether something does not exist or was denied. Some registries answer 403 for what does not exist. */
export function mayBeAbsent(error: unknown): boolean {
  return isNotFound(error) || failureCode(error) === 'DENIED';
}
