import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { bytesContent } from '../support/registry/content.ts';
import type { RequestMatch } from '../support/registry/journal.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { APP, BYTES, DIGEST, OPENING, OTHER, pair, requests, SOURCE, stored } from './push-pair.ts';

describe('a blob', () => {
  it('that is new costs two requests', async () => {
    await using test = await pair();
    expect(await test.push()).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['mount', 'upload-put']);
    expect(requests(test.source)).toEqual(['blob-get']);
    expect(stored(test.sink)).toBe(true);
    const [put] = test.sink.journal.filter({ kind: 'upload-put' });
    expect(put?.headers['content-length']).toBe('300000');
    expect(put?.bytesIn).toBe(300_000);
  });

  it('that another repository holds is mounted: one request, and none at the source', async () => {
    await using test = await pair();
    test.sink.storage.putBlob(OTHER, bytesContent(BYTES));
    expect(await test.push({ mountFrom: OTHER })).toBe('mounted');
    expect(requests(test.sink)).toEqual(['mount']);
    expect(test.source.journal.entries).toEqual([]);
    expect(stored(test.sink)).toBe(true);
  });

  it('that is there already is seen by one request, a mount from the repository itself', async () => {
    await using test = await pair();
    test.sink.storage.putBlob(APP, bytesContent(BYTES));
    expect(await test.push({ isAbsent: false })).toBe('present');
    expect(requests(test.sink)).toEqual(['mount']);
    expect(test.sink.uploads.open).toBe(0);
  });

  it('that may be there, and is not, costs no request more than a new one', async () => {
    await using test = await pair();
    expect(await test.push({ isAbsent: false })).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['mount', 'upload-put']);
  });

  it('without a byte is sent like any other', async () => {
    await using test = await pair();
    const digest = digestOf(Buffer.alloc(0));
    test.source.storage.putBlob(SOURCE, bytesContent(''));
    expect(await test.push({ descriptor: { digest, size: 0 } })).toBe('uploaded');
    expect(stored(test.sink, digest)).toBe(true);
  });

  it.each<Quirks>([{ uploadLocation: 'absolute' }, { uploadLocation: 'relative' }])(
    'goes where the registry says: %o',
    async (quirks) => {
      await using test = await pair({ quirks });
      expect(await test.push()).toBe('uploaded');
      const [put] = test.sink.journal.filter({ kind: 'upload-put' });
      expect(put?.query.get('_state')).toMatch(/^[0-9a-f-]{36}$/);
      expect(put?.query.get('digest')).toBe(DIGEST);
    },
  );

  it('is uploaded elsewhere without the login, if the registry says so', async () => {
    await using test = await pair({ access: { mode: 'basic', users: { keel: 'secret' } } });
    await using elsewhere = await startRegistry({ quirks: { uploadLocation: 'absolute' } });
    const opened = await fetch(`${elsewhere.url}/v2/keel/app/blobs/uploads/`, { method: 'POST' });
    const headers = { location: opened.headers.get('location') ?? '' };
    test.sink.fail({ match: OPENING, fault: { kind: 'status', status: 202, headers } });
    expect(await test.push()).toBe('uploaded');
    expect(stored(elsewhere)).toBe(true);
    const [put] = elsewhere.journal.filter({ kind: 'upload-put' });
    expect(put?.headers.authorization).toBeUndefined();
  });
});

describe('a host that wants a login and gets none', () => {
  const BASIC = { mode: 'basic', users: { keel: 'secret' } } as const;

  it('because the address of the upload is there is told as that', async () => {
    await using elsewhere = await startRegistry({ access: BASIC });
    await using test = await pair({ access: BASIC });
    const location = `${elsewhere.url}/v2/keel/app/blobs/uploads/1`;
    test.sink.fail({ match: OPENING, fault: { kind: 'status', status: 202, headers: { location } } });
    await expect(test.push()).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      status: 401,
      hint: `the address of the upload is at ${elsewhere.host}, which gets no login: set the external URL of the registry, or the host headers of a proxy in front of it, to ${test.sink.host}`,
    });
    expect(elsewhere.journal.count('upload-put')).toBe(1);
    expect(elsewhere.journal.entries.filter(({ headers }) => headers.authorization !== undefined)).toEqual(
      [],
    );
  });

  it('because the registry redirects there is told as that', async () => {
    await using elsewhere = await startRegistry({ access: BASIC });
    await using test = await pair({ access: BASIC });
    const redirect = { kind: 'redirect', location: `${elsewhere.url}/v2/`, status: 307 } as const;
    test.sink.fail({ match: { kind: ['tags-list', 'upload-put'] }, times: Infinity, fault: redirect });
    const hint = `the registry redirects to ${elsewhere.host}, which gets no login: set the external URL of the registry, or the host headers of a proxy in front of it, to ${test.sink.host}`;
    await expect(test.push()).rejects.toMatchObject({ code: 'UNAUTHORIZED', hint });
    const listing = test.client.registry.listTags(APP, test.client.signal);
    await expect(listing).rejects.toMatchObject({ code: 'UNAUTHORIZED', hint });
  });

  it('because the next page of a list is there is told as that', async () => {
    await using elsewhere = await startRegistry({ access: BASIC });
    await using test = await pair();
    const headers = { link: `<${elsewhere.url}/v2/keel/app/tags/list?last=a>; rel="next"` };
    const body = '{"name":"keel/app","tags":["a"]}';
    test.sink.fail({ match: { kind: 'tags-list' }, fault: { kind: 'status', status: 200, headers, body } });
    await expect(test.client.registry.listTags(APP, test.client.signal)).rejects.toMatchObject({
      hint: expect.stringContaining(`the address that the registry gave is at ${elsewhere.host}, which`),
    });
  });
});

