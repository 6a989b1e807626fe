import { describe, expect, it } from 'vitest';
import { openUpload } from '../../src/registry/blob-upload.ts';
import { parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import type { Access } from '../support/registry/access.ts';
import { bytesContent } from '../support/registry/content.ts';
import { endlessRedirect } from '../support/registry/faults.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const TAG = parseTag('1.0');
const LOGIN = { username: 'keel', password: 'se:cret' };
const BEARER: Access = { mode: 'bearer', users: { keel: 'se:cret' } };
const UNAUTHORIZED = {
  kind: 'status',
  status: 401,
  headers: { 'www-authenticate': 'Bearer realm="/token"' },
} as const;

describe('a login', () => {
  it('by password goes with every request', async () => {
    await using server = await startRegistry({ access: { mode: 'basic', users: { keel: 'se:cret' } } });
    const image = seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host, { login: LOGIN });
    expect((await client.registry.getManifest(APP, TAG, client.signal)).digest).toBe(image.digest);
    const basic = Buffer.from('keel:se:cret').toString('base64');
    expect(server.journal.entries.map(({ kind, headers }) => [kind, headers.authorization])).toEqual([
      ['ping', undefined],
      ['manifest-get', `Basic ${basic}`],
    ]);
    expect(client.secrets).toContain(basic);
    expect(await client.registry.logIn(APP)).toBe('keel');
  });

  it.each(['token', 'access_token'] as const)('by %s asks once for each repository', async (tokenField) => {
    await using server = await startRegistry({ access: { ...BEARER, tokenField } });
    const names = ['app', 'other/app'].map((name) => parseRepository(name));
    for (const name of names) seedImage(server.storage, name, { tags: ['1.0'] });
    using client = new TestClient(server.host, { login: LOGIN });
    await Promise.all(
      [...names, ...names].map((name) => client.registry.findManifest(name, TAG, client.signal)),
    );
    expect(server.journal.tally()).toEqual({ ping: 1, token: 2, 'manifest-head': 4 });
    const [first] = server.journal.filter({ kind: 'token' });
    expect(first?.query.getAll('scope')).toEqual(['repository:app:pull']);
    expect(first?.query.get('service')).toBe('test-registry');
    const sent = server.journal.filter({ kind: 'manifest-head' }).map(({ headers }) => headers.authorization);
    for (const header of sent) expect(client.secrets).toContain(header?.replace('Bearer ', ''));
  });

  it('names the repository to push to first when it mounts', async () => {
    await using server = await startRegistry({ access: BEARER });
    const digest = server.storage.putBlob('other', bytesContent('layer'));
    using client = new TestClient(server.host, { login: LOGIN });
    await client.registry.ping();
    const mount = { digest, from: parseRepository('other') };
    expect(await openUpload(client.registry, APP, client.signal, mount)).toBe('mounted');
    const [token] = server.journal.filter({ kind: 'token' });
    expect(token?.query.getAll('scope')).toEqual(['repository:app:pull,push', 'repository:other:pull']);
  });

  it('by anonymous token reads what anyone may', async () => {
    await using server = await startRegistry({ access: { ...BEARER, anonymousPull: true } });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host);
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
    expect(server.journal.filter({ kind: 'token' })[0]?.headers.authorization).toBeUndefined();
  });

  it('goes on without a token where the token endpoint is missing and nobody asked for one', async () => {
    await using server = await startRegistry();
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail({ match: { kind: 'ping' }, fault: UNAUTHORIZED });
    server.fail({ match: { kind: 'token' }, fault: { kind: 'status', status: 404 } });
    using client = new TestClient(server.host);
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
    expect(server.journal.tally()).toEqual({ ping: 1, token: 1, 'tags-list': 1 });
  });

  it('by identity token is posted, and never sent to the registry itself', async () => {
    const access: Access = { ...BEARER, identityTokens: { 'refresh me': 'keel' } };
    await using server = await startRegistry({ access });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host, { identityToken: 'refresh me' });
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
    const [token] = server.journal.filter({ kind: 'token' });
    expect([token?.method, token?.headers.authorization, token?.query.size]).toEqual(['POST', undefined, 0]);
    expect(server.journal.filter({ kind: 'tags-list' })[0]?.headers.authorization).toMatch(/^Bearer /);
  });

  it('is renewed once when its token is not taken any more', async () => {
    await using server = await startRegistry({ access: BEARER });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host, { login: LOGIN });
    const ask = () => client.registry.findManifest(APP, TAG, client.signal);
    await ask();
    server.revokeTokens();
    server.journal.clear();
    await Promise.all([ask(), ask(), ask()]);
    expect(server.journal.count('token')).toBe(1);
    expect(server.journal.count({ kind: 'manifest-head', when: ({ status }) => status === 200 })).toBe(3);
  });

  it('that is refused for ever ends, and asks the token endpoint no more than twice', async () => {
    await using server = await startRegistry({ access: BEARER });
    server.fail({ match: { kind: 'manifest-get' }, times: Infinity, fault: UNAUTHORIZED });
    using client = new TestClient(server.host, { login: LOGIN });
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      status: 401,
    });
    expect(server.journal.tally()).toEqual({ ping: 1, token: 2, 'manifest-get': 2 });
  });

  it('with a wrong password is tried once a run', async () => {
    await using server = await startRegistry({ access: BEARER });
    using client = new TestClient(server.host, { login: { ...LOGIN, password: 'wrong' } });
    const names = ['a', 'b', 'c'].map((name) => parseRepository(name));
    for (const name of names) {
      await expect(client.registry.listTags(name, client.signal)).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
        message: expect.stringContaining('cannot log in'),
      });
    }
    expect(server.journal.tally()).toEqual({ ping: 1, token: 1 });
  });

  it('is asked for before a run begins', async () => {
    await using server = await startRegistry({ access: BEARER });
    using known = new TestClient(server.host, { login: LOGIN });
    expect(await known.registry.logIn(APP)).toBe('keel');
    using unknown = new TestClient(server.host);
    await expect(unknown.registry.logIn(APP)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(server.journal.count({ when: ({ method }) => method !== 'GET' })).toBe(0);
  });

  it('without the right to push is told as such', async () => {
    const allows = (_user: string | undefined, _name: string, action: string): boolean => action === 'pull';
    await using server = await startRegistry({ access: { ...BEARER, allows, deniedStatus: 403 } });
    const image = seedImage(server.storage, 'app');
    using client = new TestClient(server.host, { login: LOGIN });
    await expect(client.registry.putManifest(APP, TAG, image, client.signal)).rejects.toMatchObject({
      code: 'DENIED',
      about: `${server.host}/app:1.0`,
    });
  });

  it('by a token service that answers nonsense fails after all attempts', async () => {
    await using server = await startRegistry({ access: BEARER });
    for (const body of ['{}', '<html>', '{"token":"a b"}']) {
      server.fail({ match: { kind: 'token' }, fault: { kind: 'status', status: 200, body } });
    }
    using client = new TestClient(server.host, { login: LOGIN });
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: 'its token service answered without a token',
    });
    expect(server.journal.count('token')).toBe(3);
  });

  it('survives a token service that is down for a moment', async () => {
    await using server = await startRegistry({ access: BEARER });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail({ match: { kind: 'token' }, fault: { kind: 'status', status: 503 } });
    server.fail({ match: { kind: 'token' }, fault: { kind: 'reset' } });
    using client = new TestClient(server.host, { login: LOGIN });
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
  });
});

