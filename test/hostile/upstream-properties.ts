import fc from 'fast-check';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { parseMirrorEntry, UpstreamMirror } from '../../src/config/upstream-mirror.ts';
import { isTag } from '../../src/registry/oci/reference.ts';
import { readImageList } from '../../src/upstream/image-list.ts';
import { readKubeadmConstants } from '../../src/upstream/kubeadm-constants.ts';
import { WrongAnswer } from '../../src/upstream/wrong-answer.ts';
import { constantsOf, type UpstreamRelease } from '../support/upstream/releases.ts';
import { anyText, nearly } from './inputs.ts';
import { type Property, property, require, unlessRefused } from './property.ts';

const RELEASE: UpstreamRelease = { version: '1.38.0', etcd: '3.7.3-0', coredns: 'v1.15.0', pause: '3.11' };
const VERSION = parseKubernetesVersion(RELEASE.version, 'a property');
const LIST = [
  'registry.k8s.io/kube-apiserver:v1.38.0',
  'registry.k8s.io/coredns/coredns:v1.15.0',
  'registry.k8s.io/pause:3.11',
  'registry.k8s.io/etcd:3.7.3-0',
];
const KUBELET = new URL('https://dl.k8s.io/release/v1.38.0/bin/linux/amd64/kubelet');

/** Requires tags, and that they begin as versions do. */
function requireTags(read: () => Readonly<Record<string, string>>): void {
  try {
    for (const [image, tag] of Object.entries(read())) {
      require(isTag(tag) && /^v?\d+\.\d+/.test(tag), `${image} is ${tag}`);
    }
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error;
  }
}

export const UPSTREAM_PROPERTIES: readonly Property[] = [
  property("kubeadm's constants are tags, or refused", nearly(constantsOf(RELEASE)), (text) =>
    requireTags(() => readKubeadmConstants(text, VERSION)),
  ),
  property("kubeadm's list of images has tags, or is refused", nearly(LIST.join('\n')), (text) =>
    requireTags(() => readImageList(text, VERSION)),
  ),
  property(
    'a mirror has no login and no query, and keeps the path, or is refused',
    fc.oneof(anyText, nearly('https://mirror.test/a', 'github.com=https://mirror.test/https://github.com')),
    async (text) => {
      const entry = await unlessRefused(['FLAG_MALFORMED'], () => parseMirrorEntry(text, 'a property'));
      if (entry === undefined) return;
      const { username, password, search, pathname } = new UpstreamMirror([entry]).map(KUBELET);
      require(`${username}${password}${search}` === '', 'it has more than a place');
      const isWhole = pathname.endsWith(`/dl.k8s.io${KUBELET.pathname}`);
      require(entry.host !== undefined || isWhole, pathname);
    },
  ),
];
