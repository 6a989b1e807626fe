import { describe, expect, it } from 'vitest';
import { bytesContent } from '../support/registry/content.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { APP, BYTES, DIGEST, pair, requests, stored } from './push-pair.ts';

/** How registries differ in what they answer to an upload. The address of each changes with every request. */
const FORMS: readonly [name: string, quirks: Quirks][] = [
  ['relative addresses', { uploadLocation: 'relative' }],
  ['absolute addresses', { uploadLocation: 'absolute' }],
  ['bare names for addresses', { uploadLocation: 'bare' }],
  ['addresses outside of /v2/', { uploadsElsewhere: true }],
  ['201 for a chunk', { chunkStatus: 201 }],
  ['ranges with their unit', { rangePrefix: 'bytes=' }],
  ['no range', { noUploadRange: true }],
  ['a range that stays where it was', { staleUploadRange: true }],
  ['half of each chunk kept', { keptShare: 0.5 }],
  ['half of each chunk kept, and no look at where one belongs', { keptShare: 0.5, ignoreContentRange: true }],
  ['a smallest chunk', { chunkMinimumLength: 2 * 1024 * 1024 }],
  ['nothing but Content-Length', { refuseUnknownLength: true }],
];

describe('an upload to a registry with', () => {
  it.each(FORMS)('%s arrives in one request', async (_, quirks) => {
    await using test = await pair({ quirks });
    expect(await test.push()).toBe('uploaded');
    expect(requests(test.sink)).toEqual(['mount', 'upload-put']);
    expect(test.sink.storage.blob(APP, DIGEST)).toEqual(bytesContent(BYTES));
  });

  it.each(FORMS)('%s arrives in chunks', async (_, quirks) => {
    await using test = await pair({ quirks: { ...quirks, putLimit: 1000 } });
    expect(await test.push()).toBe('uploaded');
    // 300,000 bytes are halved 19 times, then the last byte goes, and nothing is sent from the beginning.
    const chunks = quirks.keptShare === undefined ? 1 : 20;
    expect(test.sink.journal.count('upload-patch')).toBe(chunks);
    expect(test.sink.journal.count('upload-put')).toBe(2);
    expect(test.sink.storage.blob(APP, DIGEST)).toEqual(bytesContent(BYTES));
    expect(test.sink.uploads.open).toBe(0);
  });
});

describe('an upload that is completed with', () => {
  it('201 is believed', async () => {
    await using test = await pair();
    await test.push();
    expect(test.sink.journal.count('blob-head')).toBe(0);
  });

  it.each([200, 202, 204] as const)('%d is a success where the layer is there', async (completedStatus) => {
    for (const putLimit of [undefined, 1000]) {
      await using test = await pair({ quirks: { completedStatus, ...(putLimit && { putLimit }) } });
      expect(await test.push()).toBe('uploaded');
      expect(test.sink.journal.count('blob-head')).toBe(1);
      expect(stored(test.sink)).toBe(true);
      expect(test.sink.uploads.open).toBe(0);
    }
  });

  it.each([200, 202, 204])('%d is none where it is not', async (status) => {
    await using test = await pair();
    test.sink.fail({ match: { kind: 'upload-put' }, fault: { kind: 'status', status } });
    expect(await test.push()).toBe('uploaded');
    expect(test.sink.journal.count('upload-put')).toBe(2);
    expect(stored(test.sink)).toBe(true);
    test.sink.storage.deleteBlob(APP, DIGEST);
    test.sink.fail({ match: { kind: 'upload-put' }, times: Infinity, fault: { kind: 'status', status } });
    await expect(test.push()).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: `it answered ${status} to all bytes of a layer, but does not have it`,
    });
    expect(test.sink.uploads.open).toBe(0);
  });

  it.each([
    [200, true],
    [204, true],
    [202, false],
  ])('%d is believed where the registry tells nothing: %s', async (status, isBelieved) => {
    await using test = await pair();
    test.sink.fail({ match: { kind: 'upload-put' }, times: Infinity, fault: { kind: 'status', status } });
    test.sink.fail({
      match: { kind: 'blob-head' },
      times: Infinity,
      fault: { kind: 'status', status: 405 },
    });
    const pushing = test.push();
    if (isBelieved) expect(await pushing).toBe('uploaded');
    else await expect(pushing).rejects.toMatchObject({ code: 'REGISTRY_BROKEN' });
  });
});
