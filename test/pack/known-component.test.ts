import { describe, expect, it } from 'vitest';
import {
  isKubernetesComponent,
  knownComponent,
  knownComponentNames,
} from '../../src/pack/plan/known-component.ts';

describe('knownComponent', () => {
  it.each([
    ['kubelet', 'kubelet'],
    ['cni', 'cni-plugins'],
    ['cni_plugins', 'cni-plugins'],
    ['flannel', 'flannel-cni'],
    ['cri-tools', 'crictl'],
    ['etcdctl', 'etcd'],
    ['cilium', 'cilium-cli'],
    ['kubelte', undefined],
  ])('%s is %s', (name, proper) => {
    expect(knownComponent(name)?.name).toBe(proper);
  });

  it.each([
    ['etcd', { kind: 'archive', strip: 'etcd-v3.6.6-linux-arm64/', only: ['etcdctl', 'etcdutl'] }],
    ['flannel-cni', { kind: 'archive', strip: '', only: ['flannel'] }],
    ['helm', { kind: 'archive', strip: 'linux-arm64/', only: ['helm'] }],
    ['containerd', { kind: 'archive', strip: 'bin/', only: undefined }],
    ['calicoctl', { kind: 'file', name: 'calicoctl' }],
  ])('of %s these files go into the package', (name, expected) => {
    const content = knownComponent(name)?.content('3.6.6', 'arm64');
    const only = content?.kind === 'archive' && content.only ? [...content.only.values()] : undefined;
    expect(content?.kind === 'archive' ? { ...content, only } : content).toEqual(expected);
  });

  it('has each under its proper name', () => {
    expect(knownComponentNames().map((name) => knownComponent(name)?.name)).toEqual(knownComponentNames());
  });
});

it.each([
  ['kubeadm', true],
  ['kubelet', true],
  ['kubectl', true],
  ['containerd', false],
])('%s has the version of Kubernetes: %s', (name, expected) => {
  expect(isKubernetesComponent(name)).toBe(expected);
});
