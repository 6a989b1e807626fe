import { expect, test } from 'vitest';
import {
  entryFor,
  formatPlatform,
  matchesPlatform,
  normalizePlatform,
  parsePlatform,
} from '../../src/registry/oci/platform.ts';

test.each<[text: string, platform: object]>([
  ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
  ['linux/arm/v7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['wasip1/wasm', { os: 'wasip1', architecture: 'wasm' }],
])('%s is read and written', (text, platform) => {
  expect(parsePlatform(text, '--platform')).toEqual(platform);
  expect(formatPlatform(parsePlatform(` ${text} `, '--platform'))).toBe(text);
});

test.each([
  ['linux/x86_64', 'linux/amd64'],
  ['linux/x86-64', 'linux/amd64'],
  ['Linux/AMD64', 'linux/amd64'],
  ['linux/aarch64', 'linux/arm64'],
  ['linux/arm64/8', 'linux/arm64/v8'],
  ['linux/armhf', 'linux/arm/v7'],
  ['linux/armel', 'linux/arm/v6'],
  ['linux/arm/7', 'linux/arm/v7'],
  ['linux/i386', 'linux/386'],
  ['macos/arm64', 'darwin/arm64'],
])('%s is another word for %s', (text, platform) => {
  expect(formatPlatform(parsePlatform(text, '--platform'))).toBe(platform);
});

test('an empty variant is none', () => {
  const platform = { os: 'linux', architecture: 'arm64', variant: '' };
  expect(normalizePlatform(platform)).toEqual({ os: 'linux', architecture: 'arm64' });
});

test.each([
  ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 1],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v3'], 1],
  ['linux/arm', ['linux/arm/v6', 'linux/arm/v7'], 1],
  ['linux/arm', ['linux/arm/v5', 'linux/arm/v6'], 0],
  ['linux/s390x', ['linux/amd64', 'linux/s390x'], 1],
])('%s among %j is entry %i', (wanted, offered, position) => {
  const entries = offered.map((text) => ({ platform: parsePlatform(text, 'it') }));
  expect(entryFor([{}, ...entries], parsePlatform(wanted, 'it'))).toBe(entries[position]);
  expect(entryFor(entries, parsePlatform('linux/ppc64le', 'it'))).toBeUndefined();
});

test.each(['', 'linux', 'linux/', '/amd64', 'linux/arm/v7/x', 'linux amd64', 'linux/ arm'])(
  '%j is no platform',
  (text) => {
    expect(() => parsePlatform(text, '--platform')).toThrow(
      expect.objectContaining({
        code: 'PLATFORM_MALFORMED',
        about: '--platform',
        message: `"${text}" is not a platform`,
      }),
    );
  },
);

test.each([
  ['linux/amd64', 'linux/amd64', true],
  ['linux/amd64', 'linux/arm64', false],
  ['windows/amd64', 'linux/amd64', false],
  ['linux/arm/v7', 'linux/arm', true],
  ['linux/arm/v7', 'linux/arm/v7', true],
  ['linux/arm/v6', 'linux/arm/v7', false],
  ['linux/arm', 'linux/arm/v7', true],
  ['linux/arm64', 'linux/arm64/v8', true],
  ['linux/arm64/v8', 'linux/arm64', true],
  ['linux/arm64/v9', 'linux/arm64/v8', false],
  ['linux/amd64', 'linux/amd64/v1', true],
  ['linux/amd64/v3', 'linux/amd64/v1', false],
  ['linux/aarch64', 'linux/arm64/v8', true],
  ['linux/x86_64', 'linux/amd64', true],
  ['linux/armhf', 'linux/arm/v7', true],
  ['linux/armel', 'linux/arm/v7', false],
  ['linux/arm/7', 'linux/arm/v7', true],
  ['linux/i386', 'linux/386', true],
])('an image for %s is what %s wants: %s', (offered, wanted, is) => {
  expect(matchesPlatform(parsePlatform(offered, 'it'), parsePlatform(wanted, 'it'))).toBe(is);
});
