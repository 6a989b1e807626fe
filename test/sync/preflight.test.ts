import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { proveLogin, reachRegistries, twice } from '../../src/sync/run/preflight.ts';
import { type RegistryOptions, startRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';

const never = new AbortController().signal;
const APP = parseRepository('keel/app');
const LOCKED: RegistryOptions = { access: { mode: 'basic', users: { keel: 'secret' } } };
const FAILURE = { match: { kind: 'ping' }, fault: { kind: 'status', status: 503 } } as const;

describe('before a run', () => {
  it('both registries are reached, the second time if need be', async () => {
    await using source = await startRegistry();
    await using target = await startRegistry();
    using client = new TestClient(source.host);
    const fault = target.fail(FAILURE);
    await reachRegistries(client.registry, client.registries.at(target.host), never);
    expect([source, target].map(({ journal }) => journal.count('ping'))).toEqual([1, 2]);
    expect(fault.hits).toBe(1);
  });

  it('a registry that fails twice is what stands in the way', async () => {
    await using source = await startRegistry();
    using client = new TestClient(source.host);
    source.fail({ ...FAILURE, times: 2 });
    await expect(reachRegistries(client.registry, client.registry, never)).rejects.toMatchObject({
      about: source.host,
    });
  });

  it('a login that is refused is not tried again', async () => {
    await using target = await startRegistry(LOCKED);
    using client = new TestClient(target.host, { login: { username: 'keel', password: 'wrong' } });
    await expect(proveLogin(client.registry, APP, never)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const refused = target.journal.count({
      kind: 'ping',
      when: ({ headers }) => headers.authorization !== undefined,
    });
    expect(refused).toBe(1);
  });

  it('a login is proved without writing', async () => {
    await using target = await startRegistry(LOCKED);
    using client = new TestClient(target.host, { login: { username: 'keel', password: 'secret' } });
    await proveLogin(client.registry, APP, never);
    expect(new Set(target.journal.entries.map(({ method }) => method))).toEqual(new Set(['GET']));
  });
});

it('of two registries that cannot be reached, the source is named each time', async () => {
  for (let run = 0; run < 3; run += 1) {
    using client = new TestClient(parseHost('127.0.0.1:1'));
    const reaching = reachRegistries(client.registry, client.registries.at(parseHost('127.0.0.1:2')), never);
    await expect(reaching).rejects.toMatchObject({ about: '127.0.0.1:1' });
  }
});

it('does not wait for a pause that a host asks for', async () => {
  let tries = 0;
  const held = new Failure({
    code: 'BUSY',
    about: 'test',
    message: 'later',
    transient: true,
    retryAt: Date.now() + 250_000,
  });
  const trying = twice(never, async () => {
    tries += 1;
    throw held;
  });
  await expect(trying).rejects.toBe(held);
  expect(tries).toBe(2);
});

it('an abort between the two tries is its reason', async () => {
  const stop = new AbortController();
  const reason = new Error('stopped');
  let tries = 0;
  const trying = twice(stop.signal, async () => {
    tries += 1;
    // The second try is half a second away.
    setImmediate(() => stop.abort(reason));
    throw new Failure({ code: 'BUSY', about: 'test', message: 'not now', transient: true });
  });
  await expect(trying).rejects.toBe(reason);
  expect(tries).toBe(1);
});
