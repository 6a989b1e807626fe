import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/registry/oci/digest.ts';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { contentDigest, generatedContent } from '../support/registry/content.ts';
import type { JournalEntry } from '../support/registry/journal.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';
import { bring } from './push-pair.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 65 * MEBIBYTE + 12_345;
const APP = parseRepository('app');
const CONTENT = generatedContent('a large layer', SIZE);
const DIGEST: Digest = contentDigest(CONTENT);

/** Pushes the large layer, and the first PUT breaks; what happens then is up to the test. */
async function pushCut(
  quirks: Quirks,
  prepare: (sink: TestRegistry, source: TestRegistry) => void = () => undefined,
) {
  await using source = await startRegistry({ redirectBlobs: true });
  await using sink = await startRegistry({ quirks, discardAbove: 0 });
  source.storage.putBlob(APP, CONTENT, DIGEST);
  sink.fail({ match: { kind: 'upload-put' }, fault: { kind: 'reset-request', afterBytes: MEBIBYTE } });
  prepare(sink, source);
  using client = new TestClient(sink.host, { attempts: 4 });
  const passed: number[] = [];
  const placed = await bring(
    client,
    source,
    { digest: DIGEST, size: SIZE },
    { onBytes: (count) => passed.push(count) },
  );
  expect(placed).toBe('uploaded');
  expect(sink.storage.blob(APP, DIGEST)).toEqual({ kind: 'discarded', size: SIZE });
  expect(sink.uploads.open).toBe(0);
  return {
    chunks: sink.journal.filter({ kind: 'upload-patch' }).map(describeChunk),
    ranges: source.journal.filter({ kind: 'storage-get' }).map(({ headers }) => headers.range),
    requests: sink.journal.tally(),
    passed: passed.reduce((sum, count) => sum + count, 0),
  };
}

function describeChunk({ headers, status }: JournalEntry): string {
  const range = /^(\d+)-(\d+)$/.exec(String(headers['content-range']));
  const start = Number(range?.[1]);
  const length = Number(range?.[2]) - start + 1;
  expect(headers['content-length']).toBe(String(length));
  const shown = (bytes: number): string => (bytes % MEBIBYTE === 0 ? `${bytes / MEBIBYTE}M` : String(bytes));
  return `${shown(start)}+${shown(length)} ${status === 0 ? 'cut' : status}`;
}

function cutSecondChunk(sink: TestRegistry): void {
  sink.fail({
    match: { kind: 'upload-patch', when: ({ headers }) => headers['content-range'] === '16777216-33554431' },
    fault: { kind: 'reset-request', afterBytes: MEBIBYTE },
  });
}

const LAST = `${SIZE - 64 * MEBIBYTE}`;
const WHOLE_CHUNKS = ['0M+16M 202', '16M+16M 202', '32M+16M 202', '48M+16M 202', `64M+${LAST} 202`];

