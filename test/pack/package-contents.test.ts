import { expect, it } from 'vitest';
import {
  countUnchecked,
  describeCheck,
  describeImageCheck,
  uncheckedLines,
  uncheckedParts,
} from '../../src/pack/contents/package-contents.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';

const DIGEST = digestOf(Buffer.from('content'));
const MIRROR_ONLY = { kind: 'mirror-only', reason: 'e.org cannot be reached' } as const;
const VERIFIED = { kind: 'verified', identity: 'release@e.org', issuer: 'https://e.org' } as const;
const UNVERIFIED = { kind: 'unverified', reason: 'it has none' } as const;

it.each([
  [{ kind: 'pin' }, 'pinned in versions.json'],
  [{ kind: 'upstream', registry: parseHost('e.org') }, 'same as at e.org'],
  [
    { kind: 'upstream', registry: parseHost('e.org'), compared: 'layers' },
    'with the same configuration and layers as at e.org',
  ],
  [
    { kind: 'upstream', registry: parseHost('e.org'), compared: 'unpacked-layers' },
    'with the same configuration as at e.org, and layers that unpack to the digests in it',
  ],
  [MIRROR_ONLY, 'mirror-only: e.org cannot be reached'],
  [{ kind: 'published', digest: DIGEST, source: 'https://e.org/x' }, 'checksum published at https://e.org/x'],
  [{ kind: 'published', digest: DIGEST }, 'checksum published at upstream'],
  [{ kind: 'none' }, 'not verified'],
  [{ kind: 'known', digest: DIGEST }, 'verified with the digest built into packer'],
  [{ kind: 'own' }, 'your own'],
  [{ kind: 'pin', manifest: 'cilium' }, 'pinned in the manifest of cilium'],
] as const)('a check is told in a few words: %j', (check, text) => {
  expect(describeCheck(check)).toBe(text);
});

it.each([
  [undefined, 'pinned in versions.json'],
  [UNVERIFIED, 'pinned in versions.json, without a valid signature'],
  [VERIFIED, 'pinned in versions.json, signed by release@e.org'],
] as const)('so is the signature of an image: %j', (signature, text) => {
  expect(describeImageCheck({ check: { kind: 'pin' }, signature })).toBe(text);
});

it.each([
  ['a mirror-only image', { check: MIRROR_ONLY }, ['e.org/tool:v1 (e.org cannot be reached)']],
  [
    'one without a signature',
    { check: MIRROR_ONLY, signature: UNVERIFIED },
    ['e.org/tool:v1 (e.org cannot be reached)'],
  ],
  ['not one that its maker signed', { check: MIRROR_ONLY, signature: VERIFIED }, []],
  ['not one that is pinned', { check: { kind: 'pin' } }, []],
] as const)('only its source vouches for %s', (_, image, parts) => {
  const described = { name: 'tool', upstream: 'e.org/tool:v1', pulledBy: 'mirror/tool:v1', digest: DIGEST };
  const images = [{ ...described, config: DIGEST, layers: [], size: 1, ...image }];
  expect(uncheckedLines(uncheckedParts({ images, components: [], addons: [] }))).toEqual(parts);
});

it('nor does more than its source vouch for a component that nothing checked', () => {
  const tool = { name: 'tool', tag: '1', url: 'https://e.org/tool', sha256: DIGEST, size: 1, files: [] };
  const components = [
    { ...tool, check: { kind: 'none' } },
    { ...tool, name: 'other', check: { kind: 'pin', digest: DIGEST } },
  ] as const;
  expect(uncheckedLines(uncheckedParts({ images: [], components, addons: [] }))).toEqual([
    'tool 1 (its "sha256" is "none")',
  ]);
});

it('a reason that parts share is told once', () => {
  const [away, gone] = ['e.org cannot be reached', 'f.org cannot be reached'];
  expect(
    uncheckedLines([
      { what: 'a 1', reason: away },
      { what: 'b 1', reason: gone },
      { what: 'c 1', reason: away },
    ]),
  ).toEqual([`a 1 and c 1 (${away})`, `b 1 (${gone})`]);
});

it.each([
  ['1 image', [['image', false]]],
  [
    '2 images and 1 add-on',
    [
      ['image', false],
      ['image', false],
      ['add-on', false],
    ],
  ],
  ['1 component with "sha256": "none"', [['component', true]]],
  [
    '1 image and 1 component, 2 components with "sha256": "none"',
    [
      ['component', true],
      ['image', false],
      ['component', false],
      ['component', true],
    ],
  ],
] as const)('unverified parts are counted by kind: %s', (told, parts) => {
  expect(countUnchecked(parts.map(([kind, isWanted]) => ({ kind, isWanted })))).toBe(told);
});
