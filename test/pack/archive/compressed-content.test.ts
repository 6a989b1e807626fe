import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { beginsCompressed, looksDense } from '../../../src/pack/archive/compressed-content.ts';

/** Bytes as random ones are, and the same each time. */
function noise(size: number): Buffer {
  const pieces = Array.from({ length: Math.ceil(size / 32) }, (_, index) =>
    createHash('sha256').update(`${index}`).digest(),
  );
  return Buffer.concat(pieces).subarray(0, size);
}

const TEXT = Buffer.from('Kubernetes without a network. '.repeat(5000));
const PROGRAM = readFileSync(process.execPath).subarray(0, 4_000_000);

test.each<[what: string, content: Buffer, is: boolean]>([
  ['gzip', gzipSync(TEXT), true],
  ['zstd', zstdCompressSync(TEXT), true],
  ['xz', Buffer.from('fd377a585a00000102', 'hex'), true],
  ['zip', Buffer.from('504b030414000000', 'hex'), true],
  ['bzip2', Buffer.from('BZh91AY&SY'), true],
  ['text', TEXT, false],
  ['half of a magic number', Buffer.from([0x1f, 0x8b]), false],
  ['nothing', Buffer.alloc(0), false],
])('%s begins like compressed content: %s', (_what, content, is) => {
  expect(beginsCompressed(content)).toBe(is);
});

test.each<[what: string, bytes: Buffer, is: boolean]>([
  ['random bytes', noise(100_000), true],
  ['what was deflated', deflateRawSync(PROGRAM), true],
  ['a program', PROGRAM, false],
  ['text', TEXT, false],
  ['zeros', Buffer.alloc(100_000), false],
  ['random bytes that are too few to tell', noise(8191), false],
  ['random bytes that are just enough', noise(8192), true],
  ['random bytes with zeros behind them', Buffer.concat([noise(50_000), Buffer.alloc(50_000)]), false],
])('%s look dense: %s', (_what, bytes, is) => {
  expect(looksDense(bytes)).toBe(is);
});