describe('a large blob whose upload was cut', () => {
  it('is sent again in chunks, read from the source by range', async () => {
    const { chunks, ranges, requests } = await pushCut({});
    expect(chunks).toEqual(WHOLE_CHUNKS);
    expect(ranges).toEqual([
      undefined,
      'bytes=0-16777215',
      'bytes=16777216-33554431',
      'bytes=33554432-50331647',
      'bytes=50331648-67108863',
      `bytes=67108864-${SIZE - 1}`,
    ]);
    // In the same upload, which had kept nothing.
    expect(requests['upload-status']).toBe(1);
    expect(requests['upload-delete']).toBeUndefined();
    expect(requests['upload-put']).toBe(2);
  });

  it('goes on from the last whole chunk when a chunk is cut too', async () => {
    const { chunks, ranges, requests, passed } = await pushCut({}, (sink) => {
      sink.fail({
        match: {
          kind: 'upload-patch',
          when: ({ headers }) => headers['content-range'] === '33554432-50331647',
        },
        fault: { kind: 'reset-request', afterBytes: 5 * MEBIBYTE },
      });
    });
    expect(chunks).toEqual([...WHOLE_CHUNKS.slice(0, 2), '32M+16M cut', ...WHOLE_CHUNKS.slice(2)]);
    expect(ranges.filter((range) => range === 'bytes=33554432-50331647')).toHaveLength(2);
    expect(ranges.filter((range) => range === 'bytes=0-16777215')).toHaveLength(1);
    expect(requests['upload-status']).toBe(2);
    expect(passed).toBeLessThan(1.5 * SIZE);
  });

  it('is not cut again when the source is what breaks, which goes on at the next byte', async () => {
    const { chunks, ranges, requests } = await pushCut({}, (_sink, source) => {
      source.fail({
        match: { kind: 'storage-get', when: ({ headers }) => headers.range === 'bytes=16777216-33554431' },
        fault: { kind: 'reset-answer', afterBytes: MEBIBYTE },
      });
    });
    expect(chunks).toEqual(WHOLE_CHUNKS);
    expect(requests['upload-status']).toBe(1);

    const rest = ranges.filter((range) => range?.endsWith('-33554431') === true);
    expect(rest).toHaveLength(2);
    expect(Number(/\d+/.exec(rest[1] ?? '')?.[0])).toBeGreaterThan(16 * MEBIBYTE);
  });

  it('starts over where the registry forgot what it took', async () => {
    const { chunks, requests } = await pushCut({ interruptedUpload: 'forgotten' }, cutSecondChunk);
    expect(chunks).toEqual(['0M+16M 202', '16M+16M cut', ...WHOLE_CHUNKS]);
    expect(requests['upload-status']).toBe(2);
  });

  it('goes on within a request where the registry kept a part of it', async () => {
    const { chunks, ranges } = await pushCut({ interruptedUpload: 'partial' }, (sink) => {
      const fault = { kind: 'reset-request', afterBytes: MEBIBYTE } as const;
      sink.fail({ match: { kind: 'upload-patch' }, skip: 1, fault });
    });
    const starts = chunks.map((chunk) => {
      const [, number = '', unit] = /^(\d+)(M?)/.exec(chunk) ?? [];
      return Number(number) * (unit === 'M' ? MEBIBYTE : 1);
    });
    const [kept = 0, cut = 0, next = 0] = starts;
    expect(kept).toBeGreaterThan(0);
    expect(cut).toBe(kept + 16 * MEBIBYTE);
    expect(next).toBeGreaterThan(cut);
    expect(next).toBeLessThan(cut + 16 * MEBIBYTE);
    // What is there already is read once more, for its digest, and not sent.
    expect(ranges).toContain(`bytes=0-${kept - 1}`);
    expect(ranges).toContain(`bytes=${cut}-${next - 1}`);
  });

  it('is sent in chunks of the size that the registry wants at least', async () => {
    const { chunks } = await pushCut({ chunkMinimumLength: 24 * MEBIBYTE, chunkStatus: 201 });
    const last = SIZE - 48 * MEBIBYTE;
    expect(chunks).toEqual(['0M+24M 201', '24M+24M 201', `48M+${last} 201`]);
  });

  it('is understood where ranges are told with their unit', async () => {
    const { chunks } = await pushCut({ rangePrefix: 'bytes=' }, (sink) => {
      sink.fail({ match: { kind: 'upload-patch' }, skip: 1, fault: { kind: 'reset' } });
    });
    expect(chunks).toEqual(['0M+16M 202', '16M+16M cut', ...WHOLE_CHUNKS.slice(1)]);
  });
});

describe('a blob that is too large for one request', () => {
  it('is sent in chunks when the registry says so', async () => {
    await using source = await startRegistry();
    const size = 20 * MEBIBYTE;
    await using sink = await startRegistry({ quirks: { putLimit: 10 * MEBIBYTE }, discardAbove: 0 });
    const digest = source.storage.putBlob(APP, generatedContent('refused', size));
    using client = new TestClient(sink.host);
    const placed = await bring(client, source, { digest, size });
    expect(placed).toBe('uploaded');
    expect(sink.journal.filter({ kind: 'upload-patch' }).map(describeChunk)).toEqual([
      '0M+16M 202',
      '16M+4M 202',
    ]);
    expect(sink.uploads.open).toBe(0);
  });
});
