import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlobStore } from '../../src/pack/fetch/blob-store.ts';
import { findImage, findLockedImage } from '../../src/pack/fetch/image-lookup.ts';
import { parsePlatform } from '../../src/registry/oci/platform.ts';
import { formatReference, parseReference } from '../../src/registry/oci/reference.ts';
import { bytesContent } from '../support/registry/content.ts';
import { htmlError } from '../support/registry/faults.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { TestClient } from '../support/test-client.ts';
import { plannedImage } from './planned-image.ts';

let mirror: TestRegistry;
let client: TestClient;

beforeEach(async () => {
  mirror = await startRegistry();
  client = new TestClient(mirror.host, { attempts: 1 });
});
afterEach(async () => {
  client[Symbol.dispose]();
  await mirror[Symbol.asyncDispose]();
});

function parts() {
  const { registries, signal } = client;
  return {
    registries,
    blobs: new BlobStore(scratchFolder()),
    platform: parsePlatform('linux/amd64', 'test'),
    signal,
  };
}

function find(upstream: string) {
  return findImage(plannedImage(upstream, mirror.host), parts());
}

describe('findImage', () => {
  it('takes the manifest of the platform out of a list, and remembers the list', async () => {
    const index = seedIndex(mirror.storage, 'tool', { tags: ['v1'] });
    const found = await find('e.org/tool:v1');
    expect(found).toMatchObject({ index: index.digest, namesArchitecture: false, created: undefined });
    expect(formatReference(found.pulledBy)).toBe(`${mirror.host}/tool:v1`);
    expect(formatReference(found.upstream)).toBe('e.org/tool:v1');
    expect(index.kind === 'index' && index.manifests[0]?.digest).toBe(found.manifest.digest);
  });

  it('looks into a list within a list', async () => {
    const inner = seedIndex(mirror.storage, 'tool');
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const manifests = [{ mediaType, digest: inner.digest, size: inner.bytes.length }];
    const outer = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
    mirror.storage.putManifest('tool', outer, mediaType, ['v1']);
    const found = await find('e.org/tool:v1');
    expect(inner.kind === 'index' && inner.manifests[0]?.digest).toBe(found.manifest.digest);
  });

  it.each<[string, string]>([
    ['manifest', 'manifest-get'],
    ['configuration', 'blob-get'],
  ])('takes the absence of a part, its %s, for no absence of the image', async (_, kind) => {
    seedIndex(mirror.storage, 'tool', { tags: ['v1'] });
    seedImage(mirror.storage, 'tool-amd64', { tags: ['v1'] });
    const isPart = ({ path }: { path: string }) => path.includes('/tool/') && path.includes('sha256:');
    mirror.fail({
      match: { when: (entry) => entry.kind === kind && isPart(entry) },
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status: 404 },
    });
    await expect(find('e.org/tool:v1')).rejects.toMatchObject({
      code: 'IMAGE_UNUSABLE',
      about: `${mirror.host}/tool:v1`,
      message: expect.stringContaining('a part of the image is missing'),
    });
  });

  it('takes an image that is no list', async () => {
    const image = seedImage(mirror.storage, 'tool', { tags: ['v1'] });
    expect(await find('e.org/tool:v1')).toMatchObject({
      index: undefined,
      manifest: { digest: image.digest },
    });
  });

  it('takes the digest that the file pins, whatever the tag means', async () => {
    const pinned = seedImage(mirror.storage, 'tool', { seed: 'pinned' });
    seedImage(mirror.storage, 'tool', { seed: 'moved', tags: ['v1'] });
    const found = await findImage(plannedImage('e.org/tool:v1', mirror.host, pinned.digest), parts());
    expect(found.manifest.digest).toBe(pinned.digest);
  });

  it.each([
    ['in the repository', 'tool-amd64', 'v1'],
    ['in the tag', 'tool', 'v1-amd64'],
  ])('finds it under a name with the architecture %s', async (_, repository, tag) => {
    seedImage(mirror.storage, repository, { tags: [tag] });
    const found = await find('e.org/tool:v1');
    expect(found.namesArchitecture).toBe(true);
    expect(formatReference(found.pulledBy)).toBe(`${mirror.host}/${repository}:${tag}`);
  });

  it('goes on to the next name where one is for another platform', async () => {
    seedIndex(mirror.storage, 'tool', { tags: ['v1'], platforms: ['linux/arm64'] });
    const image = seedImage(mirror.storage, 'tools/tool', { tags: ['v1'] });
    expect((await find('e.org/tools/tool:v1')).manifest.digest).toBe(image.digest);
  });

  it.each<[string, (storage: TestRegistry['storage']) => void, string]>([
    [
      'a list without it',
      (storage) => seedIndex(storage, 'tool', { tags: ['v1'], platforms: ['linux/arm64', 'linux/s390x'] }),
      'linux/arm64, linux/s390x',
    ],
    [
      'an image of another',
      (storage) => seedImage(storage, 'tool', { tags: ['v1'], platform: 'linux/arm64' }),
      'linux/arm64',
    ],
    [
      'an index without platforms',
      (storage) => {
        const { digest, bytes, mediaType } = seedImage(storage, 'tool', {});
        const mediaTypeOfList = 'application/vnd.oci.image.index.v1+json';
        const list = {
          schemaVersion: 2,
          mediaType: mediaTypeOfList,
          manifests: [{ mediaType, digest, size: bytes.length }],
        };
        storage.putManifest('tool', Buffer.from(JSON.stringify(list)), mediaTypeOfList, ['v1']);
      },
      'an index without platforms',
    ],
  ])('says for which platforms it is: %s', async (_, seed, found) => {
    seed(mirror.storage);
    await expect(find('e.org/tool:v1')).rejects.toMatchObject({
      code: 'IMAGE_FOR_OTHER_PLATFORM',
      about: 'tool v1',
      message: `no image for linux/amd64: ${mirror.host}/tool:v1 is for ${found}`,
      hint: expect.stringContaining('mirror the image for this platform'),
    });
  });

  it('says of a web site that it is no registry', async () => {
    mirror.fail({ times: Number.POSITIVE_INFINITY, fault: htmlError(404) });
    await expect(find('e.org/tool:v1')).rejects.toMatchObject({ code: 'NOT_A_REGISTRY', about: mirror.host });
  });

  it('finds an image under its second name at a registry that has no page for GET /v2/', async () => {
    seedImage(mirror.storage, 'tool-amd64', { tags: ['v1'] });
    mirror.fail({ match: { kind: 'ping' }, times: Number.POSITIVE_INFINITY, fault: htmlError(404) });
    expect(formatReference((await find('e.org/tool:v1')).pulledBy)).toBe(`${mirror.host}/tool-amd64:v1`);
  });

  it('says under which name it looked first, and under how many others', async () => {
    await expect(find('e.org/tool:v1')).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      about: 'tool v1',
      message: `not found; tried ${mirror.host}/tool:v1 and 2 other names`,
    });
  });

  it('takes a denial for absence, and tells it where nothing else is found', async () => {
    const denied = { kind: 'status', status: 403 } as const;
    mirror.fail({ match: { kind: 'manifest-get' }, fault: denied });
    seedImage(mirror.storage, 'tool-amd64', { tags: ['v1'] });
    expect((await find('e.org/tool:v1')).namesArchitecture).toBe(true);
    mirror.fail({ match: { kind: 'manifest-get' }, times: Number.POSITIVE_INFINITY, fault: denied });
    await expect(find('e.org/tool:v1')).rejects.toMatchObject({ code: 'DENIED' });
  });

  it('asks for no other name where the registry is broken', async () => {
    mirror.fail({ match: { kind: 'manifest-get' }, fault: { kind: 'status', status: 500 } });
    await expect(find('e.org/tool:v1')).rejects.toMatchObject({ code: 'REGISTRY_BROKEN' });
    expect(mirror.journal.count('manifest-get')).toBe(1);
  });

  it('refuses a configuration that tells no platform', async () => {
    const config = Buffer.from('{}');
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const digest = mirror.storage.putBlob('tool', bytesContent(config));
    const described = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: config.length };
    const manifest = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType, config: described, layers: [] }),
    );
    mirror.storage.putManifest('tool', manifest, mediaType, ['v1']);
    await expect(find('e.org/tool:v1')).rejects.toMatchObject({
      code: 'IMAGE_UNUSABLE',
      message: 'its configuration does not state a platform',
    });
  });

  it('refuses a configuration that is too large to be one, and does not fetch it', async () => {
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const digest = mirror.storage.putBlob('tool', bytesContent(Buffer.from('{}')));
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 17 * 1024 ** 2 };
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }));
    mirror.storage.putManifest('tool', manifest, mediaType, ['v1']);
    await expect(find('e.org/tool:v1')).rejects.toMatchObject({
      code: 'IMAGE_UNUSABLE',
      message: 'its configuration has 17 MiB, so it is not a normal container image',
    });
    expect(mirror.journal.count('blob-get')).toBe(0);
  });
});

describe('findLockedImage', () => {
  it('takes the locked digest under the locked name, with the list that the lock has', async () => {
    const image = seedImage(mirror.storage, 'tool-amd64', { seed: 'locked' });
    const index = seedIndex(mirror.storage, 'other', {});
    const pulledBy = parseReference(`${mirror.host}/tool-amd64:v1`);
    const locked = { pulledBy, index: index.digest, digest: image.digest };
    const found = await findLockedImage(plannedImage('e.org/tool:v1', mirror.host), locked, parts());
    expect(found).toMatchObject({
      manifest: { digest: image.digest },
      index: index.digest,
      namesArchitecture: true,
    });
  });

  it('refuses one for another platform', async () => {
    const image = seedImage(mirror.storage, 'tool', { platform: 'linux/arm64' });
    const locked = {
      pulledBy: parseReference(`${mirror.host}/tool:v1`),
      index: undefined,
      digest: image.digest,
    };
    await expect(
      findLockedImage(plannedImage('e.org/tool:v1', mirror.host), locked, parts()),
    ).rejects.toMatchObject({
      code: 'IMAGE_FOR_OTHER_PLATFORM',
      message: `${image.digest} in the lock is for linux/arm64, not linux/amd64`,
    });
  });
});
