import { expect, it } from 'vitest';
import { parsePlatform } from '../../src/registry/oci/platform.ts';
import {
  type Conversion,
  contentOptions,
  conversionIn,
  fitsSettings,
  hasOthersSignatures,
  hasReferrersIn,
  layersLeftOutIn,
  mayDiffer,
  signedUnder,
} from '../../src/sync/plan/recorded-options.ts';

it.each<[platforms: string[], conversion: Conversion | undefined, text: string]>([
  [[], undefined, ''],
  [['linux/arm64', 'linux/amd64'], undefined, 'platforms=linux/amd64,linux/arm64'],
  [[], 'docker-format', 'conversion=docker-format'],
  [['linux/arm/v7'], 'without-attestations', 'platforms=linux/arm/v7;conversion=without-attestations'],
])('%j, %s is kept as one text and read back', (texts, conversion, text) => {
  const platforms = texts.map((each) => parsePlatform(each, 'test'));
  expect(contentOptions(platforms, { conversion })).toBe(text);
  expect(conversionIn(text)).toBe(conversion);
  // The settings are the same whatever the destination made of them.
  expect(fitsSettings(text, contentOptions(platforms))).toBe(true);
  expect(fitsSettings(text, 'platforms=windows/amd64')).toBe(false);
});

it.each<[platforms: string[], conversion: Conversion | undefined, text: string]>([
  [[], undefined, 'signed=0123456789ab'],
  [['linux/arm64'], undefined, 'platforms=linux/arm64;signed=0123456789ab'],
  [[], 'docker-format', 'signed=0123456789ab;conversion=docker-format'],
  [
    ['linux/arm64'],
    'without-attestations',
    'platforms=linux/arm64;signed=0123456789ab;conversion=without-attestations',
  ],
])(
  '%j, %s remembers under what its signature was verified, which makes no other image',
  (texts, conversion, text) => {
    const platforms = texts.map((each) => parsePlatform(each, 'test'));
    expect(contentOptions(platforms, { conversion, signed: '0123456789ab' })).toBe(text);
    expect([signedUnder(text), conversionIn(text)]).toEqual(['0123456789ab', conversion]);
    expect(signedUnder(contentOptions(platforms, { conversion }))).toBeUndefined();
    expect(fitsSettings(text, contentOptions(platforms))).toBe(true);
    expect(fitsSettings(text, 'platforms=windows/amd64')).toBe(false);
  },
);

it('remembers how many foreign layers the destination lacks, which makes no other image', () => {
  const text = contentOptions([parsePlatform('windows/amd64', 'test')], {
    layersLeftOut: 2,
    conversion: 'docker-format',
  });
  expect(text).toBe('platforms=windows/amd64;left-out=2;conversion=docker-format');
  expect([layersLeftOutIn(text), layersLeftOutIn('')]).toEqual([2, 0]);
  expect(fitsSettings(text, 'platforms=windows/amd64')).toBe(true);
});

it('does not take what it does not know for settings', () => {
  expect(fitsSettings('left-out=many', '')).toBe(false);
  expect(fitsSettings('something=else', '')).toBe(false);
});

it.each([
  ['beside', true],
  // The tag is asked for each night.
  ['instead', false],
] as const)('remembers signatures of others that stand %s those of the source', (others, isSettled) => {
  const text = contentOptions([], { others });
  expect(text).toBe(`others=${others}`);
  expect([hasOthersSignatures(text), hasOthersSignatures('')]).toEqual([true, false]);
  expect([fitsSettings(text, ''), mayDiffer(text, [])]).toEqual([isSettled, true]);
});

it('remembers that the signatures at the referrers API were copied, which makes no other image', () => {
  const text = contentOptions([], { hasReferrers: true, signed: '0123456789ab' });
  expect(text).toBe('referrers;signed=0123456789ab');
  expect([hasReferrersIn(text), hasReferrersIn(''), fitsSettings(text, ''), mayDiffer(text, [])]).toEqual([
    true,
    false,
    true,
    false,
  ]);
});
