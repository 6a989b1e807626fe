import { expect, test } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { parseRepository, type Repository } from '../../src/registry/oci/reference.ts';
import { PushPermissions, provePush } from '../../src/sync/doctor/push-permission.ts';
import { TOKENS } from '../support/registry/access.ts';
import type { Fault } from '../support/registry/faults.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';
import { LOGIN } from '../support/token-server.ts';

const APP = parseRepository('mirror/app-0');
/** For what is silent for ever. */
const HASTY = milliseconds(500);
const SILENCE = { kind: 'silence' } as const;
const REFUSAL = { kind: 'status', status: 403, body: '{"errors": [{"code": "DENIED"}]}' } as const;

/** A destination at which so many repositories are there. */
async function world(there: number, quirks: Quirks = {}, patience = milliseconds(20_000)) {
  const stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry({ access: TOKENS, quirks }));
  for (const name of names(there)) seedImage(registry.storage, name, { seed: name, tags: ['1.0'] });
  const timeouts = { connect: milliseconds(20_000), firstByte: patience, idle: milliseconds(20_000) };
  const client = stack.use(new TestClient(registry.host, { attempts: 1, timeouts, login: LOGIN }));
  await client.registry.ping();
  const permissions = new PushPermissions(client.registry, client.signal);
  const judge = (count: number) => permissions.judge(names(count), APP);
  const fail = (path: RegExp, fault: Fault) =>
    registry.fail({ match: { kind: 'upload-start', path }, times: Number.POSITIVE_INFINITY, fault });
  const tried = () => registry.journal.filter({ kind: 'upload-start', when: isAnswered }).map(nameOf);
  return {
    registry,
    client,
    permissions,
    judge,
    fail,
    tried,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function isAnswered({ status }: { readonly status: number }): boolean {
  return status !== 401;
}

function nameOf({ repository }: { readonly repository: string }): string {
  return repository;
}

function names(count: number): Repository[] {
  return Array.from({ length: count }, (_, at) => parseRepository(`mirror/app-${at}`));
}

test('the push to each repository that is there is proved by an upload that is opened and cancelled', async () => {
  await using all = await world(12);
  const { registry, judge, tried } = all;
  expect(await judge(1)).toEqual({ outcome: 'ok', message: 'there are no other repositories' });
  expect(await judge(12)).toEqual({
    outcome: 'ok',
    message: 'pushing is allowed to the 12 existing repositories',
  });
  expect(tried().sort()).toEqual(names(12).sort());
  expect(registry.journal.count('upload-delete')).toBe(12);
});

test('no token to push is asked for but for what is tried: registries make a repository for each', async () => {
  await using all = await world(3);
  expect(await all.judge(20)).toEqual({
    outcome: 'ok',
    message:
      'pushing is allowed to the 3 existing repositories, and to a new one below mirror/; 16 more were not tested',
    untried: 'pushing to 16 of 20 repositories was not tested',
  });
  const tokens = all.registry.journal.filter({ kind: 'token' });
  const scopes = tokens.flatMap(({ query }) => query.getAll('scope'));
  expect(scopes.filter((scope) => scope.includes('push')).sort()).toEqual(
    names(4).map((name) => `repository:${name}:pull,push`),
  );
});

test('a repository that may not be pushed to is told with its reason', async () => {
  await using all = await world(12);
  all.fail(/app-[35]\//, REFUSAL);
  expect(await all.judge(12)).toEqual({
    outcome: 'partial',
    message: 'the registry refuses pushes to 2 of 12 repositories',
    hint: expect.stringMatching(/app-3: .*403.*; .*app-5: .*403/),
  });
  await using closed = await world(12);
  closed.fail(/app/, REFUSAL);
  const { message, hint } = await closed.judge(14);
  expect(message).toBe('the registry refuses pushes to 13 of 14 repositories, of which 13 were tested');
  expect(hint).toMatch(/; 10 more$/);
});

test('a destination that gives no answer to a push is not asked again for each repository', async () => {
  await using all = await world(20, {}, HASTY);
  all.fail(/app/, SILENCE);
  const choosing = all.permissions.firstAllowed(APP, async () => names(20));
  await expect(choosing).rejects.toMatchObject({ code: 'TIMED_OUT' });
  expect(all.tried()).toEqual([APP]);

  await using later = await world(20, {}, HASTY);
  later.fail(/app-[^0]/, SILENCE);
  await expect(later.judge(20)).rejects.toMatchObject({ code: 'TIMED_OUT' });
  // The others wait for room, and get none.
  expect(later.tried().length).toBeLessThanOrEqual(9);
});

test('a repository that has to be made first is told', async () => {
  await using all = await world(0, { repositoriesMustExist: true });
  await expect(provePush(all.client.registry, APP, all.client.signal)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    hint: 'create the repository, or configure the registry to create repositories on push',
  });
});

test('the first that may be pushed to is found, wherever it stands, and each is tried once', async () => {
  await using all = await world(0);
  all.fail(/app-[01]\//, REFUSAL);
  const chosen = await all.permissions.firstAllowed(APP, async () => names(5));
  expect(chosen).toBe('mirror/app-2');
  expect(await all.judge(5)).toMatchObject({
    outcome: 'partial',
    message: 'the registry refuses pushes to 2 of 5 repositories, of which 3 were tested',
  });
  expect(all.tried()).toEqual(names(3));
});

test('where the first may not be pushed to, those that are there are tried before new ones', async () => {
  await using all = await world(0);
  const [first, second, third] = names(3);
  if (first === undefined || second === undefined || third === undefined) throw new Error('there is none');
  seedImage(all.registry.storage, third, { seed: third, tags: ['1.0'] });
  all.fail(/app-0/, REFUSAL);
  expect(await all.permissions.firstAllowed(first, async () => [first, second, third])).toBe(third);
  expect(all.tried()).toEqual([first, third]);
});

test('where none may be pushed to, that is one failure that counts the others', async () => {
  await using all = await world(0);
  all.fail(/app/, REFUSAL);
  const { host } = all.registry;
  await expect(all.permissions.firstAllowed(APP, async () => names(30))).rejects.toMatchObject({
    about: `${host}/${APP}`,
    message: expect.stringMatching(/403.*; 19 other tested repositories cannot be pushed to either$/),
  });
  await expect(all.permissions.firstAllowed(APP, async () => [APP])).rejects.toMatchObject({
    message: expect.not.stringContaining('other'),
  });
});
