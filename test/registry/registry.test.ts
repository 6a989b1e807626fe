import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import { MANIFEST_ACCEPT, MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parseRepository, parseTag, type Tag } from '../../src/registry/oci/reference.ts';
import { readBlob } from '../../src/registry/small-blob.ts';
import { bytesContent } from '../support/registry/content.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const TAG = parseTag('1.0');

describe('reading manifests', () => {
  it('gives the bytes as they were sent, for any of the four types', async () => {
    await using server = await startRegistry();
    using client = new TestClient(server.host);
    for (const family of ['oci', 'docker'] as const) {
      const index = seedIndex(server.storage, 'app', { family, tags: [family] });
      const got = await client.registry.getManifest(APP, parseTag(family), client.signal);
      expect(got).toEqual(index);
      if (got.kind !== 'index') throw new Error('it is an index');
      for (const { digest } of got.manifests) {
        expect((await client.registry.getManifest(APP, digest, client.signal)).kind).toBe('image');
      }
    }
    const accepts = server.journal.filter({ kind: 'manifest-get' }).map(({ headers }) => headers.accept);
    expect(new Set(accepts)).toEqual(new Set([MANIFEST_ACCEPT]));
  });

  it('takes no manifest for another', async () => {
    await using server = await startRegistry();
    const wanted = seedImage(server.storage, 'app', { seed: 'a' });
    const other = seedImage(server.storage, 'app', { seed: 'b' });
    server.fail({
      match: { kind: 'manifest-get' },
      times: 3,
      fault: {
        kind: 'status',
        status: 200,
        headers: { 'content-type': other.mediaType, 'docker-content-digest': wanted.digest },
        body: other.bytes.toString(),
      },
    });
    using client = new TestClient(server.host);
    await expect(client.registry.getManifest(APP, wanted.digest, client.signal)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    expect((await client.registry.getManifest(APP, wanted.digest, client.signal)).digest).toBe(wanted.digest);
  });

  it('refuses more than 4 MiB', async () => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'manifest-get' }, fault: { kind: 'huge-json', bytes: 5 * 1024 * 1024 } });
    using client = new TestClient(server.host);
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      about: `${server.host}/app:1.0`,
    });
  });

  it('tells what is absent', async () => {
    await using server = await startRegistry();
    using client = new TestClient(server.host);
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await client.registry.findManifest(APP, TAG, client.signal)).toBeUndefined();
    expect(server.journal.tally()).toEqual({ ping: 1, 'manifest-get': 2, 'manifest-head': 1 });
  });

  it('finds a digest and a type with HEAD, or with GET where HEAD tells none', async () => {
    await using server = await startRegistry();
    const { digest } = seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host);
    const find = (name: string) => client.registry.findManifest(APP, parseTag(name), client.signal);
    const found = { digest, mediaType: MEDIA_TYPE.ociManifest };
    expect(await find('1.0')).toEqual(found);
    expect(server.journal.tally()).toEqual({ ping: 1, 'manifest-head': 1 });
    server.quirks = { noDigestOnHead: true };
    expect(await find('1.0')).toMatchObject(found);
    expect(server.journal.tally()).toEqual({ ping: 1, 'manifest-head': 2, 'manifest-get': 1 });
    server.quirks = {};
    server.fail({ match: { kind: 'manifest-head' }, fault: { kind: 'status', status: 405 } });
    expect(await find('1.0')).toMatchObject(found);
    server.fail({ match: { kind: 'manifest-head' }, fault: { kind: 'status', status: 403 } });
    expect(await find('absent')).toBeUndefined();
  });
});

/** How a front end may refuse `HEAD` though it answers `GET`. */
const REFUSALS = [400, 403, 404, 405, 406, 410, 415, 501] as const;

