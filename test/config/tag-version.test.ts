import { describe, expect, test } from 'vitest';
import { looksImmutable, readTagVersion } from '../../src/config/tag-version.ts';

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
    ['2024.1.0b3', 'version', [2024, 1, 0], ['b', '3'], true],
    ['1.2.3-edge', 'version', [1, 2, 3], ['edge'], true],
    ['22-ea-12-jdk', 'version', [22], ['ea', '12', 'jdk'], true],
    ['1.4.0-pr-12', 'version', [1, 4, 0], ['pr', '12'], true],
    ['12.2.0-devel-ubuntu22.04', 'version', [12, 2, 0], ['devel', 'ubuntu', '22', '04'], false],
    ['12345a1', 'other', [], [], false],
    ['v1.2.3-4-gabcdef0', 'version', [1, 2, 3], ['4', 'gabcdef', '0'], true],
    ['1.2.3.4', 'version', [1, 2, 3, 4], [], false],
    ['v1.8.0-amd64', 'version', [1, 8, 0], ['amd', '64'], false],
    ['v20240513-35280ba', 'date', [2024, 5, 13], ['35280', 'ba'], false],
    ['2024-05-13', 'date', [2024, 5, 13], [], false],
    ['31-12-2024', 'date', [31, 12, 2024], [], false],
    ['v01.02.2024_3', 'date', [1, 2, 2024], ['3'], false],
    ['1.2.2024', 'version', [1, 2, 2024], [], false],
    ['12.11.2024.3', 'version', [12, 11, 2024, 3], [], false],
    ['13-13-2024', 'version', [13], ['13', '2024'], false],
    ['1.9.0-01-02-2024', 'version', [1, 9, 0], ['01', '02', '2024'], false],
    ['20241399', 'other', [], [], false],
    ['latest', 'other', [], [], false],
    ['1234567', 'other', [], [], false],
    ['7e12abc', 'other', [], [], false],
    ['release-1.36', 'other', [], [], false],
  ])('%s', (tag, kind, numbers, suffix, prerelease) => {
    expect(readTagVersion(tag)).toEqual({ kind, numbers, suffix, prerelease });
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
