import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { beginsCompressed, looksDense } from '../../../src/pack/archive/compressed-content.ts';

const PROGRAM = readFileSync(process.execPath).subarray(0, 4 * 1024 * 1024);

test.each<[string, Buffer, boolean]>([
  ['gzip', gzipSync('content'), true],
  ['zstd', zstdCompressSync('content'), true],
  ['xz', Buffer.from('fd377a585a0000', 'hex'), true],
  ['zip', Buffer.from('PK\u0003\u0004', 'latin1'), true],
  ['bzip2', Buffer.from('BZh9', 'latin1'), true],
  ['text', Buffer.from('content'), false],
  ['nothing', Buffer.alloc(0), false],
  ['the half of a magic number', Buffer.from([0x1f, 0x8b]), false],
])('by its first bytes %s is compressed: %o', (_, content, expected) => {
  expect(beginsCompressed(content)).toBe(expected);
});

describe('by its samples', () => {
  test.each<[string, Buffer, boolean]>([
    ['random bytes are dense', randomBytes(1024 * 1024), true],
    ['what gzip made of a program is dense', gzipSync(PROGRAM), true],
    ['a program is not', PROGRAM, false],
    ['text is not', Buffer.alloc(100_000, 'Kubernetes without a network. '), false],
    ['what is too short to tell is not', randomBytes(8191), false],
  ])('%s', (_, content, expected) => {
    expect(looksDense(content)).toBe(expected);
  });
});
