import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { parseHost, parseReference, parseRepository } from '../../src/registry/oci/reference.ts';
import { locateImage } from '../../src/sync/check/image-location.ts';

describe('an image is placed', () => {
  const set = parseImageSet(
    parseDocument(
      'image_set.json',
      `{
  "names": ["pause"],
  "prefixes": ["sig-storage/"],
  "extras": ["quay.io/coreos/etcd:v3.6.1"],
  "patches": [{"match": "quay.io/coreos/etcd", "name": "etcd-of-coreos"}]
}`,
    ),
  );
  const settings = {
    source: parseHost('registry.k8s.io'),
    naming: 'basename' as const,
    namespace: parseRepository('keel'),
  };
  it.each([
    ['registry.k8s.io/pause', 'keel/pause', 2],
    ['registry.k8s.io/sig-storage/csi-attacher:v4', 'keel/csi-attacher', 3],
    ['quay.io/coreos/etcd:v3.6.1', 'keel/etcd-of-coreos', 4],
    ['registry.k8s.io/etcd', 'keel/etcd', undefined],
    ['quay.io/pause', 'keel/pause', undefined],
  ])('%s goes to %s, as line %s says', (image, destination, line) => {
    const location = locateImage(parseReference(image), set, settings);
    expect(location).toMatchObject({ destination });
    expect(location.wantedBy?.line).toBe(line);
  });
});
