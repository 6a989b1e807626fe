import { expect, test } from 'vitest';
import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import type { Index } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { requireReasonable } from '../../src/sync/copy/index-limits.ts';

const DIGESTS = Array.from({ length: 1501 }, (_, index) => digestOf(Buffer.from(`${index}`)));

function indexOf(count: number, { size = 1000, from = 0 } = {}): Index {
  const manifests = DIGESTS.slice(from, from + count).map((digest) => ({
    mediaType: MEDIA_TYPE.ociManifest,
    digest,
    size,
  }));
  const bytes = Buffer.from('an index');
  return { kind: 'index', mediaType: MEDIA_TYPE.ociIndex, digest: digestOf(bytes), bytes, manifests };
}

const MIB = 1024 * 1024;

test.each<[what: string, index: Index, depth: number, known: readonly Digest[], reasonable: boolean]>([
  ['no entries', indexOf(0), 0, [], true],
  ['500 entries', indexOf(500), 0, [], true],
  ['501 entries', indexOf(501), 0, [], false],
  ['entries in the fourth index in another', indexOf(1), 3, [], true],
  ['entries in the fifth', indexOf(1), 4, [], false],
  ['500 entries beside 500 others', indexOf(500), 1, DIGESTS.slice(500, 1000), true],
  ['500 entries beside 501 others', indexOf(500), 1, DIGESTS.slice(500, 1001), false],
  ['500 entries that are known already, of 1000', indexOf(500), 1, DIGESTS.slice(0, 1000), true],
  ['manifests of 4 MiB together', indexOf(4, { size: MIB }), 0, [], true],
  ['manifests of a byte more', indexOf(1, { size: 4 * MIB + 1 }), 0, [], false],
])('an index with %s', (_what, index, depth, known, reasonable) => {
  const require = () => requireReasonable(index, depth, new Set(known), 'registry.example/app:v1');
  if (reasonable) expect(require).not.toThrow();
  else {
    expect(require).toThrow(
      expect.objectContaining({ code: 'INDEX_UNREASONABLE', about: 'registry.example/app:v1' }),
    );
  }
});
