import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { type Descriptor, type Index, parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { isAttestation, keepEntries } from '../../src/sync/copy/index-subset.ts';

const ENTRY: Descriptor = { mediaType: MEDIA_TYPE.ociManifest, digest: digestOf(Buffer.from('x')), size: 1 };

test.each<[what: string, entry: Partial<Descriptor>, is: boolean]>([
  ['for no platform', {}, false],
  ['for a platform', { platform: { os: 'linux', architecture: 'amd64' } }, false],
  ['for an unknown platform', { platform: { os: 'unknown', architecture: 'unknown' } }, true],
  ['for an unknown architecture', { platform: { os: 'linux', architecture: 'unknown' } }, false],
  ['that says it is one', { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }, true],
  ['that says it is something else', { annotations: { 'vnd.docker.reference.type': 'sbom' } }, false],
])('an entry %s is an attestation: %s', (_what, entry, is) => {
  expect(isAttestation({ ...ENTRY, ...entry })).toBe(is);
});

describe('an index of some entries', () => {
  const content = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociIndex,
    manifests: ['amd64', 'arm64', 'amd64'].map((architecture, index) => ({
      ...ENTRY,
      digest: digestOf(Buffer.from(`${index}`)),
      platform: { os: 'linux', architecture, 'os.features': ['x'] },
    })),
    annotations: { 'org.opencontainers.image.version': '1.2' },
    unknown: { to: 'us' },
  };
  const index = parseManifest(Buffer.from(JSON.stringify(content, undefined, 3)), undefined, 'it');
  if (index.kind !== 'index') throw new Error('it is no index');

  function keep(...positions: readonly number[]): Index {
    if (index.kind !== 'index') throw new Error('it is no index');
    const kept = new Set(index.manifests.filter((_, position) => positions.includes(position)));
    const some = keepEntries(index, kept, 'it');
    if (some.kind !== 'index') throw new Error('it is no index');
    return some;
  }

  test('is the one it was where all are kept, to the byte', () => {
    expect(keep(0, 1, 2)).toBe(index);
  });

  test('has all else as it was, also what is not known here, and another digest', () => {
    const some = keep(1, 2);
    expect(JSON.parse(some.bytes.toString())).toEqual({ ...content, manifests: content.manifests.slice(1) });
    expect(some.digest).toBe(digestOf(some.bytes));
    expect(some.digest).not.toBe(index.digest);
  });

  test('is the same each time', () => {
    expect(keep(0).digest).toBe(keep(0).digest);
  });
});
