import { expect, test } from 'vitest';
import { formatPlatform, matchesPlatform, parsePlatform } from '../../src/registry/oci/platform.ts';

test.each<[text: string, platform: object]>([
  ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
  ['linux/arm/v7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['wasip1/wasm', { os: 'wasip1', architecture: 'wasm' }],
])('%s is read and written', (text, platform) => {
  expect(parsePlatform(text, '--platform')).toEqual(platform);
  expect(formatPlatform(parsePlatform(` ${text} `, '--platform'))).toBe(text);
});

test.each(['', 'linux', 'linux/', '/amd64', 'linux/arm/v7/x', 'Linux/amd64', 'linux amd64'])(
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
  ['linux/arm', 'linux/arm/v7', false],
])('an image for %s is what %s wants: %s', (offered, wanted, is) => {
  expect(matchesPlatform(parsePlatform(offered, 'it'), parsePlatform(wanted, 'it'))).toBe(is);
});
