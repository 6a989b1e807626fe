import { expect, it } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { getTaggedManifest } from '../../src/registry/tagged-manifest.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const TAG = parseTag('1.0');

/** Lets a registry find manifests by their tags alone. */
function hideDigests(server: TestRegistry) {
  server.fail({
    match: { kind: 'manifest-get', when: ({ path }) => path.includes('/sha') },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 404 },
  });
}

it('a digest that a registry lists and does not find is asked for by its tag', async () => {
  await using server = await startRegistry();
  const image = seedImage(server.storage, 'app', { tags: [TAG] });
  hideDigests(server);
  using client = new TestClient(server.host);
  const get = (digest: typeof image.digest) =>
    getTaggedManifest(client.registry, APP, { tag: TAG, digest }, client.signal);
  expect(await get(image.digest)).toEqual(image);
  const long = digestOf(image.bytes, 'sha512');
  expect(await get(long)).toEqual({ ...image, digest: long });
});

it('what the tag has by now is not taken for it', async () => {
  await using server = await startRegistry();
  const { digest } = seedImage(server.storage, 'app', { seed: 'old', tags: [TAG] });
  seedImage(server.storage, 'app', { seed: 'new', tags: [TAG] });
  hideDigests(server);
  using client = new TestClient(server.host);
  await expect(
    getTaggedManifest(client.registry, APP, { tag: TAG, digest }, client.signal),
  ).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('for this tag, but does not have it'),
  });
});

it('a digest that is found needs no tag', async () => {
  await using server = await startRegistry();
  const { digest } = seedImage(server.storage, 'app');
  using client = new TestClient(server.host);
  await getTaggedManifest(client.registry, APP, { tag: TAG, digest }, client.signal);
  expect(server.journal.tally()).toEqual({ ping: 1, 'manifest-get': 1 });
});
