import { afterEach, expect, test, vi } from 'vitest';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { listDestination, ping, resolveName } from '../../src/sync/doctor/host-checks.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const LOCALHOST = parseHost('localhost:5000');

async function world(options: Parameters<typeof startRegistry>[0] = {}) {
  const stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry(options));
  const client = stack.use(new TestClient(registry.host));
  return { registry, client, target: client.registry, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

test('a name is an address, has one, or has none', async () => {
  await using all = await world();
  const { client, target, registry } = all;
  expect(await resolveName(target, client.signal)).toEqual({
    outcome: 'ok',
    message: `${registry.host} is an address`,
  });
  expect(await resolveName(client.registries.at(LOCALHOST), client.signal)).toEqual({
    outcome: 'ok',
    message: expect.stringMatching(/^localhost:5000 is (?:127\.0\.0\.1|::1)$/),
  });
  const nowhere = client.registries.at(parseHost('registry.invalid'));
  await expect(resolveName(nowhere, client.signal)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: 'no such host',
  });
  const reason = new Error('enough');
  await expect(resolveName(nowhere, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('a name is left to the proxy where there is one', async () => {
  vi.stubEnv('HTTPS_PROXY', 'http://proxy.example:3128');
  await using all = await world();
  const { client } = all;
  expect(await resolveName(client.registries.at(parseHost('registry.invalid')), client.signal)).toMatchObject(
    {
      message: 'requests to registry.invalid go through the proxy proxy.example:3128',
    },
  );
});

test('a registry answers over TLS', async () => {
  await using all = await world();
  expect(await ping(all.target, all.client.signal)).toEqual({
    outcome: 'ok',
    message: `${all.registry.host} answers over TLS`,
  });
});

test('a registry on this machine answers over HTTP, and that is fine', async () => {
  await using all = await world({ tls: false });
  expect(await ping(all.target, all.client.signal)).toEqual({
    outcome: 'ok',
    message: `${all.registry.host} answers over HTTP, on this machine`,
  });
});

test('the destination lists, has nothing yet, or tells nobody', async () => {
  await using all = await world();
  const { registry, target, client } = all;
  const list = () => listDestination(target, APP, client.signal);
  expect(await list()).toMatchObject({
    outcome: 'ok',
    message: expect.stringContaining('does not exist yet'),
  });
  seedImage(registry.storage, 'app', { tags: ['1.0'] });
  expect(await list()).toMatchObject({ outcome: 'ok', message: `${registry.host}/app lists 1 tag` });
  registry.quirks = { refuseTagsList: 403 };
  expect(await list()).toMatchObject({ outcome: 'warning', hint: 'allow the account to pull (list) it' });
  registry.fail({ times: Number.POSITIVE_INFINITY, fault: { kind: 'status', status: 500 } });
  await expect(list()).rejects.toMatchObject({ status: 500 });
});

test('what does not look like a registry is doubted, and is none where it knows no repository', async () => {
  await using all = await world();
  const { registry, client, target } = all;
  const page = { kind: 'status', status: 404, headers: { 'content-type': 'text/html' } } as const;
  registry.fail({ times: Number.POSITIVE_INFINITY, fault: page });
  const oddity = 'GET /v2/ is answered 404 with text/html';
  expect(await ping(target, client.signal)).toEqual({
    outcome: 'warning',
    message: `${registry.host} answers, but not like a registry: ${oddity}`,
    hint: 'check its name and its port',
  });
  const failure = { code: 'NOT_A_REGISTRY', about: registry.host };
  await expect(listDestination(target, APP, client.signal)).rejects.toMatchObject(failure);
  await expect(ping(target, client.signal, APP)).rejects.toMatchObject(failure);
});
