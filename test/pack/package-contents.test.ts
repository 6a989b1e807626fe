import { expect, it } from 'vitest';
import {
  describeCheck,
  describeImageCheck,
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
  [{ kind: 'upstream', registry: parseHost('e.org') }, 'as e.org has it'],
  [
    { kind: 'upstream', registry: parseHost('e.org'), compared: 'layers' },
    'with the configuration and layers that e.org has',
  ],
  [
    { kind: 'upstream', registry: parseHost('e.org'), compared: 'unpacked-layers' },
    'with the configuration that e.org has, and layers that unpack to what it says',
  ],
  [MIRROR_ONLY, 'mirror-only: e.org cannot be reached'],
  [{ kind: 'published', digest: DIGEST, source: 'https://e.org/x' }, 'checksum published at https://e.org/x'],
  [{ kind: 'published', digest: DIGEST }, 'checksum published at its maker'],
  [{ kind: 'none' }, 'not checked'],
] as const)('a check is told in a few words: %j', (check, text) => {
  expect(describeCheck(check)).toBe(text);
});

it.each([
  [undefined, 'pinned in versions.json'],
  [UNVERIFIED, 'pinned in versions.json, without a signature that counts'],
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
  expect(uncheckedParts({ images, components: [] })).toEqual(parts);
});

it('nor does more than its source vouch for a component that nothing checked', () => {
  const tool = { name: 'tool', tag: '1', url: 'https://e.org/tool', sha256: DIGEST, size: 1, files: [] };
  const components = [
    { ...tool, check: { kind: 'none' } },
    { ...tool, name: 'other', check: { kind: 'pin', digest: DIGEST } },
  ] as const;
  expect(uncheckedParts({ images: [], components })).toEqual([
    'tool 1 (the versions.json says "sha256": "none")',
  ]);
});
