import { failureCode } from '../lib/failure.ts';
import type { HttpFailure } from '../lib/http/http-failure.ts';

export type RegistryFailureCode =
  | 'NOT_FOUND'
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

/** What a registry answered where something else was needed. */
export type RegistryFailure = HttpFailure<RegistryFailureCode>;

/** Returns whether an error is the registry's word that something does not exist. */
export function isNotFound(error: unknown): boolean {
  return failureCode(error) === 'NOT_FOUND';
}

/** The same, or a denial: some registries say 403 for what does not exist. */
export function mayBeAbsent(error: unknown): boolean {
  return isNotFound(error) || failureCode(error) === 'DENIED';
}
