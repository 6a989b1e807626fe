import { endlessRedirect, type Fault, htmlError, rateLimited } from '../support/registry/faults.ts';
import type { JournalEntry } from '../support/registry/journal.ts';
import type { RequestKind } from '../support/registry/route.ts';

/** One kind of request of a mirror, at one side of it. */
export interface Step {
  readonly name: string;
  readonly side: 'source' | 'destination';
  readonly kind: RequestKind | readonly RequestKind[];
  /** Whether its answers have bodies that are read, whether it sends one, whether it may be redirected. */
  readonly answers: boolean;
  readonly sends: boolean;
}

const read = { answers: true, sends: false };
const write = { answers: false, sends: false };

export const STEPS: readonly Step[] = [
  { name: 'token for the source', side: 'source', kind: 'token', ...read },
  { name: 'token for the destination', side: 'destination', kind: 'token', ...read },
  { name: 'tag list of the source', side: 'source', kind: 'tags-list', ...read },
  { name: 'tag list of the destination', side: 'destination', kind: 'tags-list', ...read },
  { name: 'manifest digest at the source', side: 'source', kind: 'manifest-head', ...write },
  { name: 'manifest digest at the destination', side: 'destination', kind: 'manifest-head', ...write },
  { name: 'manifest', side: 'source', kind: 'manifest-get', ...read },
  { name: 'blob', side: 'source', kind: 'blob-get', ...write },
  { name: 'redirect target', side: 'source', kind: 'storage-get', ...read },
  { name: 'mount', side: 'destination', kind: 'mount', ...write },
  { name: 'upload start', side: 'destination', kind: ['upload-start', 'mount'], ...write },
  { name: 'upload', side: 'destination', kind: 'upload-put', answers: false, sends: true },
  { name: 'manifest push', side: 'destination', kind: 'manifest-put', answers: false, sends: true },
];

/** One way to go wrong, and whether a step can go wrong that way. */
export interface Cause {
  readonly name: string;
  readonly fault: Fault;
  /** Whether the same request may well succeed a moment later. */
  readonly passes: boolean;
  readonly suits?: (step: Step) => boolean;
}

const isRead = ({ answers }: Step): boolean => answers;
const isGet = ({ kind }: Step): boolean =>
  ['tags-list', 'manifest-head', 'manifest-get', 'blob-get', 'storage-get'].includes(String(kind));
const status = (code: number): Cause['fault'] => ({ kind: 'status', status: code });
const failing = (code: number, passes: boolean): Cause => ({ name: `${code}`, fault: status(code), passes });

export const CAUSES: readonly Cause[] = [
  { name: 'reset before', fault: { kind: 'reset' }, passes: true },
  {
    name: 'reset during the request',
    fault: { kind: 'reset-request', afterBytes: 100 },
    passes: true,
    suits: ({ sends }) => sends,
  },
  { name: 'reset after', fault: { kind: 'reset-answer', afterBytes: 0 }, passes: true },
  {
    name: 'reset during the answer',
    fault: { kind: 'reset-answer', afterBytes: 20 },
    passes: true,
    suits: isRead,
  },
  { name: 'never answers', fault: { kind: 'silence' }, passes: true },
  {
    name: 'silent within the answer',
    fault: { kind: 'silence', afterBytes: 20 },
    passes: true,
    suits: isRead,
  },
  { name: 'a trickle', fault: { kind: 'trickle', bytesPerSecond: 40 }, passes: true, suits: isRead },
  failing(401, false),
  failing(403, false),
  failing(404, false),
  failing(408, true),
  failing(429, true),
  { name: '429 with Retry-After in seconds', fault: rateLimited(0), passes: true },
  { name: '429 with Retry-After as a date', fault: rateLimited(new Date(0)), passes: true },
  failing(500, true),
  failing(502, true),
  { name: '503 with Retry-After', fault: rateLimited(0, 503), passes: true },
  { name: '503 as HTML', fault: htmlError(503), passes: true },
  { name: 'too long', fault: { kind: 'wrong-length', difference: 7 }, passes: true, suits: isRead },
  { name: 'too short', fault: { kind: 'wrong-length', difference: -7 }, passes: true, suits: isRead },
  { name: 'cut off', fault: { kind: 'truncate', bytes: 30, declared: 'whole' }, passes: true, suits: isRead },
  {
    name: 'cut off with the length of the rest',
    fault: { kind: 'truncate', bytes: 30, declared: 'short' },
    passes: true,
    suits: isRead,
  },
  { name: 'other bytes', fault: { kind: 'wrong-bytes' }, passes: true, suits: isRead },
  { name: 'HTML instead of JSON', fault: htmlError(200), passes: true, suits: isRead },
  { name: 'huge JSON', fault: { kind: 'huge-json', bytes: 140_000_000 }, passes: false, suits: isRead },
  { name: 'endless redirects', fault: endlessRedirect(), passes: false, suits: isGet },
  {
    name: 'redirect to a closed port',
    fault: { kind: 'redirect', location: 'http://127.0.0.1:9/' },
    passes: true,
    suits: isGet,
  },
  {
    name: 'redirect to another scheme',
    fault: { kind: 'redirect', location: 'file:///etc/passwd' },
    passes: false,
    suits: isGet,
  },
];

/** Chooses the requests of a step that are about one repository, wherever its name stands. */
export function isAbout(repository: string): (entry: JournalEntry) => boolean {
  return (entry) =>
    entry.repository === repository ||
    entry.query.getAll('scope').some((scope) => scope.startsWith(`repository:${repository}:`));
}
