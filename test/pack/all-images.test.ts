import { describe, expect, it } from 'vitest';
import { readManifest } from '../../src/pack/manifest/addon-manifest.ts';
import type { PackagePlan } from '../../src/pack/plan/plan.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';
import { CALICO, FLANNEL, pod } from './manifests.ts';
import { KEEL, resolve } from './resolving.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const CNI = { name: 'cni', tag: 'auto' };

/** Returns the plan of a versions.json whose add-ons have these manifests. */
function planned(document: object, manifests: Record<string, string>, from?: string): PackagePlan {
  const addons = Object.keys(manifests).map((name) => ({ name, manifest: `${name}.yaml` }));
  const read = Object.entries(manifests).map(([name, text]) => [name, readManifest(text, name)] as const);
  return resolve(
    JSON.stringify({ components: [CNI], addons, ...document }),
    { kube: '1.37.1', ...(from === undefined ? {} : { from }) },
    new Map(read),
  );
}

function images(plan: PackagePlan): string[] {
  return plan.images.map(
    ({ name, upstream, digest, pinnedBy }) =>
      `${name} ${formatReference(upstream)}${digest === undefined ? '' : ` ${digest.slice(0, 10)} ${pinnedBy}`}`,
  );
}

function told({ notices }: PackagePlan): string {
  // Of images that kubeadm wants, it is told without a place.
  const placed = notices.filter(({ place }) => place !== undefined);
  return placed.map(({ text, place }) => `${place?.line}:${place?.column} ${text}`).join('\n');
}

it('the images of a manifest are packed, from the mirror like all others', () => {
  const plan = planned({}, { flannel: FLANNEL });
  expect(images(plan)).toEqual([
    'flannel-cni-plugin ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3',
    'flannel ghcr.io/flannel-io/flannel:v0.28.9',
  ]);
  expect(plan.images.map(({ candidates: [first] }) => first && formatReference(first.reference))).toEqual([
    `${KEEL}/flannel-cni-plugin:v1.9.1-flannel3`,
    `${KEEL}/flannel:v0.28.9`,
  ]);
  expect(told(plan)).toBe('');
});

it('two images of one repository that have only digests are packed, each by its digest', () => {
  const two = pod(`image: a.example/a@${DIGEST}`, '---', `image: a.example/a@${OTHER}`);
  const plan = planned({}, { mine: two.replace('    ---\n', '  - name: b\n') });
  expect(images(plan)).toEqual([
    'a a.example/a:digest-aaaaaaaaaaaa sha256:aaa mine',
    'a a.example/a:digest-bbbbbbbbbbbb sha256:bbb mine',
  ]);
});

describe('an image that is listed and in a manifest', () => {
  const listed = (tag: string, digest = ''): object => ({
    images: [{ name: 'flannel', tag, image: `ghcr.io/flannel-io/flannel${digest}` }],
  });
  it('is packed once', () => {
    const plan = planned(listed('v0.28.9'), { flannel: FLANNEL });
    expect(images(plan)).toHaveLength(2);
    expect(told(plan)).toBe('');
  });

  it('and has another tag there is told: the manifest names v0.28.9, the list v0.28.8', () => {
    const plan = planned(listed('v0.28.8'), { flannel: FLANNEL });
    expect(images(plan)).toHaveLength(3);
    expect(told(plan)).toMatch(
      /flannel uses ghcr\.io\/flannel-io\/flannel:v0\.28\.9, not the v0\.28\.8 of this list/,
    );
  });

  it('has the digest that stands in either place, and not two', () => {
    const manifest = { x: pod(`image: ghcr.io/flannel-io/flannel:v1@${DIGEST}`) };
    expect(images(planned(listed('v1'), manifest))).toEqual([
      'flannel ghcr.io/flannel-io/flannel:v1 sha256:aaa x',
    ]);
    expect(images(planned(listed('v1', `@${DIGEST}`), manifest))).toEqual([
      'flannel ghcr.io/flannel-io/flannel:v1 sha256:aaa undefined',
    ]);
    expect(() => planned(listed('v1', `@${OTHER}`), manifest)).toThrow(
      /the manifest of x pins ghcr\.io\/flannel-io\/flannel:v1 to sha256:a+, this file to sha256:b+/,
    );
  });
});

