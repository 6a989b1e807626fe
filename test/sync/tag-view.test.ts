import { expect, test } from 'vitest';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { requireLogin, viewDigest, viewManifest } from '../../src/sync/check/tag-view.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const [TAG, OTHER] = [parseTag('1.0'), parseTag('2.0')];

async function world(options: Parameters<typeof startRegistry>[0] = {}) {
  const stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry(options));
  const client = stack.use(new TestClient(registry.host));
  return { registry, client, target: client.registry, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('an image tells its platform in its configuration, an index in its entries', async () => {
  await using all = await world();
  const { registry, client, target } = all;
  const image = seedImage(registry.storage, 'app', { tags: ['1.0'], platform: 'linux/arm64/v8' });
  const index = seedIndex(registry.storage, 'app', {
    tags: ['2.0'],
    platforms: ['linux/amd64', 'linux/s390x'],
  });
  const view = async (tag: typeof TAG) => (await viewManifest(target, APP, tag, client.signal)).view;
  expect(await view(TAG)).toEqual({
    kind: 'there',
    digest: image.digest,
    mediaType: MEDIA_TYPE.ociManifest,
    platforms: ['linux/arm64/v8'],
  });
  expect(await view(OTHER)).toMatchObject({
    digest: index.digest,
    platforms: ['linux/amd64', 'linux/s390x'],
  });
  expect(await viewDigest(target, APP, OTHER, client.signal)).toEqual({
    kind: 'there',
    digest: index.digest,
    mediaType: index.mediaType,
  });
});

test('a configuration that cannot be read leaves the platform open', async () => {
  await using all = await world();
  const { registry, client, target } = all;
  const image = seedImage(registry.storage, 'app', { tags: ['1.0'] });
  registry.fail({ match: { kind: 'blob-get' }, times: 9, fault: { kind: 'status', status: 403 } });
  expect((await viewManifest(target, APP, TAG, client.signal)).view).toMatchObject({
    kind: 'there',
    digest: image.digest,
    platforms: [],
  });
});

test('what is not there, and what is not told, are two things', async () => {
  await using all = await world();
  const { registry, client, target } = all;
  expect(await viewDigest(target, APP, TAG, client.signal)).toEqual({ kind: 'absent' });
  expect((await viewManifest(target, APP, TAG, client.signal)).view).toEqual({ kind: 'absent' });
  registry.fail({ times: Number.POSITIVE_INFINITY, fault: { kind: 'status', status: 403 } });
  expect(await viewDigest(target, APP, TAG, client.signal)).toMatchObject({
    kind: 'unknown',
    code: 'DENIED',
    reason: expect.stringContaining('403'),
  });
});

test('an abort is no view', async () => {
  await using all = await world();
  const reason = new Error('enough');
  await expect(viewDigest(all.target, APP, TAG, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('a login is asked for only where the registry wanted one', async () => {
  await using all = await world({ access: { mode: 'basic', users: {} } });
  const { client, target } = all;
  const view = await viewDigest(target, APP, TAG, client.signal);
  expect(view).toMatchObject({ kind: 'unknown', code: 'UNAUTHORIZED' });
  await expect(requireLogin(view, target, APP)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  await requireLogin({ kind: 'unknown', reason: 'it is broken', code: 'REGISTRY_REFUSED' }, target, APP);
});
