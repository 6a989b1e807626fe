import { describe, expect, it } from 'vitest';
import { parseMirrorEntry, UpstreamMirror } from '../../src/config/upstream-mirror.ts';
import type { CheckedImage } from '../../src/pack/fetch/image-fetch.ts';
import {
  mirrorLine,
  plainPlan,
  planColumns,
  planLines,
  signaturePlanLine,
  unsignedWarnings,
} from '../../src/pack/run/wording.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { plannedImage } from './planned-image.ts';
import { pulledImage } from './pulled-image.ts';
import { KEEL, resolve, type Wanted } from './resolving.ts';

const HEX = 'ab'.repeat(32);

function plan(document: object, wanted: Wanted = {}) {
  return resolve(JSON.stringify(document), { kube: '1.37.1', ...wanted });
}

describe('the lines of a plan', () => {
  it.each<[string, object, Wanted, string]>([
    [
      'an image of a mirror',
      { name: 'pause', tag: '3.10.2' },
      {},
      `registry.k8s.io/pause:3.10.2 from ${KEEL}/pause:3.10.2 (or 2 other names); compared with registry.k8s.io if it can be reached`,
    ],
    [
      'an image of its own registry',
      { name: 'pause', tag: '3.10.2' },
      { from: 'upstream' },
      'registry.k8s.io/pause:3.10.2 (or 2 other names); same as at registry.k8s.io',
    ],
    [
      'a pinned image',
      { name: 'pause', tag: '3.10.2', image: `registry.k8s.io/pause@sha256:${HEX}` },
      { from: 'upstream' },
      `registry.k8s.io/pause:3.10.2 (or 2 other names); pinned to sha256:${HEX}`,
    ],
  ])('say of %s where it comes from and how it is checked', (_, image, wanted, line) => {
    expect(planLines(plan({ images: [image] }, wanted)).images).toEqual([line]);
  });

  it.each<[string, object, string]>([
    ['unchecked', { sha256: 'none' }, 'not verified'],
    ['pinned', { sha256: HEX }, `pinned to sha256:${HEX}`],
    [
      'published',
      {},
      'checksum at https://e.org/tool.sha256, else https://e.org/tool.sha256sum, else https://e.org/tool.sha512, else https://e.org/SHA256SUMS, else https://e.org/checksums.txt',
    ],
  ])('say the same of a component: %s', (_, check, told) => {
    const components = [{ name: 'tool', tag: '1', uri: 'https://e.org/tool', ...check }];
    expect(planLines(plan({ components })).components).toEqual([`tool 1 from https://e.org/tool; ${told}`]);
  });
});

describe('the columns of a plan', () => {
  it('have in their headings what all rows share', () => {
    const images = [{ name: 'pause', tag: '3.10.2' }];
    const components = [{ name: 'kubelet', tag: 'auto' }];
    expect(planColumns(plan({ images, components }))).toEqual([
      'Kubernetes 1.37.1 for amd64',
      '1 image from registry.cn-hangzhou.aliyuncs.com, compared with their upstream registries if those can be reached',
      '  registry.k8s.io/pause:3.10.2  as keel/pause',
      '1 component, verified with a published checksum',
      '  kubelet  1.37.1  https://dl.k8s.io/release/v1.37.1/bin/linux/amd64/kubelet',
    ]);
  });

  it('have a column for what differs', () => {
    const components = [
      { name: 'kubelet', tag: 'auto' },
      { name: 'tool', tag: '1', uri: 'https://e.org/tool', sha256: 'none' },
    ];
    expect(
      planColumns(plan({ images: [{ name: 'pause', tag: 'auto' }], components }, { from: 'upstream' })),
    ).toEqual([
      'Kubernetes 1.37.1 for amd64',
      '1 image',
      '  registry.k8s.io/pause:3.10.2      tag from table',
      '2 components',
      '  kubelet  1.37.1  verified with a published checksum  https://dl.k8s.io/release/v1.37.1/bin/linux/amd64/kubelet',
      '  tool     1       not verified                        https://e.org/tool',
    ]);
  });
});

