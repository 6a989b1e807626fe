import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { TOKENS } from '../support/registry/access.ts';
import { rateLimited } from '../support/registry/faults.ts';
import { type RegistryOptions, startRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { outcomes, SyncRoute } from '../support/sync-run.ts';
import { brokenTags } from './wholeness.ts';

/** A source that has the manners of Docker Hub: pulls are counted, lists tell no digests, tokens are for anyone. */
async function hub(options: RegistryOptions) {
  const stack = new AsyncDisposableStack();
  const source = stack.use(
    await startRegistry({ redirectBlobs: true, access: { mode: 'bearer', anonymousPull: true }, ...options }),
  );
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  for (const name of ['alpine', 'busybox', 'nginx', 'redis']) {
    seedImage(source.storage, `library/${name}`, { seed: name, tags: ['1.0'] });
  }
  seedIndex(source.storage, 'library/debian', { seed: 'debian', tags: ['1.0'] });
  const names = ['alpine', 'busybox', 'debian', 'nginx', 'redis'].map((name) => `library/${name}`);
  const route = new SyncRoute({ source, destination, set: { names } });
  return { source, destination, route, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it('is asked by HEAD, which it does not count, when nothing changed', async () => {
  await using here = await hub({ quirks: { pullLimit: 100 } });
  const { source, route } = here;
  expect((await route.run()).report.totals).toMatchObject({ copied: 5, failed: 0 });
  source.quirks = { pullLimit: 0 };
  source.journal.clear();
  expect((await route.run({ verify: 'all' })).report.totals).toMatchObject({
    copied: 0,
    failed: 0,
    total: 5,
  });
  expect(source.journal.count('manifest-head')).toBe(5);
  expect(source.journal.count('manifest-get')).toBe(0);
});

it('that gives no more pulls is told as such, what came before stays, and the next run continues', async () => {
  await using here = await hub({ quirks: { pullLimit: 2 } });
  const { source, destination, route } = here;
  const settings = { retry: { attempts: 2, interval: milliseconds(1) } };
  const { report } = await route.run(settings);
  const { copied, failed } = report.totals;
  expect([copied + failed, copied <= 2, failed > 0]).toEqual([5, true, true]);
  for (const { reason } of report.images.filter(({ outcome }) => outcome === 'failed')) {
    expect(reason).toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringContaining('pull rate limit'),
      hint: expect.stringContaining('log in'),
    });
  }
  expect(brokenTags(destination.storage)).toEqual([]);
  // Whoever goes on asking is locked out for longer: each image asks as often as --retry says, and no more.
  expect(
    source.journal.count({ kind: 'manifest-get', when: ({ status }) => status === 429 }),
  ).toBeLessThanOrEqual(10);
  source.quirks = { pullLimit: 100 };
  source.restPulls();
  const again = await route.run(settings);
  expect(again.report.totals).toMatchObject({ copied: failed, failed: 0 });
  expect(brokenTags(destination.storage)).toEqual([]);
});

it('that asks for a minute of quiet gets it, from all images at once', async () => {
  await using here = await hub({});
  const { source, route } = here;
  source.fail({
    match: { kind: 'manifest-get' },
    times: Number.POSITIVE_INFINITY,
    fault: rateLimited(60 * 60),
  });
  const { report } = await route.run({ retry: { attempts: 5, interval: milliseconds(1) } });
  expect(report.totals).toMatchObject({ copied: 0, total: 5 });
  // Those under way when the first was refused may have asked as well.
  expect(source.journal.count('manifest-get')).toBeLessThanOrEqual(5);
  for (const { reason } of report.images) expect(reason?.message).toMatch(/rate limit/i);
});

it('gives a token without the right to what is private: that image fails, and no login is tried twice', async () => {
  const allows = (_user: string | undefined, repository: string): boolean => repository !== 'library/nginx';
  await using here = await hub({ access: { mode: 'bearer', anonymousPull: true, allows } });
  const { source, route } = here;
  const { report } = await route.run({ retry: { attempts: 3, interval: milliseconds(1) } });
  const told = outcomes(report);
  expect(report.totals).toMatchObject({ copied: 4 });
  expect(told['alpine:1.0']).toBe('copied');
  const asked = source.journal.filter({ kind: 'token' }).flatMap(({ query }) => query.getAll('scope'));
  expect(asked.filter((scope) => scope.startsWith('repository:library/nginx:')).length).toBeLessThanOrEqual(
    2,
  );
});
