import { milliseconds, seconds } from '../../src/lib/duration.ts';
import type { HttpTimeouts } from '../../src/lib/http/request-clock.ts';
import { endlessRedirect, type Fault, htmlError, rateLimited } from '../support/registry/faults.ts';

/** What of a request can go wrong. */
export interface Traits {
  /** Whether its answers have bodies that are read, whether it sends one, whether it may be redirected. */
  readonly answers: boolean;
  readonly sends: boolean;
  readonly follows: boolean;
}

/** One way to go wrong, and whether a step can go wrong that way. */
export interface Cause {
  readonly name: string;
  readonly fault: Fault;
  /** Whether the same request may well succeed a moment later. */
  readonly passes: boolean;
  /** Whether it shows only when patience is at its end. */
  readonly waits?: true;
  readonly suits?: (step: Traits) => boolean;
}

/** More than any answer may have. */
const HUGE = 140_000_000;
/** More than answers to packing and publishing may have. */
const LARGE = 40_000_000;

const isRead = ({ answers }: Traits): boolean => answers;
const isGet = ({ follows }: Traits): boolean => follows;
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
  { name: 'answer lost', fault: { kind: 'lost-answer' }, passes: true },
  { name: 'never answers', fault: { kind: 'silence' }, passes: true, waits: true },
  {
    name: 'silent within the answer',
    fault: { kind: 'silence', afterBytes: 20 },
    passes: true,
    waits: true,
    suits: isRead,
  },
  {
    name: 'a trickle',
    fault: { kind: 'trickle', bytesPerSecond: 40 },
    passes: true,
    waits: true,
    suits: isRead,
  },
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
  {
    name: 'too long',
    fault: { kind: 'wrong-length', difference: 7 },
    passes: true,
    waits: true,
    suits: isRead,
  },
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
  { name: 'huge JSON', fault: { kind: 'huge-json', bytes: HUGE }, passes: false, suits: isRead },
  { name: 'endless redirects', fault: endlessRedirect(), passes: false, suits: isGet },
  {
    name: 'redirect to a closed port',
    fault: { kind: 'redirect', location: 'https://127.0.0.1:9/' },
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

/** The causes for packing and publishing, which read no long lists, and may be led to someone else. */
export const PACKING_CAUSES: readonly Cause[] = [
  ...CAUSES.map(
    (cause): Cause =>
      cause.fault.kind === 'huge-json' ? { ...cause, fault: { kind: 'huge-json', bytes: LARGE } } : cause,
  ),
  { name: 'redirect to another host', fault: { kind: 'redirect', location: '' }, passes: false },
  { name: '429 until in an hour', fault: rateLimited(3600), passes: false },
];

/** Returns the fault of a cause, led to where a test wants it. */
export function faultOf({ name, fault }: Cause, stranger: string): Fault {
  if (name !== 'redirect to another host') return fault;
  return { kind: 'redirect', location: ({ pathname }) => `${stranger}${pathname}` };
}

/** How long a run waits, and how often it tries. */
export interface Patience {
  readonly timeouts: HttpTimeouts;
  readonly attempts: number;
}

const LASTING: HttpTimeouts = { connect: seconds(60), firstByte: seconds(60), idle: seconds(60) };
const SHORT: HttpTimeouts = { connect: seconds(10), firstByte: milliseconds(2000), idle: milliseconds(1500) };

/** Patience that lasts on a slow machine too. */
export const PATIENT: Patience = { timeouts: LASTING, attempts: 3 };

/**
 * Returns patience that is at its end soon where a cause needs that. What goes wrong once has attempts to spare, as on a
 * slow machine a good answer may come too late for it.
 */
export function patienceFor({ waits }: Cause, isForEver: boolean): Patience {
  return { timeouts: waits === true ? SHORT : LASTING, attempts: isForEver ? 3 : 6 };
}

/** Returns the cause of a name, by which tests are called. */
export function causeOf(name: string, causes: readonly Cause[] = CAUSES): Cause {
  const found = causes.find((cause) => cause.name === name);
  if (found === undefined) throw new Error(`there is no cause "${name}"`);
  return found;
}
