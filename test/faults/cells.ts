import type { JournalEntry } from '../support/registry/journal.ts';
import type { RequestKind } from '../support/registry/route.ts';
import type { Traits } from './causes.ts';

/** One kind of request of a mirror, at one side of it. */
export interface Step extends Traits {
  readonly name: string;
  readonly side: 'source' | 'destination';
  readonly kind: RequestKind | readonly RequestKind[];
}

const token = { answers: true, sends: false, follows: false };
const read = { answers: true, sends: false, follows: true };
const blob = { answers: false, sends: false, follows: true };
const write = { answers: false, sends: false, follows: false };
const send = { answers: false, sends: true, follows: false };

export const STEPS: readonly Step[] = [
  { name: 'token for the source', side: 'source', kind: 'token', ...token },
  { name: 'token for the destination', side: 'destination', kind: 'token', ...token },
  { name: 'tag list of the source', side: 'source', kind: 'tags-list', ...read },
  { name: 'tag list of the destination', side: 'destination', kind: 'tags-list', ...read },
  { name: 'manifest digest at the source', side: 'source', kind: 'manifest-head', ...blob },
  { name: 'manifest digest at the destination', side: 'destination', kind: 'manifest-head', ...blob },
  { name: 'manifest', side: 'source', kind: 'manifest-get', ...read },
  { name: 'blob', side: 'source', kind: 'blob-get', ...blob },
  { name: 'redirect target', side: 'source', kind: 'storage-get', ...read },
  { name: 'mount', side: 'destination', kind: 'mount', ...write },
  { name: 'upload start', side: 'destination', kind: ['upload-start', 'mount'], ...write },
  { name: 'upload', side: 'destination', kind: 'upload-put', ...send },
  { name: 'manifest push', side: 'destination', kind: 'manifest-put', ...send },
];

/** Chooses the requests of a step that are about one repository, wherever its name stands. */
export function isAbout(repository: string): (entry: JournalEntry) => boolean {
  return (entry) =>
    entry.repository === repository ||
    entry.query.getAll('scope').some((scope) => scope.startsWith(`repository:${repository}:`));
}
