import { describe, expect, test } from 'vitest';
import { destinationRepository, type Naming } from '../../src/config/mirror-naming.ts';
import { parseReference, parseRepository } from '../../src/registry/oci/reference.ts';

describe('the name at the destination', () => {
  test.each<[Naming, string | undefined, string, string | undefined, string]>([
    ['basename', 'keel', 'registry.k8s.io/coredns/coredns', undefined, 'keel/coredns'],
    ['basename', undefined, 'registry.k8s.io/coredns/coredns', undefined, 'coredns'],
    ['basename', 'a/b', 'registry.k8s.io/pause', undefined, 'a/b/pause'],
    ['basename', 'keel', 'ghcr.io/flannel-io/flannel', undefined, 'keel/flannel'],
    ['dashed', 'keel', 'registry.k8s.io/coredns/coredns', undefined, 'keel/coredns-coredns'],
    ['dashed', 'keel', 'ghcr.io/flannel-io/flannel', undefined, 'keel/flannel-io-flannel'],
    ['path', 'keel', 'registry.k8s.io/a/b/c', undefined, 'keel/a/b/c'],
    ['path', 'keel', 'docker.io/nginx', undefined, 'keel/library/nginx'],
    ['path', 'keel', 'registry.k8s.io/coredns/coredns', 'dns', 'keel/dns'],
    ['basename', undefined, 'registry.k8s.io/coredns/coredns', 'x/y', 'x/y'],
  ])('%s below %s: %s (patch: %s) becomes %s', (naming, namespace, source, patch, destination) => {
    expect(
      destinationRepository(
        { naming, namespace: namespace === undefined ? undefined : parseRepository(namespace) },
        parseReference(source),
        { patchName: patch === undefined ? undefined : parseRepository(patch) },
      ),
    ).toBe(destination);
  });

  test('that is too long for a registry is refused, and the source is named', () => {
    const source = parseReference(`registry.k8s.io/${'a'.repeat(254)}`);
    expect(() =>
      destinationRepository({ naming: 'path', namespace: parseRepository('keel') }, source),
    ).toThrow(
      expect.objectContaining({ code: 'NAME_TOO_LONG', about: `registry.k8s.io/${'a'.repeat(254)}` }),
    );
  });
});
