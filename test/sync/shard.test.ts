import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRepository, type Repository } from '../../src/registry/oci/reference.ts';
import { inShard, parseShard } from '../../src/sync/shard.ts';

const REPOSITORIES = Array.from({ length: 400 }, (_, index) => parseRepository(`keel/image-${index}`));

/** Returns the shard that a repository belongs to. */
function shardOf(repository: Repository, count: number): number {
  return (
    Array.from({ length: count }, (_, index) => index + 1).findIndex((index) =>
      inShard({ index, count }, repository),
    ) + 1
  );
}

describe('a shard', () => {
  test.each<[string, { index: number; count: number }]>([
    ['1/1', { index: 1, count: 1 }],
    [' 2/8 ', { index: 2, count: 8 }],
    ['256/256', { index: 256, count: 256 }],
  ])('%j', (text, shard) => {
    expect(parseShard(text, '--shard')).toEqual(shard);
  });

  test.each<[string, RegExp]>([
    ['0/4', /count from 1/],
    ['5/4', /i from 1 to n/],
    ['1/0', /i from 1 to n/],
    ['1/257', /up to 256/],
    ['1', /such as 2\/8/],
    ['-1/4', /such as/],
    ['a/b', /such as/],
    ['1/4/2', /such as/],
    ['', /such as/],
  ])('%j is refused', (text, hint) => {
    expect(() => parseShard(text, '--shard')).toThrow(
      expect.objectContaining({
        code: 'SHARD_MALFORMED',
        about: '--shard',
        hint: expect.stringMatching(hint),
      }),
    );
  });

  test('is the same on every machine and in every version', () => {
    expect(
      ['keel/pause', 'keel/etcd', 'keel/coredns'].map((name) => shardOf(parseRepository(name), 4)),
    ).toEqual([1, 1, 2]);
  });

  test('and the others have each repository exactly once', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z]{1,9}(\/[a-z]{1,9}){0,2}$/),
        fc.integer({ min: 1, max: 16 }),
        (name, count) => {
          const repository = parseRepository(name);
          const having = Array.from({ length: count }, (_, index) =>
            inShard({ index: index + 1, count }, repository),
          );
          expect(having.filter(Boolean)).toHaveLength(1);
          expect(inShard(undefined, repository)).toBe(true);
        },
      ),
    );
  });

  test('has about its part, and one more takes only its own part from the others', () => {
    const sizes = [1, 2, 3, 4].map(
      (index) => REPOSITORIES.filter((one) => inShard({ index, count: 4 }, one)).length,
    );
    expect(Math.min(...sizes)).toBeGreaterThan(70);
    const moved = REPOSITORIES.filter((one) => shardOf(one, 4) !== shardOf(one, 5));
    expect(moved.every((one) => shardOf(one, 5) === 5)).toBe(true);
  });
});