describe('a refused HEAD', () => {
  it.each(REFUSALS)('(%i) says nothing about a manifest that GET finds', async (status) => {
    await using server = await startRegistry();
    const { digest } = seedImage(server.storage, 'app', { tags: ['1.0'] });
    const fault = { kind: 'status', status } as const;
    server.fail({ match: { kind: 'manifest-head' }, times: Infinity, fault });
    using client = new TestClient(server.host);
    expect(await client.registry.findManifest(APP, TAG, client.signal)).toMatchObject({ digest });
    expect(server.journal.tally()).toMatchObject({ 'manifest-head': 1, 'manifest-get': 1 });
  });

  it.each(REFUSALS)('(%i) leaves the last word to GET where there is none', async (status) => {
    await using server = await startRegistry();
    const fault = { kind: 'status', status } as const;
    server.fail({ match: { kind: 'manifest-head' }, times: Infinity, fault });
    using client = new TestClient(server.host);
    expect(await client.registry.findManifest(APP, TAG, client.signal)).toBeUndefined();
  });

  it.each([500, 502, 504])('(%i), however often it is tried, says nothing either', async (status) => {
    await using server = await startRegistry();
    const { digest } = seedImage(server.storage, 'app', { tags: ['1.0'] });
    const fault = { kind: 'status', status } as const;
    server.fail({ match: { kind: 'manifest-head' }, times: Infinity, fault });
    using client = new TestClient(server.host, { attempts: 3 });
    const find = (name: Tag | Digest) => client.registry.findManifest(APP, name, client.signal);
    expect(await find(TAG)).toMatchObject({ digest });
    expect(await find(digest)).toMatchObject({ digest });
    expect(await client.registry.claimsManifest(APP, digest, client.signal)).toBe(true);
    expect(await find(parseTag('nosuch'))).toBeUndefined();
    expect(server.journal.tally()).toMatchObject({ 'manifest-head': 12, 'manifest-get': 4 });
  });

  it('because the registry is not available, or asks for a pause, is not followed by another question', async () => {
    await using server = await startRegistry();
    const match = { kind: 'manifest-head' } as const;
    const pause = { 'retry-after': '3600' };
    server.fail({ match, fault: { kind: 'status', status: 503 } });
    server.fail({ match, fault: { kind: 'status', status: 500, headers: pause } });
    using client = new TestClient(server.host, { attempts: 1 });
    for (const status of [503, 500]) {
      await expect(client.registry.findManifest(APP, TAG, client.signal)).rejects.toMatchObject({ status });
    }
    expect(server.journal.count('manifest-get')).toBe(0);
  });

  it('for want of a login ends clearly', async () => {
    await using server = await startRegistry();
    const fault = { kind: 'status', status: 401 } as const;
    server.fail({ match: { kind: 'manifest-head' }, times: Infinity, fault });
    using client = new TestClient(server.host);
    await expect(client.registry.findManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
  });
});

describe('whether pushing a manifest can be saved', () => {
  it('costs one question where there is none', async () => {
    await using server = await startRegistry();
    const { digest } = seedImage(server.storage, 'app');
    using client = new TestClient(server.host);
    const other = digestOf(Buffer.from('other'));
    expect(await client.registry.claimsManifest(APP, digest, client.signal)).toBe(true);
    expect(await client.registry.claimsManifest(APP, other, client.signal)).toBe(false);
    expect(server.journal.tally()).toEqual({ ping: 1, 'manifest-head': 2 });
  });

  it.each([400, 401, 403, 405])('is no where the question is refused (%i)', async (status) => {
    await using server = await startRegistry();
    const { digest } = seedImage(server.storage, 'app');
    const fault = { kind: 'status', status } as const;
    server.fail({ match: { kind: ['manifest-head', 'manifest-get'] }, times: Infinity, fault });
    using client = new TestClient(server.host);
    expect(await client.registry.claimsManifest(APP, digest, client.signal)).toBe(false);
  });
});

describe('what does not look like a registry', () => {
  const page = { kind: 'status', status: 404, headers: { 'content-type': 'text/html' } } as const;

  it('is told as long as it does not answer as one', async () => {
    await using server = await startRegistry();
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    const when = ({ path }: { readonly path: string }) => !path.includes('/app/');
    server.fail({ match: { when }, times: Infinity, fault: page });
    using client = new TestClient(server.host);
    expect(client.registry.likeness.oddity).toBeUndefined();
    await expect(client.registry.listTags(parseRepository('nosuch'), client.signal)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(client.registry.likeness.oddity).toBe('GET /v2/ is answered 404 with text/html');
    await client.registry.listTags(APP, client.signal);
    expect(client.registry.likeness.oddity).toBeUndefined();
  });

  it('may be one all the same, which a manifest shows', async () => {
    await using server = await startRegistry();
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail({ match: { kind: 'ping' }, times: Infinity, fault: { kind: 'status', status: 405 } });
    using client = new TestClient(server.host);
    await client.registry.ping();
    expect(client.registry.likeness.oddity).toBe('GET /v2/ is refused');
    await client.registry.getManifest(APP, TAG, client.signal);
    expect(client.registry.likeness.oddity).toBeUndefined();
  });
});

describe('the question for the version', () => {
  it.each([400, 405, 410, 501])('may be refused (%i): others tell what a registry can do', async (status) => {
    await using server = await startRegistry();
    const { digest } = seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail({ match: { kind: 'ping' }, times: Infinity, fault: { kind: 'status', status } });
    using client = new TestClient(server.host);
    expect(await client.registry.findManifest(APP, TAG, client.signal)).toMatchObject({ digest });
  });
});

describe('pushing manifests', () => {
  it('leaves every byte as it is', async () => {
    await using server = await startRegistry();
    const image = seedImage(server.storage, 'app');
    server.storage.deleteManifest('app', image.digest);
    using client = new TestClient(server.host);
    await client.registry.putManifest(APP, image.digest, image, client.signal);
    await client.registry.putManifest(APP, TAG, image, client.signal);
    expect(server.storage.manifest('app', '1.0')?.bytes).toEqual(image.bytes);
    expect(server.journal.tally()).toEqual({ ping: 1, 'manifest-put': 2 });
  });

  it('tells when parts of it are missing', async () => {
    await using server = await startRegistry();
    const image = seedImage(server.storage, 'other');
    using client = new TestClient(server.host);
    await expect(client.registry.putManifest(APP, TAG, image, client.signal)).rejects.toMatchObject({
      code: 'CONTENT_UNKNOWN',
      about: `${server.host}/app:1.0`,
    });
    expect(server.journal.count('manifest-put')).toBe(1);
  });

  it('notices a registry that changed it', async () => {
    await using server = await startRegistry();
    const image = seedImage(server.storage, 'app');
    const headers = { 'docker-content-digest': digestOf(Buffer.from('other')) };
    server.fail({ match: { kind: 'manifest-put' }, fault: { kind: 'status', status: 201, headers } });
    using client = new TestClient(server.host);
    await expect(client.registry.putManifest(APP, TAG, image, client.signal)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });

  it('is tried again when only the answer was lost', async () => {
    await using server = await startRegistry();
    const image = seedImage(server.storage, 'app');
    server.fail({ match: { kind: 'manifest-put' }, fault: { kind: 'reset' } });
    using client = new TestClient(server.host);
    await client.registry.putManifest(APP, TAG, image, client.signal);
    expect(server.storage.manifest('app', '1.0')?.digest).toBe(image.digest);
  });
});

describe('small blobs', () => {
  it('are checked when they are read', async () => {
    await using server = await startRegistry({ redirectBlobs: true });
    const digest = server.storage.putBlob('app', bytesContent('config'));
    const descriptor = { mediaType: 'c', digest, size: 6 };
    using client = new TestClient(server.host);
    server.fail({ match: { kind: 'storage-get' }, fault: { kind: 'wrong-bytes' } });
    server.fail({ match: { kind: 'storage-get' }, fault: { kind: 'truncate', bytes: 3, declared: 'short' } });
    expect((await readBlob(client.registry, APP, descriptor, client.signal)).toString()).toBe('config');
    expect(server.journal.count('storage-get')).toBe(3);
    const longer = { ...descriptor, size: 3 };
    await expect(readBlob(client.registry, APP, longer, client.signal)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });
});
