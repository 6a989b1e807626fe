import { expect, it } from 'vitest';
import { parsePlatform } from '../../src/registry/platform.ts';
import {
  type Conversion,
  contentOptions,
  conversionIn,
  fitsSettings,
} from '../../src/sync/content-options.ts';

it.each<[platforms: string[], conversion: Conversion | undefined, text: string]>([
  [[], undefined, ''],
  [['linux/arm64', 'linux/amd64'], undefined, 'platforms=linux/amd64,linux/arm64'],
  [[], 'docker-format', 'conversion=docker-format'],
  [['linux/arm/v7'], 'without-attestations', 'platforms=linux/arm/v7;conversion=without-attestations'],
])('%j, %s is kept as one text and read back', (texts, conversion, text) => {
  const platforms = texts.map((each) => parsePlatform(each, 'test'));
  expect(contentOptions(platforms, conversion)).toBe(text);
  expect(conversionIn(text)).toBe(conversion);
  // The settings are the same whatever the destination made of them.
  expect(fitsSettings(text, contentOptions(platforms))).toBe(true);
  expect(fitsSettings(text, 'platforms=windows/amd64')).toBe(false);
});
