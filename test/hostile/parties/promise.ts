import { readFileSync } from 'node:fs';

/** A sentence of the documents that says what somebody cannot do, or that nothing stops them. */
export interface Promised {
  readonly page: 'security.md' | 'signatures.md' | 'pack.md' | 'how-sync-decides.md' | 'state.md';
  readonly says: string;
}

/** Of a redirect, and of what else names an address. */
export const NOT_INWARD: Promised = {
  page: 'security.md',
  says: 'the same, from HTTPS down to plain HTTP, to this machine, or to an internal service of a cloud, in any spelling | nothing: `REDIRECT_REFUSED`',
};

/** Returns the sentences that do not stand in their pages, however their lines are broken. */
export function brokenPromises(promises: readonly Promised[]): readonly Promised[] {
  return promises.filter(({ page, says }) => {
    const text = readFileSync(`docs/${page}`, 'utf8').replaceAll(/\s+/g, ' ');
    return !text.includes(says.replaceAll(/\s+/g, ' '));
  });
}
