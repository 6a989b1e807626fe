import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { runSync } from '../../src/sync/run/run.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { rateLimited } from '../support/registry/faults.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { Storage } from '../support/registry/storage.ts';
import { outcomes, SyncRoute } from '../support/sync-run.ts';
import { breakSomeOf, mirrorIn } from './weather.ts';
import { brokenTags } from './wholeness.ts';

const ATTEMPTS = 5;

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
  await using destination = await startRegistry({ access: TOKENS });
  const names = Array.from({ length: 10 }, (_, index) => `app-${index}`);
  const route = new SyncRoute({ source, destination, set: { names } });
  if (share > 0) {
    // One attempt of each request is left, so that this never depends on luck.
    breakSomeOf(source, { share, seed: 1, timesEach: ATTEMPTS - 1 });
    breakSomeOf(destination, { share, seed: 2, timesEach: ATTEMPTS - 1 });
  }
  const settings = route.settings({ retry: { attempts: ATTEMPTS, interval: milliseconds(5) } });
  const { report } = await runSync(settings, route.parts());
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

it.each([1, 2, 3, 4])(
  'never fails where one attempt of each request is left, however many others go wrong (seed %d)',
  async (seed) => {
    const attempts = 3;
    const outcome = await mirrorIn({ share: 0.5, seed, timesEach: attempts - 1 }, attempts);
    expect(outcome).toMatchObject({ images: 20, failures: [], brokenTags: [] });
  },
);

it.each(['source', 'destination'] as const)(
  'puts off what a %s asks an hour of patience for, and goes on',
  async (side) => {
    await using source = await startRegistry({ access: PUBLIC_TOKENS });
    await using other = await startRegistry({ access: PUBLIC_TOKENS });
    await using destination = await startRegistry({ access: TOKENS });
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