it.each([
  [['https://m.example/files'], 'through a mirror: dl.k8s.io and get.helm.sh at https://m.example/files'],
  [
    ['https://m.example', 'get.helm.sh=https://helm.example/helm/'],
    'through mirrors: dl.k8s.io at https://m.example, get.helm.sh at https://helm.example/helm',
  ],
  [['github.com=https://m.example'], undefined],
  [[], undefined],
])('the mirrors %j that components come from are told', (entries, line) => {
  const components = ['kubelet', 'kubectl', 'helm'].map((name) => ({ name, tag: 'auto' }));
  const mirror = new UpstreamMirror(entries.map((entry) => parseMirrorEntry(entry, 'test')));
  expect(mirrorLine(plan({ images: [], components }), mirror)).toBe(line);
});

it('a plan for machines leaves out what is not there', () => {
  const document = {
    images: [{ name: 'pause', tag: '3.9' }],
    components: [{ name: 'tool', tag: '1', uri: 'https://e.org/tool?sig=secret', sha256: 'none' }],
  };
  expect(JSON.parse(JSON.stringify(plainPlan(plan(document, { from: 'upstream' }))))).toEqual({
    package: 'kube-1.37.1-amd64.tar.gz',
    kubernetes: '1.37.1',
    arch: 'amd64',
    images: [
      {
        name: 'pause',
        upstream: 'registry.k8s.io/pause:3.9',
        candidates: [
          'registry.k8s.io/pause:3.9',
          'registry.k8s.io/pause-amd64:3.9',
          'registry.k8s.io/pause:3.9-amd64',
        ],
      },
    ],
    components: [{ name: 'tool', tag: '1', url: 'https://e.org/tool?sig=…', check: { kind: 'none' } }],
    addons: [],
    notices: [
      'versions.json:1:34: kubeadm 1.37.1 needs pause 3.10.2, but the file pins 3.9',
      'kubeadm 1.37.1 also needs kube-apiserver, kube-controller-manager, kube-scheduler, kube-proxy, etcd, coredns, which the package will not contain',
    ],
  });
});

it.each([
  ['require', {}, 'signatures: required for 2 images'],
  ['warn', {}, 'signatures: looked up for 2 images'],
  ['require', { 'e.org': 'off' }, 'signatures: required for 1 image, not for 1 whose registry is "off"'],
] as const)('signatures that are wanted (%s, %j)', (mode, signatures, line) => {
  const images = [
    { name: 'pause', tag: '3.10.2' },
    { name: 'e.org/tool', tag: 'v1' },
  ];
  expect(signaturePlanLine(plan({ images, signatures }), mode)).toBe(line);
});

it('images without a signature are told once for each reason', async () => {
  const folder = scratchFolder();
  const checked = async (name: string, reason?: string): Promise<CheckedImage> => {
    const image = await pulledImage(folder, { upstream: name, layers: [name] });
    const found = {
      plan: plannedImage(name),
      index: undefined,
      namesArchitecture: false,
      diffIds: undefined,
      created: undefined,
    };
    return {
      image: { ...image, ...found },
      check: { kind: 'upstream', registry: parseHost('e.org') },
      verification: reason === undefined ? undefined : { kind: 'unverified', reason },
    };
  };
  const images = [
    await checked('e.org/a:1', 'it has none'),
    await checked('e.org/b:1', 'it is by another'),
    await checked('e.org/c:1', 'it has none'),
    await checked('e.org/d:1'),
  ];
  expect(unsignedWarnings(images)).toEqual([
    '2 images without a valid signature: it has none: e.org/a:1, e.org/c:1',
    '1 image without a valid signature: it is by another: e.org/b:1',
  ]);
});
