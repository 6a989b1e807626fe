import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { KUBEADM_TABLE } from '../../src/config/kubernetes/kubeadm-tag-table.ts';
import { kubeadmMinors, kubeadmTags, kubeadmVersionsOf } from '../../src/config/kubernetes/kubeadm-tags.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';

function answer(version: string): ReturnType<typeof kubeadmTags> {
  return kubeadmTags(parseKubernetesVersion(version, 'test'));
}

describe('the kubeadm table', () => {
  it('is in order, without gaps or overlaps within a minor, for every minor from 1.22 to 1.37', () => {
    for (const [index, row] of KUBEADM_TABLE.entries()) {
      expect(semver.lte(row.first, row.last), row.first).toBe(true);
      const next = KUBEADM_TABLE[index + 1];
      if (next === undefined) continue;
      const follows =
        semver.minor(next.first) === semver.minor(row.last)
          ? semver.inc(row.last, 'patch') === next.first
          : semver.minor(next.first) === semver.minor(row.last) + 1 && semver.patch(next.first) === 0;
      expect(follows, `${row.last} then ${next.first}`).toBe(true);
    }
    expect(kubeadmMinors()).toEqual({ oldest: 22, newest: 37 });
  });
});

describe('kubeadmTags', () => {
  it.each([
    ['1.22.2', '3.5.0-0', 'v1.8.4', '3.5'],
    ['1.22.17', '3.5.6-0', 'v1.8.4', '3.5'],
    ['1.27.9', '3.5.9-0', 'v1.10.1', '3.9'],
    ['1.31.0', '3.5.15-0', 'v1.11.1', '3.10'],
    ['1.31.1', '3.5.15-0', 'v1.11.3', '3.10'],
    ['1.36.4', '3.6.8-0', 'v1.14.2', '3.10.2'],
    ['v1.37.1', '3.7.0-0', 'v1.14.6', '3.10.2'],
    ['1.37.0-rc.0', '3.7.0-0', 'v1.14.6', '3.10.2'],
  ])('%s wants etcd %s, coredns %s, pause %s', (version, etcd, coredns, pause) => {
    expect(answer(version)).toEqual({ tags: { etcd, coredns, pause } });
  });

  it('answers for an unknown patch with the nearest lower one and says so', () => {
    expect(answer('1.36.5')).toEqual({
      tags: { etcd: '3.6.8-0', coredns: 'v1.14.2', pause: '3.10.2' },
      warning:
        'the images of kubeadm 1.36.5 are not known here yet, so those of 1.36.4 are taken ' +
        '(etcd 3.6.8-0, coredns v1.14.2, pause 3.10.2); ' +
        'compare with: kubeadm config images list --kubernetes-version v1.36.5',
    });
  });

  it('answers for a pre-release below the table with the first of its minor and says so', () => {
    expect(answer('1.37.0-alpha.1')?.warning).toContain('those of 1.37.0-rc.0 are taken');
  });

  it.each(['1.21.14', '1.38.0'])('has no answer for %s', (version) => {
    expect(answer(version)).toBeUndefined();
  });
});

describe('kubeadmVersionsOf', () => {
  it.each([
    [
      'etcd',
      '3.5.6-0',
      ['1.22.17', '1.23.15 to 1.23.17', '1.24.9 to 1.24.17', '1.25.5 to 1.25.14', '1.26.0 to 1.26.9'],
    ],
    ['pause', '3.9', ['1.26.0 to 1.30.14']],
    ['coredns', '1.7.0', []],
  ] as const)('%s %s belongs to %j', (image, tag, versions) => {
    expect(kubeadmVersionsOf(image, tag)).toEqual(versions);
  });
});
