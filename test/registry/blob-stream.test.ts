import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { BlobMeter, pour } from '../../src/registry/blob-stream.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';

const BYTES = Buffer.from('the bytes of a blob');
const { signal } = new AbortController();

function meterOf(bytes: Buffer, algorithm: 'sha256' | 'sha512' = 'sha256'): BlobMeter {
  return new BlobMeter({ digest: digestOf(bytes, algorithm), size: bytes.length }, 'a.example/app@sha256:1');
}

describe('a meter', () => {
  it.each(['sha256', 'sha512'] as const)('verifies what passed, by %s', (algorithm) => {
    const meter = meterOf(BYTES, algorithm);
    meter.add(BYTES.subarray(0, 7), BYTES.length);
    expect([meter.passed, meter.isComplete]).toEqual([7, false]);
    expect(() => meter.verify()).toThrow(expect.objectContaining({ code: 'SIZE_MISMATCH', transient: true }));
    meter.add(BYTES.subarray(7), BYTES.length);
    expect([meter.passed, meter.isComplete]).toEqual([BYTES.length, true]);
    meter.verify();
  });

  it('goes its own way as a copy', () => {
    const meter = meterOf(BYTES);
    meter.add(BYTES.subarray(0, 7), BYTES.length);
    const copy = meter.copy();
    copy.add(Buffer.from('other bytes!'), BYTES.length);
    meter.add(BYTES.subarray(7), BYTES.length);
    meter.verify();
    expect(() => copy.verify()).toThrow(
      expect.objectContaining({ code: 'DIGEST_MISMATCH', about: 'a.example/app@sha256:1' }),
    );
  });

  it('takes no more than was announced', () => {
    expect(() => meterOf(BYTES).add(BYTES, 5)).toThrow(
      expect.objectContaining({ message: 'it is longer than the 5 bytes announced' }),
    );
  });

  it('blames the source for what broke it', () => {
    const error = Object.assign(new Error('read'), { code: 'ECONNRESET' });
    expect(meterOf(BYTES).broken(error)).toMatchObject({
      code: 'UNREACHABLE',
      about: 'a.example/app@sha256:1',
      transient: true,
    });
  });
});

describe('pouring', () => {
  const parts = (...texts: (string | Buffer)[]): Readable =>
    Readable.from(texts.map((text) => Buffer.from(text)));

  /** Returns what a sink got of a source, and what came of it. */
  async function poured(source: Readable, meter = meterOf(BYTES), length = BYTES.length) {
    const sink = new PassThrough();
    let moved = 0;
    const onBytes = (count: number): void => {
      moved += count;
    };
    const failure = await pour({ source, sink, meter, length, signal, onBytes }).catch(
      (error: unknown) => error,
    );
    sink.end();
    return { got: (await buffer(sink)).toString(), moved, failure };
  }

  it('moves exactly the bytes', async () => {
    expect(await poured(parts(BYTES.subarray(0, 5), BYTES.subarray(5)))).toEqual({
      got: BYTES.toString(),
      moved: BYTES.length,
      failure: undefined,
    });
  });

  it('holds back what would complete a wrong blob', async () => {
    const { got, failure } = await poured(parts('the wrong ', 'bytes of it'));
    expect(failure).toMatchObject({ code: 'SIZE_MISMATCH' });
    expect(got).toBe('the wrong ');
    const same = await poured(parts('the bytes ', 'of a BLOB'));
    expect(same.failure).toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(same.got).toBe('the bytes ');
  });

  it('says that a source ended too soon', async () => {
    expect((await poured(parts('the bytes'))).failure).toMatchObject({
      code: 'SIZE_MISMATCH',
      message: `it ended after 9 of ${BYTES.length} bytes`,
    });
  });

  it('has nothing to do for an empty blob', async () => {
    expect(await poured(parts(), meterOf(Buffer.alloc(0)), 0)).toEqual({
      got: '',
      moved: 0,
      failure: undefined,
    });
  });

  it('throws the reason of a signal that aborts', async () => {
    const run = new AbortController();
    const silent = new PassThrough();
    const sink = new PassThrough();
    const meter = meterOf(BYTES);
    const options = { source: silent, sink, meter, length: BYTES.length, signal: run.signal };
    const moving = pour({ ...options, onBytes: () => undefined });
    run.abort(new Error('the run is over'));
    await expect(moving).rejects.toThrow('the run is over');
  });
});
