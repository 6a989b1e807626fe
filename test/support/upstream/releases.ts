import semver from 'semver';
import type { KubeadmRow } from '../../../src/config/kubernetes/kubeadm-tag-table.ts';
import { lastKnown } from '../known-releases.ts';

/** A release of Kubernetes as its makers publish it. */
export interface UpstreamRelease {
  readonly version: string;
  readonly etcd: string;
  readonly coredns: string;
  readonly pause: string;
}

/** The newest minor that the tables know, and those after it, which they have not heard of. */
export const NEWEST_MINOR = semver.minor(lastKnown().last);
export const NEXT_MINOR = NEWEST_MINOR + 1;
export const SECOND_NEXT_MINOR = NEWEST_MINOR + 2;

/** Releases that no table has heard of: the next minor, one after it, and patches of known minors. */
export const NEXT = `1.${NEXT_MINOR}.0`;
export const NEXT_CANDIDATE = `1.${SECOND_NEXT_MINOR}.0-rc.0`;
export const NEWER_PATCH = patchAfter(NEWEST_MINOR, 3);
export const OLDER_PATCH = patchAfter(NEWEST_MINOR - 1, 5);

/** Each of them with tags that are newer than those of the table. */
export const NEXT_RELEASE: UpstreamRelease = {
  version: NEXT,
  etcd: laterTag(lastKnown().etcd, [0, 0, 3]),
  coredns: laterTag(lastKnown().coredns, [0, 1]),
  pause: laterTag(lastKnown().pause, [0, 1]).replace(/\.0$/, ''),
};
export const CANDIDATE_RELEASE: UpstreamRelease = {
  ...NEXT_RELEASE,
  version: NEXT_CANDIDATE,
  etcd: laterTag(NEXT_RELEASE.etcd, [0, 1]),
  coredns: laterTag(NEXT_RELEASE.coredns, [0, 0, 1]),
};
export const PATCH_RELEASE: UpstreamRelease = {
  ...tagsOf(lastKnown()),
  version: NEWER_PATCH,
  etcd: laterTag(lastKnown().etcd, [0, 0, 2]),
};
const OLDER_RELEASE: UpstreamRelease = {
  ...tagsOf(lastKnown(NEWEST_MINOR - 1)),
  version: OLDER_PATCH,
  etcd: laterTag(lastKnown(NEWEST_MINOR - 1).etcd, [0, 0, 3]),
};

/** What the makers have, and no table knows. */
export const RELEASES: readonly UpstreamRelease[] = [
  OLDER_RELEASE,
  PATCH_RELEASE,
  NEXT_RELEASE,
  CANDIDATE_RELEASE,
];

/** The newest of each component, as `releases/latest` leads to it. */
export const NEWEST = {
  containerd: '2.4.1',
  runc: '1.5.2',
  crictl: `1.${NEXT_MINOR}.1`,
  cniPlugins: '1.10.0',
} as const;

/** Returns the version so many patches after the newest that the table has of a minor. */
function patchAfter(minor: number, more: number): string {
  return `1.${minor}.${semver.patch(lastKnown(minor).last) + more}`;
}

function tagsOf({ etcd, coredns, pause }: KubeadmRow): Omit<UpstreamRelease, 'version'> {
  return { etcd, coredns, pause };
}

/** Returns a tag with numbers added to those of its version; what stands behind the last of them begins with 0. */
function laterTag(tag: string, more: readonly number[]): string {
  const [, before = '', version = '', after = ''] = /^(v?)([\d.]+)(.*)$/.exec(tag) ?? [];
  const numbers = version.split('.').map((number, index) => {
    return index < more.length ? Number(number) + (more[index] ?? 0) : 0;
  });
  return `${before}${numbers.join('.')}${after}`;
}

/** Returns text as part of a regular expression. */
export function literally(text: string): string {
  return text.replaceAll('.', String.raw`\.`);
}

/** Returns cmd/kubeadm/app/constants/constants.go of a release, cut to what stands around what is looked for. */
export function constantsOf({ version, etcd, coredns, pause }: UpstreamRelease): string {
  const minor = Number(version.split('.')[1]);
  return `package constants

import (
\t"fmt"
)

const (
\t// KubernetesDir is the directory that Kubernetes owns
\tKubernetesDir = "/etc/kubernetes"

\t// MinExternalEtcdVersion is the oldest external etcd
\tMinExternalEtcdVersion = "3.5.24-0"

\t// DefaultEtcdVersion is the etcd of this version
\tDefaultEtcdVersion = "${etcd}"

\t// CoreDNSImageName is the name of the image
\tCoreDNSImageName = "coredns"

\t// CoreDNSVersion is the CoreDNS of this version
\tCoreDNSVersion = "${coredns}"

\t// PauseVersion is the pause image of this version
\tPauseVersion = "${pause}"

\t// KubeControllerManagerUserName is a user
\tKubeControllerManagerUserName string = "kubeadm-kcm"
)

var (
\t// SupportedEtcdVersion has the etcd of each minor
\tSupportedEtcdVersion = map[uint8]string{
\t\t${minor - 2}: "3.6.11-0",
\t\t${minor - 1}: "3.7.2-0",
\t\t${minor}: "${etcd}",
\t}

\tKubeadmCertsClusterRoleName = fmt.Sprintf("kubeadm:%s", KubeadmCertsSecret)
)
`;
}

/** Returns kubeadm of a release: a program that knows its images, and nothing but them. */
export function kubeadmOf({ version, etcd, coredns, pause }: UpstreamRelease): string {
  return `#!/bin/sh
test "$*" = "config images list --kubernetes-version v${version}" || exit 3
echo "registry.k8s.io/kube-apiserver:v${version}"
echo "registry.k8s.io/kube-controller-manager:v${version}"
echo "registry.k8s.io/kube-scheduler:v${version}"
echo "registry.k8s.io/kube-proxy:v${version}"
echo "registry.k8s.io/coredns/coredns:${coredns}"
echo "registry.k8s.io/pause:${pause}"
echo "registry.k8s.io/etcd:${etcd}"
`;
}

/** RELEASES.md of containerd, which does not list the newest Kubernetes yet. */
export const CONTAINERD_RELEASES = `# Versioning and Release

### Kubernetes Support

| Kubernetes Version | containerd Version               | CRI Version     |
|--------------------|----------------------------------|-----------------|
| 1.${NEWEST_MINOR - 2}               | 2.2.0+, 2.1.5+, 1.7.28+          | v1              |
| 1.${NEWEST_MINOR - 1}               | 2.3.0+, 2.2.0+                   | v1              |
| 1.${NEWEST_MINOR}               | 2.4.0+, 2.3.4+                   | v1              |

Deprecated containerd and kubernetes versions

| Containerd Version       | Kubernetes Version | CRI Version                          |
|--------------------------|--------------------|--------------------------------------|
| v1.5                     | 1.20+              | v1 (1.23+), v1alpha2 (until 1.25) ** |
| v1.6.15+, v1.7.0+        | 1.26+              | v1                                   |
`;
