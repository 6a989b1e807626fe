import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { destinationRepository } from '../../src/config/mirror-naming.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { kubeadmNames } from '../../src/sync/check/kubeadm-names.ts';
import { mirrorFiles } from '../../src/sync/check/mirror-configuration.ts';
import type { SyncSettings } from '../../src/sync/settings.ts';

const HOST = parseHost('registry.example.com');
const IMAGES = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'etcd',
  'coredns/coredns',
  'pause',
];

function names(
  naming: SyncSettings['naming'],
  namespace: string | undefined,
  patches: Record<string, string> = {},
) {
  const source = parseHost('registry.k8s.io');
  const space = namespace === undefined ? undefined : parseRepository(namespace);
  const repositories = IMAGES.map((name) => {
    const patch = patches[name] === undefined ? undefined : parseRepository(patches[name]);
    const from = { host: source, repository: parseRepository(name) };
    return [name, destinationRepository({ naming, namespace: space }, from, { patchName: patch })] as const;
  });
  return kubeadmNames(HOST, new Map(repositories));
}

describe('the repositories for kubeadm', () => {
  test.each<[SyncSettings['naming'], string | undefined, Record<string, string>, object]>([
    ['basename', 'mirror', {}, { image: 'registry.example.com/mirror' }],
    ['basename', undefined, {}, { image: 'registry.example.com' }],
    [
      'basename',
      'a/b',
      { etcd: 'base/etcd' },
      { image: 'registry.example.com/a/b', etcd: 'registry.example.com/a/b/base' },
    ],
    [
      'path',
      'mirror',
      {},
      { image: 'registry.example.com/mirror', dns: 'registry.example.com/mirror/coredns' },
    ],
    ['path', undefined, {}, { image: 'registry.example.com', dns: 'registry.example.com/coredns' }],
    ['dashed', 'mirror', { 'coredns/coredns': 'coredns' }, { image: 'registry.example.com/mirror' }],
  ])('with %s names below %s and patches %j', (naming, namespace, patches, repositories) => {
    expect(names(naming, namespace, patches)).toEqual({ kind: 'usable', repositories });
  });

  test.each<[SyncSettings['naming'], Record<string, string>, object]>([
    ['dashed', {}, { name: 'coredns/coredns', expected: 'mirror/coredns', found: 'mirror/coredns-coredns' }],
    [
      'basename',
      { 'kube-proxy': 'proxies/kube-proxy' },
      { name: 'kube-proxy', expected: 'mirror/kube-proxy', found: 'mirror/proxies/kube-proxy' },
    ],
    ['basename', { pause: 'sandbox' }, { name: 'pause', expected: 'mirror/pause', found: 'mirror/sandbox' }],
  ])('do not exist with %s names and patches %j', (naming, patches, misnamed) => {
    expect(names(naming, 'mirror', patches)).toEqual({ kind: 'unusable', misnamed: [misnamed] });
  });
});

type MirrorFacts = Parameters<typeof mirrorFiles>[0];

function files(facts: Partial<MirrorFacts> & { version?: MirrorFacts['version'] } = {}): Map<string, string> {
  const all = mirrorFiles({
    version: parseKubernetesVersion('1.37.1', 'test'),
    host: HOST,
    endpoint: new URL('https://registry.example.com/'),
    caFile: undefined,
    isUnverified: false,
    repositories: { image: 'registry.example.com/mirror' },
    upstreams: [{ host: parseHost('registry.k8s.io'), prefixes: ['mirror'], unfound: [] }],
    pauseImage: 'registry.example.com/mirror/pause:3.10.2',
    ...facts,
  });
  return new Map(all.map(({ path, text }) => [path, text]));
}

const UPSTREAM = '/etc/containerd/certs.d/registry.k8s.io/hosts.toml';

