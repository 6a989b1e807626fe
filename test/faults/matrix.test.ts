import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import type { Report } from '../../src/sync/report/report.ts';
import { runSync } from '../../src/sync/run/run.ts';
import type { Access } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { Storage } from '../support/registry/storage.ts';
import { outcomes, SyncRoute } from '../support/sync-run.ts';
import { CAUSES, type Cause, causeOf, PATIENT, type Patience, patienceFor } from './causes.ts';
import { isAbout, STEPS, type Step } from './cells.ts';
import { brokenTags } from './wholeness.ts';

const LOGIN = { username: 'keel', password: 'a secret' };
const ACCESS: Access = { mode: 'bearer', users: { keel: 'a secret' } };
const SHARED = { layers: [3000, 500], layerSeeds: ['base'] };
const TARGETS = ['bad:v1', 'bad:v2', 'good:v1', 'other:v1'];
/** A run that does not end by itself fails for it. */
const LONGEST_TEST_MILLISECONDS = 180_000;

/** Three repositories, of which one gets into trouble: it has a tag that is there and one that is not. */
async function world() {
  const stack = new AsyncDisposableStack();
  const storage = new Storage();
  seedImage(storage, 'good', { seed: 'g', tags: ['v1'], ...SHARED });
  seedImage(storage, 'bad', { seed: 'b1', tags: ['v1'] });
  seedIndex(storage, 'bad', { seed: 'b2', tags: ['v2'], ...SHARED });
  seedIndex(storage, 'other', { seed: 'o', family: 'docker', tags: ['v1'] });
  const source = stack.use(
    await startRegistry({ storage, redirectBlobs: true, access: { ...ACCESS, anonymousPull: true } }),
  );
  const destination = stack.use(await startRegistry({ access: ACCESS }));
  seedImage(destination.storage, 'keel/bad', { seed: 'b1', tags: ['v1'] });
  const set = { names: ['good', 'bad', 'other'] };
  // Of cells that run side by side, vitest cannot tell which one asks for a folder that ends with it.
  const { path: folder } = stack.use(mkdtempDisposableSync(join(tmpdir(), 'keel-matrix-')));
  const route = new SyncRoute({ source, destination: { host: destination.host, login: LOGIN }, set, folder });
  const run = async ({ timeouts, attempts }: Patience) => {
    const settings = route.settings({ retry: { attempts, interval: milliseconds(1) } });
    const { report } = await runSync(settings, { ...route.parts(), timeouts });
    return report;
  };
  return { storage, source, destination, run, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function blobsOf({ repositories }: Storage): Set<string> {
  return new Set(
    [...repositories].flatMap(([name, { blobs }]) => [...blobs].map((blob) => `${name} ${blob}`)),
  );
}

/** What did not arrive is named with a reason that a person can read. */
function expectNamed({ images, totals }: Report, concernsOthers: boolean): void {
  const told = images.filter(({ outcome }) => outcome === 'failed' || outcome === 'deferred');
  expect(told).toHaveLength(totals.failed + totals.deferred);
  for (const { destination, reason } of told) {
    if (!concernsOthers) expect(destination).toContain('/keel/bad');
    expect(reason?.code).not.toBe('UNEXPECTED');
    expect(reason?.message).toMatch(/\w/);
  }
}

async function tryCell(step: Step, cause: Cause, isForEver: boolean): Promise<void> {
  await using here = await world();
  const { source, destination, storage } = here;
  const place = step.side === 'source' ? source : destination;
  const repository = step.side === 'source' ? 'bad' : 'keel/bad';
  const digests = new Set<string>(storage.repositories.get('bad')?.blobs);
  const isOurs = isAbout(repository);
  const isLoginRefused = step.name === 'token for the destination' && cause.name === '401';
  const rule = place.fail({
    match: {
      kind: step.kind,
      // What a redirect leads to knows no repository; layers that are shared would hit the others.
      when: (entry) => (entry.kind === 'storage-get' ? digests.has(entry.reference) : isOurs(entry)),
    },
    times: isForEver ? Number.POSITIVE_INFINITY : 1,
    fault: cause.fault,
  });
  const report = await here.run(patienceFor(cause, isForEver));
  expect(rule.hits).toBeGreaterThan(0);
  const ended = outcomes(report);
  // Layers are shared, and a login that is refused is not tried again: accounts get locked for that.
  const spares = {
    ...(step.kind === 'storage-get' || isLoginRefused ? {} : { 'good:v1': 'copied' }),
    ...(isLoginRefused ? {} : { 'other:v1': 'copied' }),
  };
  expect(ended).toMatchObject(spares);
  expect(brokenTags(destination.storage)).toEqual([]);
  if (!isForEver && cause.passes) {
    expect(ended).toEqual({
      'bad:v1': 'checked',
      'bad:v2': 'copied',
      'good:v1': 'copied',
      'other:v1': 'copied',
    });
  } else expectNamed(report, isLoginRefused || step.kind === 'storage-get');
  // Only what was opened in an answer that never came is not known, and so not given back.
  if (step.kind === 'upload-put') expect(destination.uploads.open).toBe(0);
  rule.stop();
  const before = blobsOf(destination.storage);
  destination.journal.clear();
  const second = await here.run(PATIENT);
  expect(Object.keys(outcomes(second))).toEqual(TARGETS);
  expect(second.totals).toMatchObject({ failed: 0, deferred: 0 });
  expect(brokenTags(destination.storage)).toEqual([]);
  for (const name of TARGETS) {
    const [path = '', tag = ''] = name.split(':');
    expect(destination.storage.manifest(`keel/${path}`, tag)?.digest).toBe(
      storage.manifest(path, tag)?.digest,
    );
  }
  const sent = destination.journal
    .filter({ kind: 'upload-put' })
    .map((entry) => `${entry.repository} ${entry.query.get('digest')}`);
  expect(sent.filter((blob) => before.has(blob))).toEqual([]);
}

const CELLS = STEPS.flatMap((step) =>
  CAUSES.filter(({ suits }) => suits?.(step) ?? true).map((cause) => ({ step, cause })),
);

// Most of the time of those that wait is nobody's.
vi.setConfig({ testTimeout: LONGEST_TEST_MILLISECONDS, maxConcurrency: 30 });

describe.concurrent.each(STEPS)('at the $name', (step) => {
  const causes = CELLS.filter((cell) => cell.step === step).map(({ cause }) => cause);
  it.each(causes)('$name, once', ({ name }) => tryCell(step, causeOf(name), false));
  it.each(causes)('$name, for ever', ({ name }) => tryCell(step, causeOf(name), true));
});
