import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { kubeadmMinors } from '../../src/config/kubernetes/kubeadm-tags.ts';
import {
  type KubernetesVersion,
  parseKubernetesVersion,
} from '../../src/config/kubernetes/kubernetes-version.ts';
import { matchingTag, matrixRow } from '../../src/pack/plan/component-matrix.ts';

const kubernetes = (text: string): KubernetesVersion => parseKubernetesVersion(text, 'test');
const { oldest, newest } = kubeadmMinors();
const MINORS = Array.from({ length: newest - oldest + 1 }, (_, index) => `1.${oldest + index}.0`);

describe('the matrix', () => {
  it.each(MINORS)('has a containerd for %s that it says works', (version) => {
    const row = matrixRow(kubernetes(version));
    expect(row && semver.satisfies(row.containerd, row.supportedContainerd)).toBe(true);
  });

  it.each([`1.${oldest - 1}.9`, `1.${newest + 1}.0`])('does not know %s', (version) => {
    expect(matrixRow(kubernetes(version))).toBeUndefined();
    expect(matchingTag('helm', kubernetes(version))).toBeUndefined();
  });
});

it.each([
  ['containerd', '1.36.3', '2.3.4'],
  ['runc', '1.22.2', '1.3.6'],
  ['crictl', '1.33.7', '1.33.0'],
  ['metrics-server', '1.25.0', 'v0.6.4'],
  ['helm', '1.22.2', '4.3.0'],
  ['tool', '1.36.3', undefined],
])('the %s that goes with %s is %s', (name, version, tag) => {
  expect(matchingTag(name, kubernetes(version))).toBe(tag);
});
