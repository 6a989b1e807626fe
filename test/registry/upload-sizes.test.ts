import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { generatedContent } from '../support/registry/content.ts';
import type { Fault } from '../support/registry/faults.ts';
import { type Quirks, VENDOR_QUIRKS } from '../support/registry/quirks.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';
import { bring } from './push-pair.ts';

const MEBIBYTE = 1024 * 1024;
const APP = parseRepository('app');

/** Pushes layers of so many mebibytes, one after the other, and tells the requests of each that reached the uploads. */
async function pushed(
  quirks: Quirks,
  sizes: readonly number[],
  prepare: (sink: TestRegistry) => void = () => undefined,
): Promise<string[][]> {
  await using source = await startRegistry();
  await using sink = await startRegistry({ quirks, discardAbove: 0 });
  using client = new TestClient(sink.host);
  prepare(sink);
  const told: string[][] = [];
  for (const mebibytes of sizes) {
    const size = mebibytes * MEBIBYTE;
    const digest = source.storage.putBlob(APP, generatedContent(`layer of ${mebibytes}`, size));
    sink.journal.clear();
    const placed = await bring(client, source, { digest, size });
    expect(placed).toBe('uploaded');
    expect(sink.storage.blob(APP, digest)).toEqual({ kind: 'discarded', size });
    const sent = sink.journal.filter({ kind: ['upload-put', 'upload-patch', 'upload-status'] });
    told.push(
      sent.map(({ kind, headers, status }) => {
        const length = Number(headers['content-length'] ?? 0) / MEBIBYTE;
        return `${kind.slice('upload-'.length)} ${length} ${status === 0 ? 'cut' : status}`;
      }),
    );
  }
  expect(sink.uploads.open).toBe(0);
  return told;
}

describe('a size that nobody negotiated', () => {
  it('is halved after 413, and not tried again for the next layer', async () => {
    const limit = MEBIBYTE * 2;
    const quirks: Quirks = { putLimit: limit, chunkLimit: { bytes: limit, status: 413 } };
    const [first, second] = await pushed(quirks, [20, 5]);
    const refused = ['put 20 413', 'status 0 204', 'patch 16 413', 'status 0 204', 'patch 8 413'];
    const taken = Array.from({ length: 10 }, () => 'patch 2 202');
    expect(first).toEqual([...refused, 'status 0 204', 'patch 4 413', 'status 0 204', ...taken, 'put 0 201']);
    expect(second).toEqual([
      'put 5 413',
      'status 0 204',
      'patch 2 202',
      'patch 2 202',
      'patch 1 202',
      'put 0 201',
    ]);
  });

  it('is told with the limit of the proxy where not even a mebibyte is taken', async () => {
    await using source = await startRegistry();
    await using sink = await startRegistry({
      quirks: { putLimit: 1000, chunkLimit: { bytes: 1000, status: 413 } },
    });
    using client = new TestClient(sink.host);
    const size = 3 * MEBIBYTE;
    const digest = source.storage.putBlob(APP, generatedContent('too large', size));
    const pushing = bring(client, source, { digest, size });
    await expect(pushing).rejects.toMatchObject({
      code: 'REGISTRY_REFUSED',
      status: 413,
      hint: expect.stringMatching(/accepts no request of this size: .*client_max_body_size/),
    });
    expect(sink.uploads.open).toBe(0);
    expect(sink.journal.count('upload-patch')).toBe(3);
  });

  it('of a manifest is told with the limit of the proxy', async () => {
    await using sink = await startRegistry();
    using client = new TestClient(sink.host);
    sink.fail({ match: { kind: 'manifest-put' }, fault: { kind: 'status', status: 413 } });
    const bytes = Buffer.from('{}');
    const digest = digestOf(bytes);
    const manifest = { bytes, mediaType: MEDIA_TYPE.ociManifest, digest };
    await expect(client.registry.putManifest(APP, digest, manifest, client.signal)).rejects.toMatchObject({
      hint: expect.stringContaining('client_max_body_size'),
    });
  });

  it('of 4 MiB a chunk at GHCR, which says 416, is found', async () => {
    const quirks: Quirks = { ...VENDOR_QUIRKS.ghcr, putLimit: 10 * MEBIBYTE };
    const [told] = await pushed(quirks, [18]);
    const tooLarge = ['patch 16 416', 'status 0 204', 'patch 16 416', 'status 0 204', 'patch 8 416'];
    expect(told).toEqual([
      ...['put 18 413', 'status 0 204', ...tooLarge, 'status 0 204'],
      ...Array.from({ length: 4 }, () => 'patch 4 202'),
      ...['patch 2 202', 'put 0 201'],
    ]);
  });

  it.each<[string, Quirks]>([
    ['is not told', { noUploadRange: true }],
    ['is told wrongly, as by ECR', { ...VENDOR_QUIRKS.ecr, repositoriesMustExist: false }],
    ['is told, and what was kept too', { interruptedUpload: 'partial' }],
    ['is not told, and something was kept', { interruptedUpload: 'partial', noUploadRange: true }],
    ['was forgotten', VENDOR_QUIRKS.distribution2],
  ])('of an upload that was cut in its third chunk and %s ends well', async (_, quirks) => {
    const putLimit = 30 * MEBIBYTE;
    const [told] = await pushed({ ...quirks, putLimit }, [40], (sink) => {
      const fault: Fault = { kind: 'reset-request', afterBytes: MEBIBYTE };
      sink.fail({ match: { kind: 'upload-patch' }, skip: 2, fault });
    });
    expect(told?.filter((request) => request === 'patch 8 cut')).toHaveLength(1);
    expect(told?.at(-1)).toBe('put 0 201');
    // Where the registry still has it, nothing that it took is sent again.
    const taken = told?.filter((request) => /^patch \d+ 20[12]$/.test(request));
    const isLost = quirks.noUploadRange === true || quirks.interruptedUpload === 'forgotten';
    expect(taken).toHaveLength(isLost ? 2 + 3 : 3);
  });

  it('of chunks that are kept in part goes on from where the registry says that it stands', async () => {
    const quirks: Quirks = { keptShare: 0.25, putLimit: MEBIBYTE };
    const [first] = await pushed(quirks, [40]);
    const length = (request: string): number => Number(request.split(' ')[1]);
    const patches = first?.filter((request) => request.startsWith('patch')) ?? [];
    expect(patches.slice(0, 8).map(length)).toEqual([16, 16, 16, 16, 16, 16, 16, 12]);
    expect(patches.every((request) => request.endsWith(' 202'))).toBe(true);
    expect(first?.filter((request) => request.startsWith('status'))).toHaveLength(1);
  });

  it('of chunks of which hardly a byte is kept ends with that', async () => {
    const quirks: Quirks = { keptShare: 0.000_001, putLimit: MEBIBYTE };
    await expect(pushed(quirks, [2])).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: 'it kept only 2 of the 2097148 bytes of a part of a layer',
    });
  });

  it('in chunks that are refused altogether is sent whole', async () => {
    const [told] = await pushed({ refuseChunks: true }, [66], (sink) => {
      sink.fail({ match: { kind: 'upload-put' }, fault: { kind: 'reset-request', afterBytes: MEBIBYTE } });
    });
    expect(told).toEqual(['put 66 cut', 'status 0 204', 'patch 16 405', 'put 66 201']);
  });
});
