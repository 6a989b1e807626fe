import { expect, test } from 'vitest';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { proveAllPushes } from '../../src/sync/doctor/push-permission.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';

async function world(refused: RegExp | undefined = undefined) {
  const stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry());
  const client = stack.use(new TestClient(registry.host, { attempts: 1 }));
  await client.registry.ping();
  const fault = { kind: 'status', status: 403, body: '{"errors": [{"code": "DENIED"}]}' } as const;
  if (refused !== undefined)
    registry.fail({ match: { path: refused }, times: Number.POSITIVE_INFINITY, fault });
  const prove = (count: number) => {
    const names = Array.from({ length: count }, (_, at) => parseRepository(`team-${at}/app`));
    return proveAllPushes(client.registry, names, client.signal);
  };
  return { registry, prove, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('the push to each repository is proved by an upload that is opened and cancelled', async () => {
  await using all = await world();
  const { registry, prove } = all;
  expect(await prove(0)).toEqual({ outcome: 'ok', message: 'there is no other' });
  expect(await prove(1)).toEqual({ outcome: 'ok', message: 'pushing to 1 other repository is allowed' });
  registry.journal.clear();
  expect(await prove(12)).toEqual({ outcome: 'ok', message: 'pushing to 12 other repositories is allowed' });
  expect(registry.journal.count('upload-start')).toBe(12);
  expect(registry.journal.count('upload-delete')).toBe(12);
});

test('a repository that may not be pushed to is told with its reason', async () => {
  await using all = await world(/team-[35]/);
  expect(await all.prove(12)).toEqual({
    outcome: 'partial',
    message: 'pushing is refused to 2 of 12 other repositories',
    hint: expect.stringMatching(/team-3\/app: .*403.*; .*team-5\/app: .*403/),
  });
});

test('of many repositories, it is told how many were tried', async () => {
  await using all = await world();
  expect((await all.prove(120)).message).toBe(
    'pushing to 100 of 120 other repositories, which were tried, is allowed',
  );
  expect(all.registry.journal.count('upload-start')).toBe(100);
  await using closed = await world(/team-/);
  const { message, hint } = await closed.prove(120);
  expect(message).toBe('pushing is refused to 100 of 120 other repositories, of which 100 were tried');
  expect(hint).toMatch(/; 97 more$/);
});