describe('a mount', () => {
  const REFUSALS = [400, 401, 402, 403, 404, 405, 406, 409, 411, 412, 415, 422, 451, 501];

  it.each(REFUSALS)('refused with %d, listed or not, is followed by an upload', async (status) => {
    await using test = await pair();
    test.sink.fail({ match: { kind: 'mount' }, fault: { kind: 'status', status } });
    test.sink.storage.putBlob(OTHER, bytesContent(BYTES));
    expect(await test.push({ mountFrom: OTHER })).toBe('uploaded');
    const froms = test.sink.journal.filter({ kind: 'mount' }).map(({ query }) => query.get('from'));
    expect(froms).toEqual([OTHER, APP]);
    expect(test.sink.journal.count('upload-put')).toBe(1);
    expect(test.sink.uploads.open).toBe(0);
  });

  it.each(REFUSALS)('refused with %d from anywhere is no failure of the push', async (status) => {
    await using test = await pair({ quirks: { refuseMount: status } });
    expect(await test.push({ mountFrom: OTHER })).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['mount', 'mount', 'upload-start', 'upload-put']);
    // Where the layer is there already, a refusal of HEAD too means that this is not known.
    test.sink.fail({ match: { kind: 'blob-head' }, fault: { kind: 'status', status } });
    expect(await test.push({ isAbsent: false })).toBe('uploaded');
  });

  it('that is answered as by a web site is no refusal, and the push fails', async () => {
    await using test = await pair();
    const everything = { times: Number.POSITIVE_INFINITY, fault: { kind: 'status', status: 200 } } as const;
    test.sink.fail({ match: { kind: ['mount', 'upload-start', 'blob-head'] }, ...everything });
    await expect(test.push({ mountFrom: OTHER })).rejects.toMatchObject({
      code: 'REGISTRY_REFUSED',
      message: expect.stringContaining('the registry answered 200'),
    });
  });

  it('that the token service denies is not asked for again', async () => {
    const access = { mode: 'bearer', users: { keel: 'secret' } } as const;
    await using test = await pair({ access });
    const forBoth: RequestMatch = {
      kind: 'token',
      when: ({ query }) => query.getAll('scope').some((scope) => scope.includes(OTHER)),
    };
    test.sink.fail({ match: forBoth, times: Infinity, fault: { kind: 'status', status: 403 } });
    expect(await test.push({ mountFrom: OTHER })).toBe('uploaded');
    for (const name of ['keel/second', 'keel/third']) {
      expect(await test.push({ mountFrom: OTHER, repository: parseRepository(name) })).toBe('uploaded');
    }
    expect(test.sink.journal.count(forBoth)).toBe(1);
  });

  it('that opens an upload is used as one', async () => {
    await using test = await pair();
    expect(await test.push({ mountFrom: OTHER })).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['mount', 'upload-put']);
  });

  it('from itself is trusted no more after it was wrong about a large blob', async () => {
    await using test = await pair({ quirks: { selfMountOpensUpload: true } });
    const size = 9 * 1024 * 1024;
    const digest = test.sink.storage.putBlob(APP, bytesContent(Buffer.alloc(size)));
    const descriptor = { digest, size };
    expect(await test.push({ descriptor, isAbsent: false })).toBe('present');
    expect(requests(test.sink)).toEqual(['mount', 'blob-head', 'upload-delete']);
    test.sink.journal.clear();
    expect(await test.push({ descriptor, isAbsent: false })).toBe('present');
    expect(requests(test.sink)).toEqual(['blob-head']);
    expect(test.source.journal.entries).toEqual([]);
  });

  it('from itself that is refused is not tried again', async () => {
    await using test = await pair({ quirks: { refuseMount: 405 } });
    expect(await test.push({ isAbsent: false })).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['mount', 'blob-head', 'upload-start', 'upload-put']);
    test.sink.journal.clear();
    expect(await test.push({ isAbsent: false })).toBe('present');
    expect(requests(test.sink)).toEqual(['blob-head']);
  });

  it('is not believed where the registry contradicted itself', async () => {
    await using test = await pair();
    expect(await test.push({ isAbsent: false, isDoubted: true })).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['blob-head', 'upload-start', 'upload-put']);
  });
});