it('an image by its digest alone is asked for by that, and has a tag in the package only', () => {
  const {
    images: [image],
  } = planned({}, { x: pod(`image: a.example/a@${DIGEST}`) });
  expect(image).toMatchObject({ upstream: { tag: 'digest-aaaaaaaaaaaa' }, digest: DIGEST, pinnedBy: 'x' });
  expect(image?.candidates.map(({ reference }) => reference.tag)).toEqual([undefined]);
});

it('two images with one last part have names of their own', () => {
  const manifest = `${pod('image: a.example/a/app:1')}---\n${pod('image: a.example/b/app:1')}`;
  expect(images(planned({}, { x: manifest }, 'upstream'))).toEqual([
    'app a.example/a/app:1',
    'b/app a.example/b/app:1',
  ]);
});

it.each<[string, object, Record<string, string>, RegExp]>([
  [
    'flannel without the CNI plugins',
    { components: [] },
    { flannel: FLANNEL },
    /flannel needs the CNI plugins .*add \{ "name": "cni"/,
  ],
  [
    'two networks of pods',
    {},
    { flannel: FLANNEL, calico: CALICO },
    /flannel and calico are both pod networks/,
  ],
  [
    'an image without a tag',
    {},
    { x: pod('image: busybox') },
    /x uses docker\.io\/library\/busybox without a tag; packer packs the current latest/,
  ],
  [
    'images without what uses them',
    { images: [{ name: 'metrics-server', tag: 'v0.9.0' }] },
    {},
    /metrics-server is packed without a manifest that uses it; set "addons": \["metrics-server"\]/,
  ],
])('a word is said about %s', (_, document, manifests, text) => {
  expect(told(planned(document, manifests))).toMatch(text);
});

it('nothing is said of calico without the CNI plugins, as it brings its own', () => {
  expect(told(planned({ components: [] }, { calico: CALICO }))).toBe('');
});

describe('images that are given', () => {
  const versions = JSON.stringify({ images: [{ name: 'pause', tag: '3.10.2' }] });
  const given = (...names: readonly string[]) => images(resolve(versions, { kube: '1.37.1', given: names }));

  it('are packed in addition, under their full names, and once', () => {
    expect(
      given(
        'nginx:1.29',
        'registry.k8s.io/pause:3.10.2',
        'rancher/kube-proxy:v1.2.0',
        `quay.io/a/b@${DIGEST}`,
      ),
    ).toEqual([
      'pause registry.k8s.io/pause:3.10.2',
      'docker.io/library/nginx docker.io/library/nginx:1.29',
      'docker.io/rancher/kube-proxy docker.io/rancher/kube-proxy:v1.2.0',
      `quay.io/a/b quay.io/a/b:digest-aaaaaaaaaaaa ${DIGEST.slice(0, 10)} --images`,
    ]);
  });

  it('pin what the file names without a digest', () => {
    expect(given(`registry.k8s.io/pause:3.10.2@${DIGEST}`)).toEqual([
      `pause registry.k8s.io/pause:3.10.2 ${DIGEST.slice(0, 10)} --images`,
    ]);
  });

  it.each([
    [
      [`quay.io/a/b:1@${DIGEST}`, `quay.io/a/b:1@${OTHER}`],
      `--images pins quay.io/a/b:1 to ${OTHER}, --images to ${DIGEST}`,
    ],
    [
      ['quay.io/a/b:1', 'ghcr.io/c/b:1'],
      'would both be pulled as registry.cn-hangzhou.aliyuncs.com/keel/b:1',
    ],
  ])('%j are refused: %s', (names, message) => {
    expect(() => given(...names)).toThrow(message);
  });
});
