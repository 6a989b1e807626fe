import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { UnpackingAllowance, unpackedDigest, unpackedSize } from '../../src/pack/fetch/unpacked-layer.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const ONE = Buffer.from('one layer');
const OTHER = Buffer.from('and another one');
/** More than the pieces in which a file is read, and nothing that can be compressed. */
const LARGE = Buffer.from(Array.from({ length: 1_000_001 }, (_, at) => (at * 2_654_435_761) >>> 13));
const SKIPPED = Buffer.from('532a4d180300000061626f', 'hex');
const SIGNAL = new AbortController().signal;

async function digest(bytes: Buffer, limit = 10_000_000, algorithm: 'sha256' | 'sha512' = 'sha256') {
  const file = join(scratchFolder(), 'layer');
  writeFileSync(file, bytes);
  const like = digestOf(ONE, algorithm);
  return await unpackedDigest(file, { like, allowance: new UnpackingAllowance(limit), signal: SIGNAL });
}

it.each<[string, Buffer, Buffer]>([
  ['a tar', ONE, ONE],
  ['nothing', Buffer.alloc(0), Buffer.alloc(0)],
  ['gzip', gzipSync(LARGE), LARGE],
  ['gzip of two members', Buffer.concat([gzipSync(LARGE), gzipSync(ONE)]), Buffer.concat([LARGE, ONE])],
  ['zstd', zstdCompressSync(LARGE), LARGE],
  ['zstd of bytes that are all alike', zstdCompressSync(Buffer.alloc(1_000_000)), Buffer.alloc(1_000_000)],
  [
    'zstd of many frames, some to be skipped',
    Buffer.concat([SKIPPED, zstdCompressSync(LARGE), SKIPPED, zstdCompressSync(ONE), SKIPPED]),
    Buffer.concat([LARGE, ONE]),
  ],
])('is the digest of all that a layer unpacks to: %s', async (_, stored, unpacked) => {
  expect(await digest(stored)).toBe(digestOf(unpacked));
});

it('has the algorithm of the digest that it is compared with', async () => {
  expect(await digest(gzipSync(ONE), undefined, 'sha512')).toBe(digestOf(ONE, 'sha512'));
});

it.each<[string, Buffer, RegExp]>([
  ['gzip that ends too soon', gzipSync(ONE).subarray(0, -2), /unexpected end/],
  ['gzip with a wrong sum', damaged(gzipSync(ONE), -6), /incorrect data check/],
  [
    'zeros and another member behind gzip',
    behind(gzipSync(ONE), Buffer.alloc(5), gzipSync(OTHER)),
    /followed by other data/,
  ],
  [
    'zeros behind a large gzip',
    behind(gzipSync(LARGE), Buffer.alloc(LARGE.length)),
    /followed by other data/,
  ],
  ['something else behind gzip', behind(gzipSync(ONE), OTHER), /incorrect header check/],
  ['zstd that ends too soon', zstdCompressSync(ONE).subarray(0, -2), /ends within a frame/],
  ['something else behind zstd', behind(zstdCompressSync(ONE), OTHER), /other data follows a frame/],
  ['gzip behind zstd', behind(zstdCompressSync(ONE), gzipSync(OTHER)), /other data follows a frame/],
])('does not exist for a layer of which a part counts for nothing: %s', async (_, stored, reason) => {
  await expect(digest(stored)).rejects.toThrow(reason);
});

it.each([
  ['gzip', gzipSync(LARGE)],
  ['zstd', zstdCompressSync(LARGE)],
  ['a tar', LARGE],
])('is not looked for beyond the limit: %s', async (_, stored) => {
  expect(await digest(stored, LARGE.length)).toBe(digestOf(LARGE));
  await expect(digest(stored, LARGE.length - 1)).rejects.toMatchObject({ limit: LARGE.length - 1 });
});

function behind(...pieces: Buffer[]): Buffer {
  return Buffer.concat(pieces);
}

function damaged(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length + at] = (copy.at(at) ?? 0) ^ 1;
  return copy;
}

/** A gzip of one layer whose end tells another size. */
function telling(size: number): Buffer {
  const bytes = gzipSync(ONE);
  bytes.writeUInt32LE(size, bytes.length - 4);
  return bytes;
}

const REPEATED = Buffer.alloc(3_000_000, 'a line of a program\n');

it.each<[string, Buffer, number]>([
  ['a tar', ONE, ONE.length],
  ['nothing', Buffer.alloc(0), 0],
  ['gzip', gzipSync(REPEATED), REPEATED.length],
  ['gzip whose end is taken at its word', telling(20_000), 20_000],
  ['gzip whose end tells more than there can be', telling(4_000_000_000), 4 * gzipSync(ONE).length],
  ['gzip whose end tells less than there is, counted', telling(3), 4 * gzipSync(ONE).length],
  [
    'gzip of members, of which the last is empty',
    Buffer.concat([gzipSync(REPEATED), gzipSync(ONE), gzipSync(Buffer.alloc(0))]),
    REPEATED.length + ONE.length,
  ],
  ['zstd', zstdCompressSync(REPEATED), REPEATED.length],
  ['zstd that unpacks to more than is counted', zstdCompressSync(Buffer.alloc(9_000_000)), 8_000_000],
])('is the size of what a layer unpacks to, or more: %s', async (_, stored, least) => {
  const file = join(scratchFolder(), 'layer');
  writeFileSync(file, stored);
  const allowance = new UnpackingAllowance(8_000_000);
  const size = await unpackedSize(file, { allowance, signal: SIGNAL });
  expect(size).toBeGreaterThanOrEqual(least);
  expect(size).toBeLessThanOrEqual(least + 100_000);
});
