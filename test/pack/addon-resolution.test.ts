import { describe, expect, it } from 'vitest';
import { problemsOf, resolve } from './resolving.ts';

const HEX = 'd'.repeat(64);
const TREE = 'https://raw.githubusercontent.com';

function addons(list: unknown, kube = '1.37.1'): string[] {
  return resolve(JSON.stringify({ addons: list }), { kube }).addons.map(({ name, tag, source }) => {
    if (source.kind === 'own') return `${name} ${source.file} ${source.digest ?? '-'}`;
    const { check } = source;
    const checked =
      check.kind === 'published'
        ? check.sources.map(({ url, fileName }) => `${url.href} ${fileName}`).join(', ')
        : `${check.kind}${'digest' in check ? ` ${check.digest.slice(7, 11)}` : ''}`;
    return `${name} ${tag} ${source.url.href}; ${checked}; ${source.fileName}`;
  });
}

describe('the manifest of an add-on comes from', () => {
  it.each<[string, unknown, string]>([
    [
      'the repository of its maker, where its digest is known',
      'flannel',
      `flannel v0.28.9 ${TREE}/flannel-io/flannel/v0.28.9/Documentation/kube-flannel.yml; known e875; addon-flannel-v0.28.9.yaml`,
    ],
    [
      'the release, where only GitHub knows its digest',
      { name: 'flannel', tag: 'v0.28.10' },
      'flannel v0.28.10 https://github.com/flannel-io/flannel/releases/download/v0.28.10/kube-flannel.yml; ' +
        'https://api.github.com/repos/flannel-io/flannel/releases/tags/v0.28.10 kube-flannel.yml; addon-flannel-v0.28.10.yaml',
    ],
    [
      'the release, for what is in no repository',
      'metrics-server',
      'metrics-server v0.9.0 https://github.com/kubernetes-sigs/metrics-server/releases/download/v0.9.0/components.yaml; ' +
        'https://api.github.com/repos/kubernetes-sigs/metrics-server/releases/tags/v0.9.0 components.yaml; addon-metrics-server-v0.9.0.yaml',
    ],
    [
      'the repository of calico',
      'calico',
      `calico v3.32.1 ${TREE}/projectcalico/calico/v3.32.1/manifests/calico.yaml; known a1df; addon-calico-v3.32.1.yaml`,
    ],
    [
      'the repository of local-path',
      { name: 'local-path', tag: 'auto' },
      `local-path v0.0.37 ${TREE}/rancher/local-path-provisioner/v0.0.37/deploy/local-path-storage.yaml; known 9781; addon-local-path-v0.0.37.yaml`,
    ],
    [
      'its maker, checked by a pin where there is one',
      { name: 'calico', tag: 'v3.29.0', sha256: HEX },
      `calico v3.29.0 ${TREE}/projectcalico/calico/v3.29.0/manifests/calico.yaml; pin dddd; addon-calico-v3.29.0.yaml`,
    ],
    [
      'its maker, unchecked where that is asked for',
      { name: 'calico', tag: 'v3.29.0', sha256: 'none' },
      `calico v3.29.0 ${TREE}/projectcalico/calico/v3.29.0/manifests/calico.yaml; none; addon-calico-v3.29.0.yaml`,
    ],
    [
      'an address',
      { name: 'x', tag: '1.2', uri: 'https://e.org/{{.Tag}}/x.yaml', sha256: HEX },
      'x 1.2 https://e.org/1.2/x.yaml; pin dddd; addon-x-1.2.yaml',
    ],
    [
      'a file, from the folder of versions.json',
      { name: 'mine', manifest: 'm/mine.yaml' },
      `mine ${process.cwd()}/m/mine.yaml -`,
    ],
    [
      'a file of a known add-on',
      { name: 'cilium', manifest: '/m/cilium.yaml', sha256: HEX },
      `cilium /m/cilium.yaml sha256:${HEX}`,
    ],
  ])('%s', (_, addon, expected) => {
    expect(addons([addon])).toEqual([expected]);
  });

  it('a release elsewhere, checked by GitHub or by what stands beside it', () => {
    const uri = 'https://github.com/me/x/releases/download/v{{.Tag}}/x%20y.yaml';
    const [addon = ''] = addons([{ name: 'x', tag: '1', uri }]);
    expect(addon).toContain('https://api.github.com/repos/me/x/releases/tags/v1 x y.yaml, ');
    expect(addon).toContain('https://github.com/me/x/releases/download/v1/x%20y.yaml.sha256 ');
  });
});

it.each<[string, unknown, RegExp]>([
  [
    'one that is not known',
    'flanel',
    /unknown add-on "flanel"; did you mean "flannel"\?; known are flannel, calico, metrics-server, local-path; any other needs a "uri", or a manifest/,
  ],
  [
    'a chart, with the command that makes its manifest',
    'cilium',
    /cilium is published only as a chart, .*helm template cilium .* > manifests\/cilium\.yaml, and list it here: \{ "name": "cilium"/,
  ],
  [
    'one whose manifest nobody vouches for',
    { name: 'calico', tag: 'v3.29.0' },
    /upstream publishes no checksum of the manifest of calico v3\.29\.0; pin it with "sha256", or set "sha256": "none"/,
  ],
  [
    'an address that is none',
    { name: 'x', tag: '1', uri: 'ftp://e.org/x' },
    /is not an http or https address/,
  ],
  [
    'plain http',
    { name: 'x', tag: '1', uri: 'http://e.org/x.yaml' },
    /a download over plain http can be changed/,
  ],
  ['a name that is none', { name: '../x', tag: '1' }, /is not an add-on's name/],
  ['a manifest that is a folder', { name: 'x', manifest: 'manifests/' }, /is not the path of a file/],
  [
    'a path and an address',
    { name: 'x', manifest: 'x.yaml', uri: 'https://e.org/x.yaml' },
    /a path or a "uri", but not both/,
  ],
  [
    'a tag of what has none',
    { name: 'x', manifest: 'x.yaml', tag: '1' },
    /a manifest of your own has no "tag"/,
  ],
  [
    'a file that is not to be checked',
    { name: 'x', manifest: 'x.yaml', sha256: 'none' },
    /needs no "sha256"/,
  ],
])('refuses %s', (_, addon, message) => {
  expect(problemsOf(JSON.stringify({ addons: [addon] }), { kube: '1.37.1' }).join('\n')).toMatch(message);
});

it('refuses one that is there twice, and one that has no version for this Kubernetes', () => {
  expect(problemsOf('{"addons": ["flannel", "flannel"]}', { kube: '1.37.1' })).toEqual([
    '"flannel": flannel is already in the list',
  ]);
  expect(problemsOf('{"addons": ["calico"]}', { kube: '1.30.1' }).join()).toContain(
    'packer does not know which calico matches Kubernetes 1.30.1; set its tag',
  );
});