describe('the files for a cluster', () => {
  test('lead containerd and kubeadm to the mirror', () => {
    expect(Object.fromEntries(files())).toEqual({
      [UPSTREAM]: `server = "https://registry.k8s.io"

[host."https://registry.example.com/v2/mirror"]
  capabilities = ["pull", "resolve"]
  override_path = true
`,
      '/etc/containerd/conf.d/mirror.toml': `# for containerd 2, whose config.toml has to import /etc/containerd/conf.d/*.toml, as the one in a package does
version = 3

[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = '/etc/containerd/certs.d'

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = 'registry.example.com/mirror/pause:3.10.2'
`,
      'kubeadm.yaml': `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.37.1
imageRepository: registry.example.com/mirror
`,
    });
  });

  test('lead to the mirror for each registry, with every path below which it has whole names', () => {
    const unfound = [
      {
        host: parseHost('docker.io'),
        repository: parseRepository('a/b'),
        mirror: parseRepository('mirror/b'),
      },
    ];
    const all = files({
      upstreams: [
        { host: parseHost('docker.io'), prefixes: ['mirror', 'mirror/base'], unfound },
        { host: parseHost('quay.io'), prefixes: [], unfound: [] },
      ],
    });
    expect([...all.keys()]).not.toContain('/etc/containerd/certs.d/quay.io/hosts.toml');
    expect(
      all.get('/etc/containerd/certs.d/docker.io/hosts.toml'),
    ).toBe(`# does not cover a/b, which is registry.example.com/mirror/b at the mirror
server = "https://registry-1.docker.io"

[host."https://registry.example.com/v2/mirror"]
  capabilities = ["pull", "resolve"]
  override_path = true

[host."https://registry.example.com/v2/mirror/base"]
  capabilities = ["pull", "resolve"]
  override_path = true
`);
  });

  test('name what is kept apart, in the format that an old kubeadm reads', () => {
    const repositories = { image: 'r.example/m', dns: 'r.example/m/coredns', etcd: 'r.example/base' };
    const version = parseKubernetesVersion('1.30.4', 'test');
    expect(parse(files({ repositories, version }).get('kubeadm.yaml') ?? '')).toEqual({
      apiVersion: 'kubeadm.k8s.io/v1beta3',
      kind: 'ClusterConfiguration',
      kubernetesVersion: 'v1.30.4',
      imageRepository: 'r.example/m',
      dns: { imageRepository: 'r.example/m/coredns' },
      etcd: { local: { imageRepository: 'r.example/base' } },
    });
  });

  test('do not check the certificate of a mirror whose certificate nobody signed', () => {
    const all = files({ isUnverified: true });
    expect(all.get(UPSTREAM)).toContain('  skip_verify = true\n');
    expect(all.get('/etc/containerd/certs.d/registry.example.com/hosts.toml')).toContain(
      '  skip_verify = true\n',
    );
  });

  test('tell how to trust a mirror with an authority of its own', () => {
    const all = files({ caFile: 'ca.pem' });
    const trust = '  # a copy of ca.pem\n  ca = "/etc/containerd/certs.d/mirror-ca.crt"\n';
    expect(all.get(UPSTREAM)).toContain(trust);
    expect(all.get('/etc/containerd/certs.d/registry.example.com/hosts.toml')).toBe(
      `server = "https://registry.example.com"\n\n[host."https://registry.example.com"]\n  capabilities = ["pull", "resolve"]\n${trust}`,
    );
  });

  test('speak plain HTTP where the mirror does', () => {
    const host = parseHost('10.0.0.5:5000');
    const repositories = { image: '10.0.0.5:5000' };
    const upstreams = [{ host: parseHost('registry.k8s.io'), prefixes: [''], unfound: [] }];
    const all = files({ host, repositories, upstreams, endpoint: new URL('http://10.0.0.5:5000/') });
    expect(all.get(UPSTREAM)).toContain('[host."http://10.0.0.5:5000/v2"]');
    expect(all.get('/etc/containerd/certs.d/10.0.0.5:5000/hosts.toml')).toContain(
      'server = "http://10.0.0.5:5000"',
    );
  });
});
