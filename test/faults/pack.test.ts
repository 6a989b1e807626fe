import { describe, expect, it, vi } from 'vitest';
import { describeFailure, Failure } from '../../src/lib/failure.ts';
import type { FaultHandle, FaultRule } from '../support/registry/faults.ts';
import type { JournalEntry, RequestMatch } from '../support/registry/journal.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { type Cause, causeOf, faultOf, PACKING_CAUSES, PATIENT, patienceFor, type Traits } from './causes.ts';
import { PACKAGE, type PackCellWorld, packCellWorld, SECRET } from './pack-cell-world.ts';

/** One kind of request of packing. */
interface PackStep extends Traits {
  readonly name: string;
  readonly side: 'mirror' | 'maker' | 'web';
  readonly match: RequestMatch;
  /** Whether a package comes about without an answer. */
  readonly isSpare?: true;
  readonly redirects?: true;
}

const read = { answers: true, sends: false, follows: true };
const token = { answers: true, sends: false, follows: false };
const bare = { answers: false, sends: false, follows: true };

function asked(method: string, path: RegExp): RequestMatch {
  return { path, when: (entry) => entry.method === method };
}

const STEPS: readonly PackStep[] = [
  { name: 'token', side: 'mirror', match: { kind: 'token' }, ...token },
  { name: 'manifest', side: 'mirror', match: { kind: 'manifest-get' }, ...read },
  { name: 'blob', side: 'mirror', match: { kind: 'blob-get' }, ...bare },
  { name: 'redirect target', side: 'mirror', match: { kind: 'storage-get' }, ...read },
  { name: "maker's ping", side: 'maker', match: { kind: 'ping' }, ...bare, isSpare: true },
  { name: "maker's manifest", side: 'maker', match: { kind: 'manifest-get' }, ...read, isSpare: true },
  { name: 'component size', side: 'web', match: asked('HEAD', /^\/kubelet$/), ...bare, isSpare: true },
  { name: 'component', side: 'web', match: asked('GET', /^\/kubelet$/), ...read },
  { name: 'checksum file', side: 'web', match: { path: /\.sha256$/ }, ...read },
  {
    name: "component's redirect target",
    side: 'web',
    match: asked('GET', /^\/store/),
    ...read,
    redirects: true,
  },
];

/** What could not be packed is told with the place and a reason that a person can read. */
function expectNamed(error: unknown): void {
  expect(error).toBeInstanceOf(Failure);
  const text = describeFailure(error);
  expect(text).toMatch(/127\.0\.0\.1|kubelet|kube-proxy/);
  expect(text).toMatch(/^[^\n]+: \S+ \S+/);
}

function expectKept(here: PackCellWorld, told: string, strangers: readonly JournalEntry[]): void {
  expect(told).not.toContain(SECRET);
  const others = [...strangers, ...here.maker.journal.entries, ...here.web.journal.entries];
  for (const { headers } of others) expect(headers.authorization).toBeUndefined();
}

/** What a second run asks for is what the first one did not bring, and of a beginning only the rest. */
function expectOnlyMissing(here: PackCellWorld, before: ReturnType<PackCellWorld['fetched']>): void {
  expect(here.asked().filter((name) => before.whole.includes(name))).toEqual([]);
  const blobs = here.mirror.journal.filter({ kind: 'storage-get' });
  for (const part of before.parts) {
    // Of a beginning that turns out to be wrong, the whole is asked for afterwards.
    const asked = blobs.find(({ reference }) => reference.endsWith(part));
    if (asked !== undefined) expect(asked.headers.range).toMatch(/^bytes=/);
  }
}

async function tryCell(step: PackStep, cause: Cause, isForEver: boolean): Promise<void> {
  await using here = await packCellWorld(step.redirects);
  await using stranger = await startRegistry();
  const rule: FaultRule = {
    match: step.match,
    times: isForEver ? Number.POSITIVE_INFINITY : 1,
    fault: faultOf(cause, stranger.url),
  };
  const broken: FaultHandle = here[step.side].fail(rule);
  const first = await here.pack(patienceFor(cause, isForEver && step.isSpare !== true));
  expect(broken.hits).toBeGreaterThan(0);
  broken.stop();
  expectKept(here, `${first.told}\n${describeFailure(first.error)}`, stranger.journal.entries);
  if (step.isSpare || (cause.passes && !isForEver)) expect(first.error).toBeUndefined();
  if (first.error === undefined) {
    expect(here.left()).toEqual([PACKAGE]);
    expect(await here.faults()).toEqual([]);
    return;
  }
  expectNamed(first.error);
  expect(here.left()).toEqual([]);
  const before = here.fetched();
  here.mirror.journal.clear();
  here.web.journal.clear();
  const second = await here.pack(PATIENT);
  expect(second.error).toBeUndefined();
  expect(here.left()).toEqual([PACKAGE]);
  expect(await here.faults()).toEqual([]);
  expectOnlyMissing(here, before);
}

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 30 });

describe.concurrent.each(STEPS)('at the $name', (step) => {
  const causes = PACKING_CAUSES.filter(({ suits }) => suits?.(step) ?? true);
  // Once tells something where it makes a difference, and that it is done without where there is no answer at all.
  const passing = causes.filter(({ passes }) => passes && step.isSpare !== true);
  it.each(passing)('$name, once', ({ name }) => tryCell(step, causeOf(name, causes), false));
  it.each(causes)('$name, for ever', ({ name }) => tryCell(step, causeOf(name, causes), true));
});