describe('a redirect', () => {
  it('to storage carries no login, nor does anything after it', async () => {
    await using server = await startRegistry({ access: BEARER, redirectBlobs: true });
    const content = bytesContent('layer');
    const digest = server.storage.putBlob('app', content);
    using client = new TestClient(server.host, { login: LOGIN });
    const descriptor = { mediaType: 'l', digest, size: 5 };
    expect((await client.registry.readBlob(APP, descriptor, client.signal)).toString()).toBe('layer');
    const stored = server.journal.filter({ listener: 'storage' });
    expect(stored.map(({ status, headers }) => [status, headers.authorization])).toEqual([[200, undefined]]);
    expect(stored[0]?.query.get('signature')).toBe('keel');
  });

  it('back to the registry does not bring the login back', async () => {
    await using other = await startRegistry();
    await using server = await startRegistry({ access: BEARER });
    const digest = server.storage.putBlob('app', bytesContent('layer'));
    const elsewhere = `${other.url}/v2/app/blobs/${digest}`;
    const back = `${server.url}/v2/app/blobs/${digest}`;
    server.fail({ match: { kind: 'blob-get' }, fault: { kind: 'redirect', location: elsewhere } });
    other.fail({ match: { kind: 'blob-get' }, fault: { kind: 'redirect', location: back } });
    using client = new TestClient(server.host, { login: LOGIN, attempts: 1 });
    const descriptor = { mediaType: 'l', digest, size: 5 };
    // The way back ends with 401, which is answered by asking again from the start.
    expect((await client.registry.readBlob(APP, descriptor, client.signal)).toString()).toBe('layer');
    const carriesLogin = (from: typeof server) =>
      from.journal.filter({ kind: 'blob-get' }).map(({ headers }) => headers.authorization !== undefined);
    expect(carriesLogin(server)).toEqual([true, false, true]);
    expect(carriesLogin(other)).toEqual([false]);
  });

  it('that never ends is given up', async () => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'manifest-get' }, times: Infinity, fault: endlessRedirect() });
    using client = new TestClient(server.host);
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: expect.stringContaining('redirects without end'),
    });
    expect(server.journal.count('manifest-get')).toBe(9);
  });

  it('of a front is followed for lists and manifests', async () => {
    await using server = await startRegistry({ frontDoor: true, listing: { pageSize: 1 } });
    const image = seedImage(server.storage, 'a/pause', {
      tags: ['3.9', '3.10'],
      uploaded: 1_700_000_000_000,
    });
    using client = new TestClient(server.host);
    const pause = parseRepository('a/pause');
    const list = await client.registry.listTags(pause, client.signal);
    expect(list.tags).toEqual(['3.10', '3.9']);
    expect(list.manifests.get(parseTag('3.9'))).toEqual({
      digest: image.digest,
      uploaded: new Date(1_700_000_000_000),
    });
    expect((await client.registry.listTags(undefined, client.signal)).children).toEqual(['a']);
    expect((await client.registry.getManifest(pause, parseTag('3.9'), client.signal)).digest).toBe(
      image.digest,
    );
  });
});
