import { describe, expect, test } from 'vitest';
import {
  digestAlgorithm,
  digestHex,
  digestOf,
  digestOfMany,
  isDigest,
  parseDigest,
  shortDigest,
} from '../../src/registry/oci/digest.ts';

const SHA256 = `sha256:${'0123456789abcdef'.repeat(4)}`;
const SHA512 = `sha512:${'0123456789abcdef'.repeat(8)}`;

test.each([
  [SHA256, 'sha256'],
  [SHA512, 'sha512'],
])('%s is a digest by %s', (text, algorithm) => {
  const digest = parseDigest(text, 'it');
  expect([digest, isDigest(text)]).toEqual([text, true]);
  expect(digestAlgorithm(digest)).toBe(algorithm);
  expect(digestHex(digest)).toBe(text.slice(7));
  expect(shortDigest(digest)).toBe('0123456789ab');
});

describe('no digest', () => {
  test.each([
    ['', ''],
    ['sha256:', 'sha256:'],
    [SHA256.toUpperCase(), SHA256.toUpperCase()],
    [SHA256.slice(0, -1), SHA256.slice(0, -1)],
    [`${SHA256}0`, `${SHA256}0`],
    [` ${SHA256}`, ` ${SHA256}`],
    [`${SHA256}\n`, `${SHA256}\n`],
    ['md5:d41d8cd98f00b204e9800998ecf8427e', 'md5:d41d8cd98f00b204e9800998ecf8427e'],
    ['x'.repeat(300), 'x'.repeat(200)],
  ])('is %j', (text, shown) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text, 'the layer')).toThrow(
      expect.objectContaining({
        code: 'DIGEST_MALFORMED',
        about: 'the layer',
        message: `"${shown}" is not a digest`,
      }),
    );
  });
});

test('the digest of bytes is by sha256 unless another one is asked for', () => {
  const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  expect(digestOf(Buffer.alloc(0))).toBe(empty);
  expect(digestOf(Buffer.alloc(0), 'sha512')).toMatch(/^sha512:cf83e1357eefb8bd/);
});

test.each(['sha256', 'sha512'] as const)(
  'the %s digest of many bytes lets other work run',
  async (algorithm) => {
    for (const size of [0, 1, 2 * 1024 * 1024, 9_000_000]) {
      const bytes = Buffer.alloc(size, 'content');
      expect(await digestOfMany(bytes, algorithm)).toBe(digestOf(bytes, algorithm));
    }
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await digestOfMany(Buffer.alloc(9_000_000), algorithm);
    clearImmediate(next);
    expect(turns).toBeGreaterThan(2);
  },
);
