import { Failure } from '../../lib/failure.ts';

/**
 * Returns whether a package may replace another one of its name: `-beta` packages always, others with `--overwrite`.
 */
export function mayReplace(name: string, overwrite: boolean): boolean {
  return overwrite || /-beta(?=[.-]|$)/.test(name);
}

/** Returns the failure for a name that is taken by other content and may not be replaced. */
export function alreadyPublished(
  about: string,
  message: string,
  hint = 'packer does not overwrite published packages: give the package a -beta name, or use --overwrite',
): Failure<'ALREADY_PUBLISHED'> {
  return new Failure({ code: 'ALREADY_PUBLISHED', about, message, hint });
}
