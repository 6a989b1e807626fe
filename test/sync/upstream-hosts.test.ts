import { expect, test } from 'vitest';
import { parseReference, parseRepository } from '../../src/registry/oci/reference.ts';
import { upstreamHosts } from '../../src/sync/check/upstream-hosts.ts';

const name = ([upstream, mirror]: readonly [string, string]) => ({
  ...parseReference(upstream),
  mirror: parseRepository(mirror),
});

test.each<[string, (readonly [string, string])[], object[]]>([
  [
    'below a namespace, by their paths',
    [
      ['registry.k8s.io/pause', 'm/pause'],
      ['registry.k8s.io/coredns/coredns', 'm/coredns/coredns'],
      ['ghcr.io/flannel-io/flannel', 'm/flannel-io/flannel'],
    ],
    [
      { host: 'registry.k8s.io', prefixes: ['m'], unfound: [] },
      { host: 'ghcr.io', prefixes: ['m'], unfound: [] },
    ],
  ],
  [
    'by basenames, of which some are whole names',
    [
      ['registry.k8s.io/pause', 'm/pause'],
      ['registry.k8s.io/coredns/coredns', 'm/coredns'],
      ['ghcr.io/flannel-io/flannel', 'm/flannel'],
    ],
    [
      {
        host: 'registry.k8s.io',
        prefixes: ['m'],
        unfound: [{ repository: 'coredns/coredns', mirror: 'm/coredns' }],
      },
      { host: 'ghcr.io', prefixes: [], unfound: [{ repository: 'flannel-io/flannel' }] },
    ],
  ],
  [
    'at the root',
    [['docker.io/library/busybox', 'library/busybox']],
    [{ host: 'docker.io', prefixes: [''] }],
  ],
  [
    'some of them elsewhere, the path with most of them first',
    [
      ['registry.k8s.io/etcd', 'm/base/etcd'],
      ['registry.k8s.io/pause', 'm/pause'],
      ['registry.k8s.io/kube-proxy', 'm/kube-proxy'],
    ],
    [{ prefixes: ['m', 'm/base'], unfound: [] }],
  ],
  ['with an ending that only looks alike', [['registry.k8s.io/pause', 'm/xpause']], [{ prefixes: [] }]],
])('names at the mirror: %s', (_, names, expected) => {
  expect(upstreamHosts(names.map(name))).toMatchObject(expected);
});
