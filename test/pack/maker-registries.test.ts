import { expect, test } from 'vitest';
import { failureCode } from '../../src/lib/failure.ts';
import { MakerRegistries } from '../../src/pack/fetch/maker-registries.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';

const NOWHERE = parseHost('127.0.0.1:1');

test('a registry that answers has no trouble, and is asked once by all', async () => {
  await using registry = await startRegistry();
  using client = new TestClient(registry.host, { attempts: 1 });
  const makers = new MakerRegistries(client.registries);
  const ask = () => makers.trouble(registry.host, client.signal);
  expect(await Promise.all([ask(), ask()])).toEqual([undefined, undefined]);
  await ask();
  expect(registry.journal.count('ping')).toBe(1);
});

test('a registry that does not answer is asked once, and all learn why', async () => {
  await using registry = await startRegistry();
  registry.fail({ match: { kind: 'ping' }, fault: { kind: 'status', status: 503 } });
  using client = new TestClient(registry.host, { attempts: 1 });
  const makers = new MakerRegistries(client.registries);
  const first = await makers.trouble(registry.host, client.signal);
  expect(failureCode(first)).toBe('REGISTRY_BROKEN');
  // It would answer now.
  expect(await makers.trouble(registry.host, client.signal)).toBe(first);
  expect(registry.journal.count('ping')).toBe(1);
  expect(await makers.troubles()).toEqual([first]);
});

test('an end of the run is no trouble of a registry', async () => {
  const run = new AbortController();
  using client = new TestClient(NOWHERE, { attempts: 1, signal: run.signal });
  const reason = new Error('stopped');
  const asked = new MakerRegistries(client.registries).trouble(NOWHERE, run.signal);
  run.abort(reason);
  await expect(asked).rejects.toBe(reason);
});
