import { describe, expect, it } from 'vitest';
import { NEWEST_CNI_PLUGINS } from '../../src/config/kubernetes/runtime-table.ts';
import type { ComponentPlan } from '../../src/pack/plan/plan.ts';
import { noticesOf, problemsOf, resolve, type Wanted } from './resolving.ts';

const HEX = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);

function planOf(component: object, wanted: Wanted = {}): ComponentPlan {
  const [plan] = resolve(JSON.stringify({ components: [component] }), {
    kube: '1.37.1',
    ...wanted,
  }).components;
  if (plan === undefined) throw new Error('there is one component');
  return plan;
}

describe('a place in the package', () => {
  const uri = 'https://e.org/tool';

  it.each<[string, object, object]>([
    [
      'of a known program',
      { name: 'kubelet', tag: 'auto' },
      { kind: 'file', path: 'kubernetes/bin/kubelet', executable: true },
    ],
    [
      'of a known archive',
      { name: 'containerd', tag: '2.3.4' },
      { kind: 'archive', folder: 'runtime/containerd/bin', strip: 'bin/', only: undefined },
    ],
    [
      'of a known archive, in a folder of the file',
      { name: 'helm', tag: '4.3.0', path: 'tools/' },
      { kind: 'archive', folder: 'tools', strip: 'linux-amd64/', only: new Map([['helm', 'helm']]) },
    ],
    [
      'of a known program, in a folder of the file',
      { name: 'runc', tag: '1.4.3', path: 'tools/' },
      { kind: 'file', path: 'tools/runc', executable: true },
    ],
    [
      'as the file says',
      { name: 'tool', tag: '1', uri, path: 'a/b' },
      { kind: 'file', path: 'a/b', executable: true },
    ],
    [
      'of an archive that is packed as it is',
      { name: 'tool', tag: '1', uri: `${uri}.tgz`, path: 'a/tool.tgz' },
      { kind: 'file', path: 'a/tool.tgz', executable: false },
    ],
    [
      'of an archive that is unpacked into a folder of the file',
      { name: 'tool', tag: '1', uri: `${uri}.TGZ`, path: 'a/' },
      { kind: 'archive', folder: 'a', strip: '' },
    ],
    [
      'of another file in a folder of the file',
      { name: 'tool', tag: '1', uri: `${uri}.yaml`, path: 'a/' },
      { kind: 'file', path: 'a/tool', executable: false },
    ],
    [
      'of an unknown program',
      { name: 'tool', tag: '1', uri },
      { kind: 'file', path: 'kubernetes/bin/tool', executable: true },
    ],
    [
      'of any other unknown file',
      { name: 'tool', tag: '1', uri: `${uri}.tar.XZ` },
      { kind: 'file', path: 'components/tool.tar.xz', executable: false },
    ],
  ])('%s', (_, component, placement) => {
    expect(planOf(component).placement).toEqual(placement);
  });
});

describe('a check', () => {
  const beside = 'https://e.org/tool';

  it.each<[string, object, object]>([
    ['is none where the file says so', { sha256: 'none' }, { kind: 'none' }],
    ['is a pin', { sha256: HEX }, { kind: 'pin', digest: `sha256:${HEX}` }],
    [
      'is the pin of the architecture',
      { sha256: { amd64: HEX, arm64: OTHER } },
      { kind: 'pin', digest: `sha256:${HEX}` },
    ],
    [
      'is what is published in the usual places',
      {},
      {
        kind: 'published',
        sources: ['tool.sha256', 'tool.sha256sum', 'tool.sha512', 'SHA256SUMS', 'checksums.txt'].map(
          (name) => ({
            url: new URL(`https://e.org/${name}`),
            fileName: 'tool',
          }),
        ),
      },
    ],
  ])('%s', (_, sha256, check) => {
    expect(planOf({ name: 'tool', tag: '1', uri: beside, ...sha256 }).check).toEqual(check);
  });

  it('is what its maker publishes', () => {
    expect(planOf({ name: 'etcd', tag: '3.6.6' }).check).toMatchObject({
      kind: 'published',
      sources: [
        {
          fileName: 'etcd-v3.6.6-linux-amd64.tar.gz',
          url: expect.objectContaining({ pathname: expect.stringMatching(/\/v3\.6\.6\/SHA256SUMS$/) }),
        },
      ],
    });
  });
});

it.each([
  [
    'the version of Kubernetes, with a "v" as the file has it',
    { name: 'kubelet', tag: 'v1.36.0' },
    'v1.37.1',
  ],
  ['the version of Kubernetes', { name: 'kubectl', tag: '1.36.0' }, '1.37.1'],
  ["the etcd that is in kubeadm's image", { name: 'etcd', tag: 'auto' }, '3.7.0'],
  ['what goes with this Kubernetes', { name: 'cni', tag: 'auto' }, NEWEST_CNI_PLUGINS],
  ['what the file says', { name: 'cni', tag: 'v1.0.0' }, 'v1.0.0'],
])('has the tag that is %s', (_, component, tag) => {
  expect(planOf(component).tag).toBe(tag);
});

