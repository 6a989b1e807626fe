import { expect, test } from 'vitest';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { Probe } from '../../src/sync/doctor/probe.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('keel/app');

async function world(quirks: Quirks = {}) {
  const stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry({ quirks }));
  const client = stack.use(new TestClient(registry.host));
  await client.registry.ping();
  const probe = new Probe(client.registry, APP, client.signal);
  return { registry, probe, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('a registry that takes everything is left as it was', async () => {
  await using all = await world();
  const { registry, probe } = all;
  expect(await probe.openUpload()).toMatchObject({
    outcome: 'ok',
    message: expect.stringContaining('allowed'),
  });
  expect(await probe.pushLayer()).toEqual({
    outcome: 'ok',
    message: 'a layer arrives, and a mount tells in one request that it is there',
  });
  expect(await probe.pushManifests()).toEqual({
    outcome: 'ok',
    message: 'it takes OCI image, OCI index, Docker image and Docker list',
  });
  const { manifests, blobs, tags } = registry.storage.repository(APP);
  expect([manifests.size, tags.size]).toEqual([4, 0]);
  expect(await probe.remove()).toEqual({ outcome: 'ok', message: 'the trial image was deleted again' });
  expect([manifests.size, blobs.size]).toEqual([0, 0]);
});

test('what a registry does not mount, take or delete is told', async () => {
  await using all = await world({ refuseMount: 405, refuseOciIndex: true, refuseDelete: true });
  const { probe } = all;
  expect(await probe.pushLayer()).toEqual({
    outcome: 'ok',
    message: 'a layer arrives; whether one is there already takes a request more, as it does not mount',
  });
  expect(await probe.pushManifests()).toMatchObject({
    outcome: 'warning',
    message: expect.stringMatching(/^it refuses OCI index: /),
    hint: expect.stringContaining("converted to Docker's format"),
  });
  expect(await probe.remove()).toMatchObject({
    outcome: 'ok',
    message: expect.stringMatching(/keel\/app keeps the trial image, [\d.]+ KiB without a tag/),
  });
});

test('a registry that takes OCI only is told to get converted images', async () => {
  await using all = await world({ refuseDocker: true });
  await all.probe.pushLayer();
  expect(await all.probe.pushManifests()).toMatchObject({
    outcome: 'warning',
    message: expect.stringMatching(/^it refuses Docker image and Docker list: /),
    hint: expect.stringContaining('converted to the OCI format'),
  });
});

test('a registry that takes no format at all is no destination', async () => {
  await using all = await world();
  const { registry, probe } = all;
  await probe.pushLayer();
  registry.fail({
    match: { kind: 'manifest-put' },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 400 },
  });
  await expect(probe.pushManifests()).rejects.toMatchObject({
    code: 'FORMATS_REFUSED',
    about: `${registry.host}/${APP}`,
  });
});

test('a repository that has to be made first is told', async () => {
  await using all = await world({ repositoriesMustExist: true });
  await expect(all.probe.openUpload()).rejects.toMatchObject({
    code: 'NOT_FOUND',
    hint: 'create the repository, or let the registry create repositories on push',
  });
});

test('a request as large as the smallest part of a layer is sent, and cancelled', async () => {
  await using all = await world();
  const { registry, probe } = all;
  expect(await probe.sendChunk()).toEqual({ outcome: 'ok', message: 'a request of 1 MiB arrives' });
  const [sent] = registry.journal.filter({ kind: 'upload-patch' });
  expect(sent).toMatchObject({ bytesIn: 1024 * 1024, status: 202 });
  expect(registry.journal.count('upload-delete')).toBe(1);
  expect(registry.storage.repository(APP).blobs.size).toBe(0);
});

test('a limit in front of the registry below that is told, and nothing stays', async () => {
  await using all = await world({ chunkLimit: { bytes: 1000, status: 413 } });
  const { registry, probe } = all;
  await expect(probe.sendChunk()).rejects.toMatchObject({
    code: 'REGISTRY_REFUSED',
    status: 413,
    hint: expect.stringContaining('client_max_body_size'),
  });
  expect(registry.journal.count('upload-delete')).toBe(1);
});

test('a registry that takes no parts of layers is fine', async () => {
  await using all = await world({ refuseChunks: true });
  expect(await all.probe.sendChunk()).toMatchObject({
    outcome: 'ok',
    message: expect.stringContaining('only whole'),
  });
});
