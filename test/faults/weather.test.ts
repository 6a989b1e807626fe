import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { runSync } from '../../src/sync/run/run.ts';
import { type Fault, htmlError, rateLimited } from '../support/registry/faults.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { Storage } from '../support/registry/storage.ts';
import { outcomes, SyncRoute } from '../support/sync-run.ts';
import { randomFrom } from './random.ts';
import { brokenTags } from './wholeness.ts';

const SHORT = { connect: milliseconds(5000), firstByte: milliseconds(2000), idle: milliseconds(2000) };
const PASSING: readonly Fault[] = [
  { kind: 'status', status: 500 },
  htmlError(502),
  rateLimited(0),
  rateLimited(0, 503),
  { kind: 'reset' },
  { kind: 'reset-answer', afterBytes: 10 },
  { kind: 'reset-request', afterBytes: 500 },
  { kind: 'truncate', bytes: 50, declared: 'whole' },
  { kind: 'wrong-bytes' },
];

function breakSomeOf(registry: TestRegistry, share: number, seed: number): void {
  const random = randomFrom(seed);
  let fate = 1;
  // The first rule that is asked draws for all of them.
  PASSING.forEach((fault, position) => {
    const when = (): boolean => {
      if (position === 0) fate = random();
      return fate >= (position * share) / PASSING.length && fate < ((position + 1) * share) / PASSING.length;
    };
    registry.fail({ match: { when }, times: Number.POSITIVE_INFINITY, fault });
  });
}

const TAGS = 2000;

async function mirror(share: number): Promise<{ requests: number; destination: Storage; source: Storage }> {
  const storage = new Storage();
  for (let patch = 0; patch < TAGS; patch += 1) {
    seedImage(storage, `app-${patch % 10}`, {
      seed: `${patch}`,
      tags: [`v1.0.${patch}`],
      layers: [1000],
      layerSeeds: [`base ${patch % 200}`],
    });
  }
  await using source = await startRegistry({ frontDoor: true, storage });
  await using destination = await startRegistry();
  const names = Array.from({ length: 10 }, (_, index) => `app-${index}`);
  const route = new SyncRoute({ source, destination, set: { names } });
  if (share > 0) {
    breakSomeOf(source, share, 1);
    breakSomeOf(destination, share, 2);
  }
  const settings = route.settings({ retry: { attempts: 5, interval: milliseconds(5) } });
  const { report } = await runSync(settings, { ...route.parts(), timeouts: SHORT });
  expect(report.totals).toMatchObject({ total: TAGS, copied: TAGS, failed: 0 });
  const requests = source.journal.count() + destination.journal.count();
  return { requests, destination: destination.storage, source: storage };
}

it('mirrors 2,000 tags though one answer in twenty goes wrong, in at most twice the requests', async () => {
  const clear = await mirror(0);
  const rough = await mirror(0.05);
  expect(brokenTags(rough.destination)).toEqual([]);
  for (const [name, { tags }] of rough.source.repositories) {
    expect(new Map(rough.destination.repositories.get(`keel/${name}`)?.tags)).toEqual(tags);
  }
  expect(rough.requests).toBeGreaterThan(clear.requests);
  expect(rough.requests).toBeLessThanOrEqual(2 * clear.requests);
});

it.each(['source', 'destination'] as const)(
  'puts off what a %s asks an hour of patience for, and goes on',
  async (side) => {
    await using source = await startRegistry();
    await using other = await startRegistry();
    await using destination = await startRegistry();
    for (const name of ['one', 'two']) seedImage(source.storage, name, { tags: ['v1'] });
    seedImage(other.storage, 'three', { tags: ['v1'] });
    const set = { names: ['one', 'two'], extras: [`${other.host}/three:v1`] };
    const route = new SyncRoute({ source, destination, set });
    const rule = (side === 'source' ? source : destination).fail({
      match: { kind: side === 'source' ? 'manifest-get' : 'manifest-put' },
      times: Number.POSITIVE_INFINITY,
      fault: rateLimited(3600),
    });
    const { report } = await route.run();
    const three = side === 'source' ? 'copied' : 'deferred';
    expect(outcomes(report)).toEqual({ 'one:v1': 'deferred', 'two:v1': 'deferred', 'three:v1': three });
    // In the order of addresses, and with them of ports.
    const deferred = report.images.find(({ outcome }) => outcome === 'deferred');
    expect(deferred?.reason?.message).toMatch(/rate limited until \d\d:\d\d/);
    rule.stop();
    const second = await route.run();
    expect(second.report.totals).toMatchObject({ failed: 0, deferred: 0, total: 3 });
    expect(brokenTags(destination.storage)).toEqual([]);
  },
);
