import { readFileSync } from 'node:fs';

/** A sentence of the documents that says what somebody cannot do, or that nothing stops them. */
export interface Promised {
  readonly page: 'security.md' | 'signatures.md' | 'pack.md' | 'how-sync-decides.md' | 'state.md';
  readonly says: string;
}

/** Returns the sentences that do not stand in their pages, however their lines are broken. */
export function brokenPromises(promises: readonly Promised[]): readonly Promised[] {
  return promises.filter(({ page, says }) => {
    const text = readFileSync(`docs/${page}`, 'utf8').replaceAll(/\s+/g, ' ');
    return !text.includes(says.replaceAll(/\s+/g, ' '));
  });
}
