import { describe, expect, it } from 'vitest';
import { seconds } from '../../src/lib/duration.ts';
import { Failure } from '../../src/lib/failure.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { proveLogin, reachRegistries, repeatedly } from '../../src/sync/run/preflight.ts';
import { type RegistryOptions, startRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';

const never = new AbortController().signal;
const APP = parseRepository('keel/app');
const LOCKED: RegistryOptions = { access: { mode: 'basic', users: { keel: 'secret' } } };
const LONG = seconds(600);
const FAILURE = { match: { kind: 'ping' }, fault: { kind: 'status', status: 503 } } as const;

describe('the first contact of a run', () => {
  it('is tried as often as --retry says', async () => {
    await using source = await startRegistry();
    await using target = await startRegistry();
    using client = new TestClient(source.host, { attempts: 5 });
    const faults = [source.fail({ ...FAILURE, times: 2 }), target.fail({ ...FAILURE, times: 4 })];
    await reachRegistries(client.registry, client.registries.at(target.host), never);
    expect([source, target].map(({ journal }) => journal.count('ping'))).toEqual([3, 5]);
    expect(faults.map(({ hits }) => hits)).toEqual([2, 4]);
  });

  it('ends with the failure of the last attempt', async () => {
    await using source = await startRegistry();
    using client = new TestClient(source.host, { attempts: 4 });
    source.fail({ ...FAILURE, times: 4 });
    await expect(reachRegistries(client.registry, client.registry, never)).rejects.toMatchObject({
      about: source.host,
    });
    expect(source.journal.count('ping')).toBe(4);
  });

  it('is tried once where --retry says so', async () => {
    await using source = await startRegistry();
    using client = new TestClient(source.host, { attempts: 1 });
    source.fail(FAILURE);
    await expect(reachRegistries(client.registry, client.registry, never)).rejects.toMatchObject({
      status: 503,
    });
  });

  it.each([
    ['source', 'target'],
    ['target', 'source'],
  ])('does not wait for a silent %s once the %s has failed for good', async (silent) => {
    await using stuck = await startRegistry();
    await using broken = await startRegistry();
    stuck.fail({ match: { kind: 'ping' }, fault: { kind: 'silence' } });
    // Whoever waits for it does so for longer than a test may take.
    const timeouts = { connect: LONG, firstByte: LONG, idle: LONG };
    using client = new TestClient(stuck.host, { attempts: 1, timeouts });
    broken.fail(FAILURE);
    const pair = [client.registry, client.registries.at(broken.host)] as const;
    const [source, target] = silent === 'source' ? pair : [pair[1], pair[0]];
    await expect(reachRegistries(source, target, never)).rejects.toMatchObject({ about: broken.host });
  });

  it('does not wait for a pause of more than a minute', async () => {
    await using source = await startRegistry();
    using client = new TestClient(source.host, { attempts: 5 });
    const headers = { 'retry-after': '90' };
    source.fail({ match: { kind: 'ping' }, fault: { kind: 'status', status: 503, headers }, times: 5 });
    await expect(reachRegistries(client.registry, client.registry, never)).rejects.toMatchObject({
      status: 503,
    });
    expect(source.journal.count('ping')).toBe(1);
  });
});

describe('before a run', () => {
  it('a login is tried as often as --retry says', async () => {
    await using target = await startRegistry(LOCKED);
    using client = new TestClient(target.host, {
      login: { username: 'keel', password: 'secret' },
      attempts: 5,
    });
    const fault = target.fail({ ...FAILURE, times: 4 });
    await proveLogin(client.registry, APP, never);
    expect(fault.hits).toBe(4);
    expect(target.journal.count({ kind: 'ping', when: ({ status }) => status === 200 })).toBe(1);
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

it('an abort between two attempts is its reason', async () => {
  const stop = new AbortController();
  const reason = new Error('stopped');
  let tries = 0;
  using client = new TestClient(parseHost('127.0.0.1:1'), { interval: seconds(60) });
  const trying = repeatedly(client.registry, stop.signal, async () => {
    tries += 1;
    setImmediate(() => stop.abort(reason));
    throw new Failure({ code: 'BUSY', about: 'test', message: 'not now', transient: true });
  });
  await expect(trying).rejects.toBe(reason);
  expect(tries).toBe(1);
});
