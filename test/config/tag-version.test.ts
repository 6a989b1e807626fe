import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { looksImmutable, newestFirst, readTagVersion } from '../../src/config/tag-version.ts';

const someTag = fc.oneof(
  fc.stringMatching(/^v?[0-9]{1,3}(\.[0-9]{1,3}){0,3}(-(alpha|beta|rc|flannel|arm64)?[.]?[0-9]{0,2})?$/),
  fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/),
  fc.constantFrom('latest', 'v20240513-35280ba', 'v1.2.3-4-gabcdef0', '3.5.21-0', '1.2.3rc1'),
);
const somePlain = fc.record({
  tag: someTag,
  uploaded: fc.option(fc.date({ noInvalidDate: true }), { nil: undefined }),
});

describe('the version in a tag', () => {
  test.each<[string, string, number[], string[], boolean]>([
    ['v1.36.1', 'version', [1, 36, 1], [], false],
    ['3.10', 'version', [3, 10], [], false],
    ['1', 'version', [1], [], false],
    ['3.5.21-0', 'version', [3, 5, 21], ['0'], false],
    ['v1.9.1-flannel3', 'version', [1, 9, 1], ['flannel', '3'], false],
    ['v1.37.0-alpha.1', 'version', [1, 37, 0], ['alpha', '1'], true],
    ['v1.37.0-rc1', 'version', [1, 37, 0], ['rc', '1'], true],
    ['1.2.3rc1', 'version', [1, 2, 3], ['rc', '1'], true],
    ['1.2.3-beta', 'version', [1, 2, 3], ['beta'], true],
    ['v1.2.3-4-gabcdef0', 'version', [1, 2, 3], ['4', 'gabcdef', '0'], true],
    ['1.2.3.4', 'version', [1, 2, 3, 4], [], false],
    ['v1.8.0-amd64', 'version', [1, 8, 0], ['amd', '64'], false],
    ['v20240513-35280ba', 'date', [2024, 5, 13], ['35280', 'ba'], false],
    ['2024-05-13', 'date', [2024, 5, 13], [], false],
    ['20241399', 'other', [], [], false],
    ['latest', 'other', [], [], false],
    ['1234567', 'other', [], [], false],
    ['7e12abc', 'other', [], [], false],
    ['release-1.36', 'other', [], [], false],
  ])('%s', (tag, kind, numbers, suffix, prerelease) => {
    expect(readTagVersion(tag)).toEqual({ kind, numbers, suffix, prerelease });
  });

  test('orders tags, the newest first', () => {
    const ordered = [
      'v1.37.0',
      'v1.37.0-rc.1',
      'v1.37.0-rc.0',
      'v1.37.0-beta.0',
      'v1.37.0-alpha.10',
      'v1.37.0-alpha.2',
      'v1.36.10',
      'v1.36.9',
      'v1.36',
      '1.9.1-flannel3',
      '1.9.1-flannel2',
      '1.9.1-1',
      '1.9.1-0',
      '1.9.1',
      '20260101',
      'v20240513-35280ba',
      'latest',
      'master',
    ];
    const shuffled = ordered.toReversed().map((tag) => ({ tag }));
    expect(newestFirst(shuffled).map(({ tag }) => tag)).toEqual(ordered);
  });

  test('falls back to the time of upload', () => {
    const offered = [
      { tag: 'nightly-a', uploaded: new Date('2026-01-01') },
      { tag: 'nightly-b', uploaded: new Date('2026-01-02') },
      { tag: 'nightly-c' },
    ];
    expect(newestFirst(offered).map(({ tag }) => tag)).toEqual(['nightly-b', 'nightly-a', 'nightly-c']);
  });

  test('has one order for all tags, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(somePlain, { maxLength: 12 }), (offered) => {
        const tags = newestFirst(offered).map(({ tag }) => tag);
        expect(newestFirst(offered.toReversed()).map(({ tag }) => tag)).toEqual(tags);
      }),
    );
  });
});

describe('a tag that looks as if no one moved it', () => {
  test.each([
    'v1.36.1',
    '3.5.21-0',
    '3.10.2',
    'v1.9.1-flannel3',
    'v0.28.9',
    'v1.37.0-alpha.1',
    'v1.37.0-rc1',
    'v1.8.0-amd64',
    'v1.8.0-arm',
    'v1.8.0-ppc64le',
    'v1.8.0-s390x',
    'v1.8.0-mips64le',
    'v1.8.0_x86_64',
    'v1.8.0-rc.1-S390X',
    '1.2.3.4',
    '2024.05.13',
    '20240513',
    'v20240513-35280ba',
    '2024-05-13',
    '83ba5a7a6a3b4f1a8f6a3a0c8a3b2c1d0e9f8a7b',
  ])('%s does', (tag) => {
    expect(looksImmutable(tag)).toBe(true);
  });

  test.each([
    'latest',
    'v1.36',
    '3.10',
    '1',
    'v1',
    'master',
    'nightly',
    'stable',
    'main-20240513',
    'v1.36.1-latest',
    'v1.2.3-dev.1',
    'v1.2.3-nightly.20240513',
    '20240513-nightly',
    '1.29.1-alpine',
    'v1.37.0-rc',
    'v1.37-s390x',
    'latest-s390x',
    'v1.37.0-nightly-ppc64le',
    'v1.37.0-s390xen',
    'release-1.36.1',
    '7e12abc',
    'v1.36.x',
    '',
  ])('%s does not', (tag) => {
    expect(looksImmutable(tag)).toBe(false);
  });
});
