import { describe, expect, it } from 'vitest';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { listReferrers } from '../../src/registry/referrers.ts';
import type { Fault } from '../support/registry/faults.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const IMAGE = digestOf(Buffer.from('image'));
const ONE = digestOf(Buffer.from('one'));
const OTHER = digestOf(Buffer.from('other'));

function indexOf(manifests: readonly object[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests });
}

function entry(digest: string, more: object = {}): object {
  return { mediaType: MEDIA_TYPE.ociManifest, digest, size: 7, ...more };
}

function answer(body: string, headers: Readonly<Record<string, string>> = {}): Fault {
  return { kind: 'status', status: 200, headers: { 'content-type': MEDIA_TYPE.ociIndex, ...headers }, body };
}

/** Stores a list under the tag that stands for the API. */
function tag(server: TestRegistry, body: string): void {
  server.storage.putManifest('app', Buffer.from(body), MEDIA_TYPE.ociIndex, [`sha256-${digestHex(IMAGE)}`]);
}

async function list(server: TestRegistry) {
  using client = new TestClient(server.host);
  return await listReferrers(client.registry, APP, IMAGE, client.signal);
}

describe('the API', () => {
  it('gives the digests of all pages, and their types where it has any', async () => {
    await using server = await startRegistry();
    const next = { link: `</v2/app/referrers/${IMAGE}?page=2>; rel="next"` };
    const match = { kind: 'referrers' } as const;
    server.fail({ match, fault: answer(indexOf([entry(ONE, { artifactType: 'a/b' })]), next) });
    server.fail({ match, fault: answer(indexOf([entry(OTHER, { artifactType: 7 })])) });
    expect(await list(server)).toEqual([
      { digest: ONE, artifactType: 'a/b' },
      { digest: OTHER, artifactType: undefined },
    ]);
    expect(server.journal.count('manifest-get')).toBe(0);
  });

  it.each([
    [[], 'null'],
    [[ONE], `\uFEFF${JSON.stringify({ manifests: [null, entry(ONE)] })}`],
  ])('gives %j of what other programs write so', async (expected, body) => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'referrers' }, fault: answer(body) });
    expect((await list(server)).map(({ digest }) => digest)).toEqual(expected);
    expect(server.journal.count('manifest-get')).toBe(0);
  });

  it('gives the beginning of a list that is longer than any image needs', async () => {
    await using server = await startRegistry();
    for (let page = 1; page <= 25; page += 1) {
      const next = { link: `</v2/app/referrers/${IMAGE}?page=${page + 1}>; rel="next"` };
      server.fail({
        match: { kind: 'referrers' },
        fault: answer(indexOf([entry(digestOf(Buffer.from(`${page}`)))]), next),
      });
    }
    expect(await list(server)).toHaveLength(20);
    expect([server.journal.count('referrers'), server.journal.count('manifest-get')]).toEqual([20, 0]);
  });

  it('is not said to be missing when only a later page of it is', async () => {
    await using server = await startRegistry();
    const next = { link: `</v2/app/referrers/${IMAGE}?page=2>; rel="next"` };
    server.fail({ match: { kind: 'referrers' }, fault: answer(indexOf([entry(ONE)]), next) });
    server.fail({ match: { kind: 'referrers' }, fault: { kind: 'status', status: 404 } });
    tag(server, indexOf([entry(OTHER)]));
    await expect(list(server)).rejects.toMatchObject({ code: 'LIST_INCOMPLETE' });
  });

  it('is tried again after a passing fault, and its failure is told', async () => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'referrers' }, times: Infinity, fault: { kind: 'status', status: 503 } });
    await expect(list(server)).rejects.toMatchObject({ code: 'REGISTRY_BROKEN', status: 503 });
    expect([server.journal.count('referrers'), server.journal.count('manifest-get')]).toEqual([3, 0]);
  });
});

describe('the tag in its place', () => {
  it.each<[string, Fault]>([
    ['has no such API', { kind: 'status', status: 404 }],
    ['lets nothing through that it does not know', { kind: 'status', status: 403 }],
    ['answers with something else', answer('{"manifests":[{}]}')],
    ['answers with a page', answer('<html>')],
  ])('is read where a registry %s', async (_, fault) => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'referrers' }, fault });
    tag(server, indexOf([entry(ONE)]));
    expect(await list(server)).toEqual([{ digest: ONE, artifactType: undefined }]);
    expect(server.journal.count('referrers')).toBe(1);
  });

  it.each([404, 403])('may be missing, as %d says', async (status) => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'manifest-get' }, fault: { kind: 'status', status } });
    expect(await list(server)).toEqual([]);
  });

  it('is no list of referrers where it is an image', async () => {
    await using server = await startRegistry();
    const config = entry(ONE);
    tag(server, JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers: [] }));
    await expect(list(server)).rejects.toMatchObject({ code: 'REGISTRY_BROKEN' });
  });
});
