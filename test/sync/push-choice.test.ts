import { expect, test } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { parseRepository, type Repository } from '../../src/registry/oci/reference.ts';
import { choosePushes, untilSilent } from '../../src/sync/doctor/push-choice.ts';
import { TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';
import { LOGIN } from '../support/token-server.ts';

const ALWAYS = Number.POSITIVE_INFINITY;

async function world(there: readonly Repository[] = []) {
  const stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry({ access: TOKENS }));
  for (const name of there) seedImage(registry.storage, name, { seed: name, tags: ['1.0'] });
  const timeouts = { connect: milliseconds(2000), firstByte: milliseconds(200), idle: milliseconds(2000) };
  const client = stack.use(new TestClient(registry.host, { attempts: 1, timeouts, login: LOGIN }));
  await client.registry.ping();
  /** The first of the names is the one that was tried before. */
  const choice = (names: readonly Repository[]) => {
    const [first] = names;
    if (first === undefined) throw new Error('there is none');
    return choosePushes(client.registry, first, names, client.signal);
  };
  return { registry, choice, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function below(path: string, count: number): Repository[] {
  return Array.from({ length: count }, (_, at) => parseRepository(`${path}/app-${at}`));
}

test('all repositories that are there are chosen', async () => {
  const names = below('mirror', 12);
  await using all = await world(names);
  const words = 'to the 12 existing repositories';
  expect(await all.choice(names)).toEqual({ tried: names, ranked: names, words });
  expect((await all.choice(names.slice(0, 1))).words).toBe('to the existing repository');
});

test('where repositories are made on push, the first is enough for all below its path', async () => {
  await using all = await world();
  const names = below('mirror', 13);
  expect(await all.choice(names)).toEqual({
    tried: names.slice(0, 1),
    ranked: names,
    words: 'to a new repository below mirror/; 12 more were not tested',
  });
});

test('beside what is there, one new repository below each path is chosen', async () => {
  const there = below('mirror', 5);
  const others = [...below('mirror/new', 3), ...below('other', 2), ...below('mirror', 9).slice(5)];
  await using all = await world(there);
  const { tried, words } = await all.choice([...there, ...others]);
  expect(tried).toEqual([...there, 'mirror/new/app-0', 'other/app-0', 'mirror/app-5']);
  expect(words).toBe(
    'to the 5 existing repositories, ' +
      'and to a new one below each of mirror/new/, other/ and mirror/; 6 more were not tested',
  );
});

test('an empty repository that our own token may have made is no reason to make a second one', async () => {
  const names = below('mirror', 3);
  await using all = await world(names.slice(0, 1));
  all.registry.storage.repository('mirror/app-0').tags.clear();
  expect(await all.choice(names)).toMatchObject({
    tried: names.slice(0, 1),
    words: 'to a new repository below mirror/; 2 more were not tested',
  });
});

test('of many repositories at most 20 are chosen, those that are there before new ones', async () => {
  const there = below('mirror', 30);
  await using all = await world(there);
  const mixed = await all.choice([...below('other', 40), ...there]);
  expect(mixed.tried).toEqual(['other/app-0', ...there.slice(0, 19)]);
  expect(mixed.ranked).toHaveLength(70);
  expect(mixed.words).toBe(
    'to 19 of the 30 existing repositories, and to a new one below other/; 50 more were not tested',
  );
  const paths = Array.from({ length: 21 }, (_, at) => parseRepository(`team-${at}/app`));
  expect((await all.choice(paths)).words).toBe(
    'to a new repository below each of 20 paths; 1 more was not tested',
  );
});

test('a repository whose tags may not be listed is called unlisted, and stands for others below its path', async () => {
  await using all = await world();
  const { registry, choice } = all;
  const fault = { kind: 'status', status: 403 } as const;
  registry.fail({ match: { kind: 'tags-list' }, times: ALWAYS, fault });
  expect((await choice([parseRepository('app'), ...below('mirror', 3)])).words).toBe(
    `to an unlisted repository below each of ${registry.host}/ and mirror/; 2 more were not tested`,
  );
});

test('a destination that gives no answer is not asked for more lists', async () => {
  await using all = await world();
  const { registry, choice } = all;
  registry.fail({ match: { kind: 'tags-list' }, times: ALWAYS, fault: { kind: 'silence' } });
  await expect(choice(below('mirror', 50))).rejects.toMatchObject({ code: 'TIMED_OUT' });
  expect(registry.journal.count('tags-list')).toBeLessThanOrEqual(8);
});

test('work on several ends at the first failure, once the others have ended', async () => {
  const signal = new AbortController().signal;
  expect(await untilSilent([1, 2], signal, async (each) => each * 2)).toEqual([2, 4]);
  const ended: number[] = [];
  const working = untilSilent([1, 2, 3], signal, async (each, until) => {
    if (each === 2) throw new Error('silent');
    await new Promise((resolve) => until.addEventListener('abort', resolve));
    ended.push(each);
  });
  await expect(working).rejects.toThrow('silent');
  expect(ended).toEqual([1, 3]);
});
