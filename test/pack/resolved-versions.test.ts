import { expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { NEWEST_CNI_PLUGINS } from '../../src/config/kubernetes/runtime-table.ts';
import { parseVersions } from '../../src/config/versions.ts';
import { formatResolvedVersions } from '../../src/pack/contents/resolved-versions.ts';
import type { FetchedComponent } from '../../src/pack/fetch/component-fetch.ts';
import type { CheckedImage } from '../../src/pack/fetch/image-fetch.ts';
import type { ComponentPlan, ImagePlan, PackagePlan } from '../../src/pack/plan/plan.ts';
import { type Digest, digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { pulledImage } from './pulled-image.ts';
import { KEEL, resolve } from './resolving.ts';

const SHA256 = digestOf(Buffer.from('a program'));
const INDEX = digestOf(Buffer.from('a list'));

async function checkedImage(plan: ImagePlan, index: Digest | undefined): Promise<CheckedImage> {
  const names = { upstream: `registry.k8s.io/${plan.name}:3.10.2`, pulledBy: `${KEEL}/${plan.name}:3.10.2` };
  const image = await pulledImage(scratchFolder(), { ...names, layers: [plan.name] });
  return {
    image: { ...image, plan, index, namesArchitecture: false, diffIds: undefined, created: undefined },
    check: { kind: 'pin' },
  };
}

function fetchedComponent(plan: ComponentPlan) {
  const component: FetchedComponent = {
    plan,
    file: '/downloads/file',
    size: 1,
    sha256: SHA256,
    check: { kind: 'none' },
    from: 'network',
  };
  return { component, files: [] };
}

async function resolved(plan: PackagePlan, index?: Digest): Promise<string> {
  const images = await Promise.all(plan.images.map((image) => checkedImage(image, index)));
  return formatResolvedVersions(plan, images, plan.components.map(fetchedComponent), []);
}

const DOCUMENT = {
  arch: 'arm64',
  images: [{ name: 'pause', tag: 'auto' }],
  components: [
    { name: 'kubelet', tag: 'auto' },
    { name: 'cni', tag: 'auto' },
  ],
};

it('writes every version out and pins all, at the addresses of the makers', async () => {
  const plan = resolve(JSON.stringify(DOCUMENT), { kube: '1.37.1' });
  expect(JSON.parse(await resolved(plan, INDEX))).toEqual({
    arch: 'arm64',
    images: [{ name: 'pause', tag: '3.10.2', image: `registry.k8s.io/pause@${INDEX}` }],
    components: [
      {
        name: 'kubelet',
        tag: '1.37.1',
        uri: 'https://dl.k8s.io/release/v1.37.1/bin/linux/arm64/kubelet',
        sha256: digestHex(SHA256),
        path: 'kubernetes/bin/kubelet',
      },
      {
        name: 'cni',
        tag: NEWEST_CNI_PLUGINS,
        uri: `https://github.com/containernetworking/plugins/releases/download/v${NEWEST_CNI_PLUGINS}/cni-plugins-linux-arm64-v${NEWEST_CNI_PLUGINS}.tgz`,
        sha256: digestHex(SHA256),
        path: 'kubernetes/cni/',
      },
    ],
  });
});

it('pins the manifest of an image that is in no list', async () => {
  const plan = resolve(JSON.stringify(DOCUMENT), { kube: '1.37.1' });
  expect(JSON.parse(await resolved(plan)).images[0].image).toMatch(
    /^registry\.k8s\.io\/pause@sha256:[0-9a-f]{64}$/,
  );
});

it('means the same when it is read again, whose signatures count included', async () => {
  const signatures = { 'e.org': { identity: 'release@e.org', issuer: 'https://e.org' } };
  const text = await resolved(
    resolve(JSON.stringify({ ...DOCUMENT, signatures }), { kube: '1.37.1' }),
    INDEX,
  );
  const again = resolve(text);
  expect(await resolved(again, INDEX)).toBe(text);
  expect(parseVersions(parseDocument('versions.json', text)).signatures).toHaveLength(1);
});
