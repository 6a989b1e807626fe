import { expect, it } from 'vitest';
import type { ReleaseAsset } from '../../src/publish/release/github-releases.ts';
import { isAmong, isSame, wantedAssets } from '../../src/publish/release/release-assets.ts';
import { planParts } from '../../src/publish/release/release-parts.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { PackageFixture } from './package-fixture.ts';

const NAME = 'kube.tar.gz';
const calm = new AbortController().signal;
const DIGEST = digestOf(Buffer.from('x'));
const WANTED = { name: NAME, size: 1, sha256: DIGEST, content: Buffer.from('x') };
const THERE = { id: 1, name: NAME, size: 1, state: 'uploaded', digest: DIGEST, browser_download_url: '' };

it('a package is an asset of its own, or parts and behind them a header', async () => {
  await using fixture = await PackageFixture.write(NAME, 250);
  const { file, content } = fixture;
  const whole = wantedAssets(file, await planParts(file, 250, calm));
  expect(whole).toEqual([
    { name: NAME, size: 250, sha256: file.sha256, content: { path: file.path, start: 0, end: 250 } },
  ]);
  const split = wantedAssets(file, await planParts(file, 100, calm));
  expect(split.map(({ name }) => name)).toEqual([
    `${NAME}.part000`,
    `${NAME}.part001`,
    `${NAME}.part002`,
    `${NAME}.parts.json`,
  ]);
  const header = split.at(-1);
  expect(header?.content).toBeInstanceOf(Buffer);
  const read: unknown = JSON.parse(String(header?.content));
  expect(read).toMatchObject({ name: NAME, size: 250, parts: [{ size: 100 }, { size: 100 }, { size: 50 }] });
  expect(split[2]?.sha256).toBe(digestOf(content.subarray(200)));
});

it.each<[string, Partial<ReleaseAsset>, boolean]>([
  ['as it should be', {}, true],
  ['without a digest, from an older server', { digest: undefined }, true],
  ['of another size', { size: 2 }, false],
  ['with another digest', { digest: digestOf(Buffer.from('y')) }, false],
  ['of which the upload broke off', { state: 'starter' }, false],
])('an asset %s has the wanted content: %s', (_what, change, expected) => {
  expect(isSame({ ...THERE, ...change }, WANTED)).toBe(expected);
});

it('an asset is among the wanted ones by its name and content', () => {
  expect(isAmong(THERE, [{ ...WANTED, name: 'other' }, WANTED])).toBe(true);
  expect(isAmong({ ...THERE, name: 'another' }, [WANTED])).toBe(false);
  expect(isAmong({ ...THERE, size: 2 }, [WANTED])).toBe(false);
});
