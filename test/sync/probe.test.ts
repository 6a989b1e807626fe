import { expect, test } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { Probe } from '../../src/sync/doctor/probe.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { type ClientChoices, TestClient } from '../support/test-client.ts';

const TIMEOUTS = { connect: milliseconds(2000), firstByte: milliseconds(200), idle: milliseconds(2000) };
const APP = parseRepository('keel/app');

async function world(quirks: Quirks = {}, choices: ClientChoices = {}) {
  const stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry({ quirks }));
  const client = stack.use(new TestClient(registry.host, choices));
  await client.registry.ping();
  const probe = new Probe(client.registry, APP, client.signal);
  return { registry, probe, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('a registry that takes everything is left as it was', async () => {
  await using all = await world();
  const { registry, probe } = all;
  expect(await probe.pushLayer()).toEqual({
    outcome: 'ok',
    message: 'it accepts a small layer, and one mount request shows that it exists',
  });
  expect(await probe.pushManifests()).toEqual({
    outcome: 'ok',
    message: 'it accepts OCI image, OCI index, Docker image and Docker list',
  });
  const { manifests, blobs, tags } = registry.storage.repository(APP);
  expect([manifests.size, tags.size]).toEqual([4, 0]);
  expect(await probe.remove()).toEqual({ outcome: 'ok', message: 'the trial image was deleted' });
  expect([manifests.size, blobs.size]).toEqual([0, 0]);
});

test('what a registry does not mount, take or delete is told', async () => {
  await using all = await world({ refuseMount: 405, refuseOciIndex: true, refuseDelete: true });
  const { probe } = all;
  expect(await probe.pushLayer()).toEqual({
    outcome: 'ok',
    message:
      'it accepts a small layer; it does not mount layers, so each layer needs one more request that shows whether it exists',
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

test('a request as large as the smallest part of a layer is sent, and cancelled', async () => {
  await using all = await world();
  const { registry, probe } = all;
  expect(await probe.sendChunk()).toEqual({ outcome: 'ok', message: 'it accepts a request of 1 MiB' });
  const [sent] = registry.journal.filter({ kind: 'upload-patch' });
  expect(sent).toMatchObject({ bytesIn: 1024 * 1024, status: 202 });
  expect(registry.journal.count('upload-delete')).toBe(1);
  expect(registry.storage.repository(APP).blobs.size).toBe(0);
});

test('a limit in front of the registry below that stops large layers alone, and is told with what was tried', async () => {
  await using all = await world({ chunkLimit: { bytes: 300 * 1024, status: 413 } });
  const { registry, probe } = all;
  expect(await probe.sendChunk()).toEqual({
    outcome: 'partial',
    message:
      'layers larger than 256 KiB can fail: the registry accepts a request of that size, but refuses one of 1 MiB with 413',
    hint: 'allow requests of 1 MiB or more at the registry, and at each proxy in front of it (nginx: client_max_body_size 1m)',
  });
  expect(registry.journal.count('upload-delete')).toBe(3);
  expect(registry.storage.repository(APP).blobs.size).toBe(0);
});

test('a limit in front of the registry that lets next to nothing pass fails, and nothing stays', async () => {
  await using all = await world({ chunkLimit: { bytes: 1000, status: 413 } });
  const { registry, probe } = all;
  await expect(probe.sendChunk()).rejects.toMatchObject({
    code: 'REGISTRY_REFUSED',
    status: 413,
    hint: expect.stringContaining('client_max_body_size'),
  });
  expect(registry.journal.count('upload-delete')).toBe(9);
});

test('a registry that takes no parts of layers is fine', async () => {
  await using all = await world({ refuseChunks: true });
  expect(await all.probe.sendChunk()).toMatchObject({
    outcome: 'ok',
    message: expect.stringContaining('only whole'),
  });
});

test.each([
  ['refuses parts of layers as its own fault', { kind: 'status', status: 500 }, 'the registry answered 500'],
  ['is silent about parts of layers', { kind: 'silence' }, 'no answer within'],
] as const)(
  'a registry that %s is only warned of, because layers go whole at first',
  async (_, fault, said) => {
    await using all = await world({}, { attempts: 1, timeouts: TIMEOUTS });
    const { registry, probe } = all;
    registry.fail({ match: { kind: 'upload-patch' }, times: Number.POSITIVE_INFINITY, fault });
    expect(await probe.sendChunk()).toMatchObject({
      outcome: 'warning',
      message: expect.stringContaining(`it refuses parts of a layer: `),
      hint: expect.stringContaining('sends layers whole first'),
    });
    expect((await probe.sendChunk()).message).toContain(said);
    expect(await probe.pushLayer()).toMatchObject({ outcome: 'ok' });
  },
);

test('a registry that opens no upload for that is at fault', async () => {
  await using all = await world({}, { attempts: 1 });
  const { registry, probe } = all;
  const fault = { kind: 'status', status: 500 } as const;
  registry.fail({ match: { kind: 'upload-start' }, times: Number.POSITIVE_INFINITY, fault });
  await expect(probe.sendChunk()).rejects.toMatchObject({ status: 500 });
});
