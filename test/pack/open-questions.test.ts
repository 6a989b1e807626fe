import { expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { parseVersions } from '../../src/config/versions.ts';
import { openQuestions } from '../../src/pack/plan/open-questions.ts';
import { BUILT_IN_KNOWLEDGE } from '../../src/pack/plan/release-knowledge.ts';
import { beginResolution } from '../../src/pack/plan/resolution.ts';
import { lastKnown } from '../support/known-releases.ts';
import { NEWER_PATCH, NEXT, NEXT_RELEASE } from '../support/upstream/releases.ts';

const automatic = (...names: string[]) => names.map((name) => ({ name, tag: 'auto' }));
const NOTHING = { kubeadm: false, components: [] };

it.each<[string, string, object, object]>([
  [
    'a minor that no table has',
    NEXT,
    { images: automatic('kube-proxy', 'etcd'), components: automatic('kubelet', 'cri-tools', 'cni', 'helm') },
    { kubeadm: true, components: ['crictl', 'cni-plugins'] },
  ],
  [
    'a patch that is newer than the table',
    NEWER_PATCH,
    { images: automatic('pause'), components: automatic('containerd', 'runc') },
    { kubeadm: true, components: [] },
  ],
  [
    'a minor older than the oldest row',
    '1.21.14',
    { images: automatic('coredns'), components: automatic('runc') },
    { kubeadm: true, components: ['runc'] },
  ],
  [
    'a version of the tables',
    lastKnown().last,
    { images: automatic('pause'), components: automatic('containerd') },
    NOTHING,
  ],
  [
    'pins of all that matters',
    NEXT,
    {
      images: [{ name: 'pause', tag: NEXT_RELEASE.pause }],
      components: [{ name: 'containerd', tag: '2.4.1' }, ...automatic('kubelet')],
    },
    NOTHING,
  ],
  [
    'pins beside those of another Kubernetes',
    NEXT,
    {
      images: [
        { name: 'pause', tag: lastKnown().pause },
        { name: 'kube-proxy', tag: `v${lastKnown().last}` },
      ],
    },
    { kubeadm: true, components: [] },
  ],
  [
    "the programs of kubeadm's etcd",
    NEXT,
    { images: [{ name: 'pause', tag: NEXT_RELEASE.pause }], components: automatic('etcd') },
    { kubeadm: true, components: [] },
  ],
  [
    'a containerd whose pause image is not packed',
    NEXT,
    { images: automatic('kube-proxy'), components: [{ name: 'containerd', tag: '2.4.1' }] },
    { kubeadm: true, components: [] },
  ],
  [
    'a pause image under a name of its own',
    NEXT,
    {
      images: [{ name: 'sandbox', tag: NEXT_RELEASE.pause, image: 'registry.example.com/k8s/pause' }],
      components: [{ name: 'containerd', tag: '2.4.1' }],
    },
    NOTHING,
  ],
  ['nothing but programs of Kubernetes', NEXT, { components: automatic('kubectl') }, NOTHING],
])('asks for what only makers know: %s', (_, kube, document, expected) => {
  const versions = parseVersions(parseDocument('versions.json', JSON.stringify({ images: [], ...document })));
  const wanted = { version: parseKubernetesVersion(kube, 'test'), arch: undefined };
  const { choice } = beginResolution(versions, wanted, BUILT_IN_KNOWLEDGE);
  expect(openQuestions(versions, choice, BUILT_IN_KNOWLEDGE)).toEqual(expected);
});
