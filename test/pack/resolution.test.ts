import { expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import type { Architecture } from '../../src/config/kubernetes/architecture.ts';
import { toKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { parseVersions } from '../../src/config/versions.ts';
import { BUILT_IN_KNOWLEDGE } from '../../src/pack/plan/release-knowledge.ts';
import { beginResolution } from '../../src/pack/plan/resolution.ts';
import { problemsOf, type Wanted } from './resolving.ts';

const PINNED = {
  images: [{ name: 'kube-proxy', tag: 'v1.22.2' }],
  components: [{ name: 'kubelet', tag: '1.22.2' }],
};
const AUTO = { images: [{ name: 'kube-proxy', tag: 'auto' }] };

interface Case {
  readonly name: string;
  readonly document: object;
  readonly version?: string;
  readonly arch?: Architecture;
  readonly choice: object;
  readonly notices?: readonly string[];
}

it.each<Case>([
  {
    name: 'the version that the file agrees on, for amd64',
    document: PINNED,
    choice: { version: '1.22.2', arch: 'amd64', replaced: undefined, fileArch: undefined },
  },
  {
    name: 'the architecture of the file',
    document: { ...PINNED, arch: 'arm64' },
    choice: { version: '1.22.2', arch: 'arm64', replaced: undefined, fileArch: 'arm64' },
  },
  {
    name: 'the architecture that is asked for before that of the file',
    document: { ...PINNED, arch: 'arm64' },
    arch: 's390x',
    choice: { version: '1.22.2', arch: 's390x', replaced: undefined, fileArch: 'arm64' },
  },
  {
    name: 'the version that is asked for, where the file has none',
    document: AUTO,
    version: '1.30.1',
    choice: { version: '1.30.1', arch: 'amd64', replaced: undefined, fileArch: undefined },
  },
  {
    name: 'the version that is asked for and the file has',
    document: PINNED,
    version: '1.22.2',
    choice: { version: '1.22.2', arch: 'amd64', replaced: undefined, fileArch: undefined },
  },
  {
    name: 'the version that is asked for in place of that of the file, which is told',
    document: PINNED,
    version: '1.30.1',
    choice: { version: '1.30.1', arch: 'amd64', replaced: '1.22.2', fileArch: undefined },
    notices: ['Kubernetes 1.30.1 is packed instead of 1.22.2 from versions.json'],
  },
])('chooses $name', ({ document, version = '', arch, choice, notices = [] }) => {
  const versions = parseVersions(parseDocument('versions.json', JSON.stringify(document)));
  const resolution = beginResolution(
    versions,
    { version: toKubernetesVersion(version), arch },
    BUILT_IN_KNOWLEDGE,
  );
  expect(resolution.choice).toEqual(choice);
  expect(resolution.findings.problems).toEqual([]);
  expect(resolution.findings.notices.map(({ text }) => text)).toEqual(notices);
});

it('tells a notice once, however many entries it is about', () => {
  const { findings } = beginResolution(
    parseVersions(parseDocument('versions.json', JSON.stringify(PINNED))),
    {
      version: undefined,
      arch: undefined,
    },
    BUILT_IN_KNOWLEDGE,
  );
  findings.notice('the same');
  findings.notice('the same', { file: 'versions.json', line: 2, column: 1 });
  findings.notice('another');
  expect(findings.notices.map(({ text }) => text)).toEqual(['the same', 'another']);
});

it.each<[string, object, Wanted, string]>([
  [
    'two versions of Kubernetes',
    {
      images: [
        { name: 'kube-proxy', tag: 'v1.22.2' },
        { name: 'kube-scheduler', tag: 'v1.22.1' },
      ],
      components: [{ name: 'kubelet', tag: '1.22.2' }],
    },
    {},
    '"v1.22.1": kube-scheduler is pinned to 1.22.1, but kube-proxy and one other are 1.22.2; a package contains one version of Kubernetes',
  ],
  [
    'a kube image with a tag that is no version of Kubernetes',
    {
      images: [
        { name: 'kube-proxy', tag: 'v1.22.2' },
        { name: 'kube-scheduler', tag: '3.4.7' },
      ],
    },
    {},
    '"3.4.7": the tag of kube-scheduler must be a version of Kubernetes, but it is "3.4.7"',
  ],
  [
    'a kube image by architecture, of another version',
    {
      images: [
        { name: 'kube-proxy-amd64', tag: 'v1.22.1' },
        { name: 'kube-scheduler', tag: 'v1.22.2' },
        { name: 'kube-apiserver', tag: 'v1.22.2' },
      ],
    },
    {},
    '"v1.22.1": kube-proxy-amd64 is pinned to 1.22.1, but kube-scheduler and one other are 1.22.2; a package contains one version of Kubernetes',
  ],
  [
    'a file that tells no version',
    { images: [{ name: 'pause', tag: '3.9' }] },
    {},
    '{"images":[{"name":"pause": the version of Kubernetes is not set; set --kube-version, or a tag for kube-apiserver or kubelet',
  ],
])('refuses %s', (_, document, wanted, problem) => {
  expect(problemsOf(JSON.stringify(document), wanted)).toContain(problem);
});
