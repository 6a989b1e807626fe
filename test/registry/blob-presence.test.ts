import { expect, it } from 'vitest';
import { hasBlob } from '../../src/registry/blob-presence.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { bytesContent } from '../support/registry/content.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');

it('a blob is there, or is not', async () => {
  await using server = await startRegistry();
  const digest = server.storage.putBlob('app', bytesContent('layer'));
  using client = new TestClient(server.host);
  const has = (one: typeof digest, size = 5) =>
    hasBlob(client.registry, APP, { digest: one, size }, client.signal);
  expect(await has(digest)).toBe(true);
  // It was cut at the registry.
  expect(await has(digest, 6)).toBe(false);
  expect(await has(digestOf(Buffer.from('other')))).toBe(false);
});

it.each([400, 401, 403, 405, 410, 501])(
  'a refused question (%i) says nothing about a blob',
  async (status) => {
    await using server = await startRegistry();
    const digest = server.storage.putBlob('app', bytesContent('layer'));
    const fault = { kind: 'status', status } as const;
    server.fail({ match: { kind: 'blob-head' }, times: Number.POSITIVE_INFINITY, fault });
    using client = new TestClient(server.host);
    const has = () => hasBlob(client.registry, APP, { digest, size: 5 }, client.signal);
    expect(await has()).toBe(true);
    server.fail({ match: { kind: 'blob-get' }, times: Number.POSITIVE_INFINITY, fault });
    expect(await has()).toBeUndefined();
  },
);