it('is kept under a name that no other component, version or architecture has', () => {
  expect(planOf({ name: 'helm', tag: '4.3.0' }, { arch: 'arm64' }).fileName).toBe('helm-4.3.0-arm64.tar.gz');
  expect(planOf({ name: 'kubelet', tag: 'auto' }).fileName).toBe('kubelet-1.37.1-amd64');
});

it('tells of a component that does not go with the Kubernetes of the file', () => {
  const components = [
    { name: 'kubelet', tag: '1.36.3' },
    { name: 'containerd', tag: '1.5.7' },
    { name: 'crictl', tag: '1.22.0' },
  ];
  expect(noticesOf(resolve(JSON.stringify({ components })))).toEqual([
    'containerd 1.5.7 does not match Kubernetes 1.36.3: it works with containerd >=2.3.0 || ~2.2.0',
    'crictl 1.22.0 does not match Kubernetes 1.36.3: crictl 1.36 matches it',
  ]);
});

it.each([
  'https://github.com/ARM-software/tool/releases/download/v1.0.0/tool',
  'https://e.org/robot-arm-1.0.0.tar.gz',
  'https://e.org/build-386/tool',
])('takes the address %s, in which no architecture is meant', (uri) => {
  expect(planOf({ name: 'tool', tag: '1.0.0', uri, sha256: 'none', path: 'tools/' }).url.href).toBe(uri);
});

it.each<[string, object, Wanted, string]>([
  [
    'an unknown component without an address',
    { components: [{ name: 'contianerd', tag: '2.3.4' }] },
    { kube: '1.37.1' },
    '"contianerd": unknown component "contianerd"; did you mean "containerd"?; known are kubeadm, kubelet, kubectl, containerd, runc, crictl, nerdctl, cni-plugins, flannel-cni, helm, etcd, calicoctl, cilium-cli; any other needs a "uri"',
  ],
  [
    'an address for another architecture',
    {
      components: [{ name: 'tool', tag: '1.0.0', uri: 'https://e.org/tool-linux-x86_64', sha256: 'none' }],
    },
    { kube: '1.30.0', arch: 'arm64' },
    '"https://e.org/tool-linux-x86_64": this is for amd64, but the package is for arm64; write {{.Arch}} instead',
  ],
  [
    'an address for 32-bit ARM',
    { components: [{ name: 'tool', tag: '1.0.0', uri: 'https://e.org/linux/arm/tool', sha256: 'none' }] },
    { kube: '1.30.0' },
    '"https://e.org/linux/arm/tool": this is for arm, but the package is for amd64; write {{.Arch}} instead',
  ],
  [
    'an address of another version',
    { components: [{ name: 'tool', tag: '1.0.0', uri: 'https://e.org/v1.1.0/tool', sha256: 'none' }] },
    { kube: '1.30.0' },
    '"https://e.org/v1.1.0/tool": this is version 1.1.0, but the tag is 1.0.0; write {{.Tag}} instead',
  ],
  [
    "a sha256 of the file's architecture, asked for another",
    { arch: 'amd64', components: [{ name: 'runc', tag: '1.4.3', sha256: HEX }] },
    { kube: '1.37.1', arch: 'arm64' },
    `"${HEX}": this sha256 belongs to amd64, but the package is for arm64; write {"amd64": "…", "arm64": "…"}, or remove it to verify against the published checksum`,
  ],
  [
    'no sha256 for the architecture',
    { components: [{ name: 'runc', tag: '1.4.3', sha256: { amd64: HEX } }] },
    { kube: '1.37.1', arch: 'arm64' },
    `{"amd64":"${HEX}": there is no sha256 for arm64, the architecture of the package`,
  ],
  [
    'a sha256 of another version of Kubernetes',
    { components: [{ name: 'kubelet', tag: '1.37.0', sha256: HEX }] },
    { kube: '1.37.1' },
    `"${HEX}": this sha256 belongs to Kubernetes 1.37.0, but the package is for 1.37.1; remove it to verify against the published checksum`,
  ],
  [
    'two downloads in one place',
    {
      components: [
        { name: 'runc', tag: '1.4.3' },
        { name: 'crun', tag: '1', uri: 'https://e.org/crun', path: 'runtime/containerd/bin/runc' },
      ],
    },
    { kube: '1.37.1' },
    '{"name":"crun": crun and runc would both have the path runtime/containerd/bin/runc in the package',
  ],
  [
    'a download in the place of an add-on, before anything is fetched',
    {
      components: [
        { name: 'mine', tag: '1', uri: 'https://e.org/mine', path: 'kubernetes/addons/flannel.yaml' },
      ],
      addons: ['flannel'],
    },
    { kube: '1.37.1' },
    '{"name":"mine": mine and the add-on flannel would both have the path kubernetes/addons/flannel.yaml in the package',
  ],
])('refuses %s', (_, document, wanted, problem) => {
  expect(problemsOf(JSON.stringify(document), wanted)).toContain(problem);
});
