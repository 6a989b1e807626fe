import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { kubeadmMinors } from '../../src/config/kubernetes/kubeadm-tags.ts';
import {
  type KubernetesVersion,
  parseKubernetesVersion,
} from '../../src/config/kubernetes/kubernetes-version.ts';
import { RUNTIME_TABLE } from '../../src/config/kubernetes/runtime-table.ts';
import { matchingTag, matrixRow } from '../../src/pack/plan/component-matrix.ts';
import { knownRuntime } from '../support/known-releases.ts';

const kubernetes = (text: string): KubernetesVersion => parseKubernetesVersion(text, 'test');
const { oldest, newest } = kubeadmMinors();
const MINORS = Array.from({ length: newest - oldest + 1 }, (_, index) => `1.${oldest + index}.0`);

describe('the matrix', () => {
  it.each(MINORS)('has a containerd for %s that it says works', (version) => {
    const row = matrixRow(kubernetes(version));
    expect(row && semver.satisfies(row.containerd, row.supportedContainerd)).toBe(true);
  });

  it.each([
    ['1.22.17', '^1.5.5'],
    ['1.26.0', '>=1.7.0 || ~1.6.15'],
    ['1.31.14', '>=2.1.0 || ~2.0.0 || ~1.7.20 || ~1.6.34'],
    ['1.34.0', '>=2.1.3 || ~2.0.6 || ~1.7.28 || ~1.6.39'],
  ])('has for %s what upstream says: containerd %s', (version, range) => {
    expect(matrixRow(kubernetes(version))?.supportedContainerd).toBe(range);
  });

  it.each(MINORS.slice(4, 10))('refuses the containerd 1.6.0 to 1.6.14 for %s', (version) => {
    const range = matrixRow(kubernetes(version))?.supportedContainerd ?? '*';
    const old = Array.from({ length: 15 }, (_, patch) => `1.6.${patch}`);
    expect(old.filter((containerd) => semver.satisfies(containerd, range))).toEqual([]);
  });

  it('takes a minor that upstream does not list for one that works with what the minor before it works with', () => {
    const unlisted = RUNTIME_TABLE.filter(({ support }) => support === undefined).map(({ minor }) => minor);
    const ranges = [...unlisted, Math.max(...unlisted) - unlisted.length].map(
      (minor) => matrixRow(kubernetes(`1.${minor}.0`))?.supportedContainerd,
    );
    expect(new Set(ranges).size).toBe(1);
  });

  it.each([`1.${oldest - 1}.9`, `1.${newest + 1}.0`])('does not know %s', (version) => {
    expect(matrixRow(kubernetes(version))).toBeUndefined();
    expect(matchingTag('helm', kubernetes(version))).toBeUndefined();
  });
});

it.each([
  ['containerd', '1.36.3', knownRuntime(36).containerd],
  ['runc', '1.22.2', knownRuntime(22).runc],
  ['crictl', '1.33.7', '1.33.0'],
  ['metrics-server', '1.25.0', 'v0.6.4'],
  ['helm', '1.22.2', '4.3.0'],
  ['tool', '1.36.3', undefined],
])('the %s that goes with %s is %s', (name, version, tag) => {
  expect(matchingTag(name, kubernetes(version))).toBe(tag);
});
