/** Returns whether a package is a trial, whose name a newer one may take. */
export function isBetaName(name: string): boolean {
  return /-beta(?=[.-]|$)/.test(name);
}

/** Returns whether a published package of this name may be replaced by another one. */
export function mayReplace(name: string, overwrite: boolean): boolean {
  return overwrite || isBetaName(name);
}
