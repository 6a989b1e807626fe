import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { BlobMeter, pour } from '../../src/registry/blob/blob-stream.ts';
import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import { generatedBytes } from '../support/registry/content.ts';

const BYTES = generatedBytes('layer', 100_000);
const ABOUT = 'app@sha256:…';
const never = new AbortController().signal;

const meterOf = (digest: Digest = digestOf(BYTES), size = BYTES.length) =>
  new BlobMeter({ digest, size }, ABOUT);

/** What reached a sink that takes its time. */
function slowSink() {
  const taken: Buffer[] = [];
  const sink = new Writable({
    highWaterMark: 1000,
    write(bytes: Buffer, _encoding, done) {
      taken.push(bytes);
      setImmediate(done);
    },
  });
  return { sink, taken: () => Buffer.concat(taken) };
}

function sourceOf(bytes: Buffer, chunk = 9000): Readable {
  const pieces = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, index) =>
    bytes.subarray(index * chunk, (index + 1) * chunk),
  );
  return Readable.from(pieces);
}

describe('the meter of a blob', () => {
  it.each(['sha256', 'sha512'] as const)('knows the blob by its size and %s', (algorithm) => {
    const meter = meterOf(digestOf(BYTES, algorithm));
    meter.add(BYTES.subarray(0, 60_000), BYTES.length);
    expect([meter.passed, meter.isComplete]).toEqual([60_000, false]);
    meter.add(BYTES.subarray(60_000), BYTES.length);
    expect(meter.isComplete).toBe(true);
    meter.verify();
  });

  it('goes on from a copy as if nothing had passed since', () => {
    const meter = meterOf();
    meter.add(BYTES.subarray(0, 60_000), BYTES.length);
    const copy = new BlobMeter({ digest: digestOf(BYTES), size: BYTES.length }, ABOUT, meter);
    meter.add(Buffer.from('something else'), BYTES.length);
    copy.add(BYTES.subarray(60_000), BYTES.length);
    copy.verify();
    expect(() => meter.verify()).toThrow(`it ended after ${60_000 + 14} of 100000 bytes`);
  });

  it.each([
    ['SIZE_MISMATCH', 'it is longer than the 10 bytes announced', BYTES.subarray(0, 11), 10],
    ['DIGEST_MISMATCH', 'instead', Buffer.alloc(BYTES.length), BYTES.length],
    ['SIZE_MISMATCH', 'it ended after 10 of 100000 bytes', BYTES.subarray(0, 10), 10],
  ])('finds that it is another: %s, %s', (code, message, bytes, end) => {
    const meter = meterOf();
    const check = () => {
      meter.add(bytes, end);
      meter.verify();
    };
    expect(check).toThrow(
      expect.objectContaining({
        code,
        about: ABOUT,
        transient: true,
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('bytes that are poured', () => {
  it('arrive all, at the pace of the sink, and are counted', async () => {
    const { sink, taken } = slowSink();
    const counts: number[] = [];
    const meter = meterOf();
    const source = sourceOf(BYTES);
    const onBytes = (count: number) => counts.push(count);
    await pour({ source, sink, meter, length: BYTES.length, signal: never, onBytes });
    sink.end();
    await new Promise((resolve) => sink.once('finish', resolve));
    expect(taken().equals(BYTES)).toBe(true);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(BYTES.length);
  });

  it('are a part of the blob where only that was asked for', async () => {
    const { sink } = slowSink();
    const meter = meterOf();
    await pour({ source: sourceOf(BYTES.subarray(0, 50_000)), sink, meter, length: 50_000, signal: never });
    expect([meter.passed, meter.isComplete]).toEqual([50_000, false]);
  });

  it('are held back at the end where they are not the blob', async () => {
    const { sink, taken } = slowSink();
    const wrong = Buffer.from(BYTES);
    wrong.writeUInt8((wrong.readUInt8(5) + 1) % 256, 5);
    const pouring = pour({
      source: sourceOf(wrong),
      sink,
      meter: meterOf(),
      length: BYTES.length,
      signal: never,
    });
    await expect(pouring).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(taken().length).toBeLessThan(BYTES.length);
  });

  it.each<[string, () => Readable, object]>([
    ['too few', () => sourceOf(BYTES.subarray(0, 50_000)), { code: 'SIZE_MISMATCH' }],
    ['too many', () => sourceOf(Buffer.concat([BYTES, BYTES])), { code: 'SIZE_MISMATCH' }],
    [
      'broken off by the source',
      () =>
        Readable.from(
          (async function* () {
            yield BYTES.subarray(0, 1000);
            throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
          })(),
        ),
      { code: 'UNREACHABLE', about: ABOUT },
    ],
  ])('are refused where they are %s', async (_, source, failure) => {
    const { sink } = slowSink();
    const pouring = pour({ source: source(), sink, meter: meterOf(), length: BYTES.length, signal: never });
    await expect(pouring).rejects.toMatchObject(failure);
  });

  it('end with the error of a sink that breaks', async () => {
    const broken = new Error('broken pipe');
    const sink = new Writable({ write: (_bytes, _encoding, done) => done(broken) });
    const pouring = pour({
      source: sourceOf(BYTES),
      sink,
      meter: meterOf(),
      length: BYTES.length,
      signal: never,
    });
    await expect(pouring).rejects.toBe(broken);
  });

  it('end with the reason of an abort, also of one before', async () => {
    const reason = new Error('stopped');
    const stop = new AbortController();
    const silent = new PassThrough();
    const { sink } = slowSink();
    const parts = { source: silent, sink, meter: meterOf(), length: BYTES.length };
    const pouring = pour({ ...parts, signal: stop.signal });
    stop.abort(reason);
    await expect(pouring).rejects.toBe(reason);
    await expect(pour({ ...parts, signal: stop.signal })).rejects.toBe(reason);
  });

  it('may be none', async () => {
    const { sink } = slowSink();
    const meter = meterOf(digestOf(Buffer.alloc(0)), 0);
    await pour({ source: sourceOf(Buffer.alloc(0)), sink, meter, length: 0, signal: never });
    expect(() => meter.verify()).not.toThrow();
    expect(meter.passed).toBe(0);
  });
});
