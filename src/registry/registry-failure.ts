import { failureCode } from '../lib/failure.ts';
import type { HttpFailure } from '../lib/http/http-failure.ts';

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

/** Returns whether something does not exist or was denied. Some registries answer 403 for what does not exist. */
export function mayBeAbsent(error: unknown): boolean {
  return isNotFound(error) || failureCode(error) === 'DENIED';
}
