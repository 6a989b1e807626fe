import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { KUBEADM_TABLE } from '../../src/config/kubernetes/kubeadm-tag-table.ts';
import {
  BUILT_IN_KUBEADM,
  KubeadmKnowledge,
  kubeadmMinors,
} from '../../src/config/kubernetes/kubeadm-tags.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';

function answer(version: string): ReturnType<typeof BUILT_IN_KUBEADM.answer> {
  return BUILT_IN_KUBEADM.answer(parseKubernetesVersion(version, 'test'));
}

describe('the kubeadm table', () => {
  it('is in order, without gaps or overlaps within a minor, for every minor from 1.22 to at least 1.37', () => {
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
    const { oldest, newest } = kubeadmMinors();
    expect(oldest).toBe(22);
    expect(newest).toBeGreaterThanOrEqual(37);
  });
});

describe('BUILT_IN_KUBEADM.answer', () => {
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
    expect(answer(version)).toEqual({ tags: { etcd, coredns, pause }, origin: 'table' });
  });

  it('answers for an unknown patch with the nearest lower one and says so', () => {
    expect(answer('1.28.99')).toEqual({
      tags: { etcd: '3.5.15-0', coredns: 'v1.10.1', pause: '3.9' },
      origin: 'last known, 1.28.15',
      warning:
        'the images of kubeadm 1.28.99 are not known yet, so those of 1.28.15 are used ' +
        '(etcd 3.5.15-0, coredns v1.10.1, pause 3.9); ' +
        'compare with: kubeadm config images list --kubernetes-version v1.28.99',
    });
  });

  it('answers for a pre-release below the table with the first of its minor and says so', () => {
    expect(answer('1.37.0-alpha.1')?.warning).toContain('those of 1.37.0-rc.0 are used');
  });

  it.each(['1.98.0', '1.99.0-rc.0'])(
    'answers for %s, of an unknown minor, with the newest and says so',
    (version) => {
      const { last, etcd, coredns, pause } = KUBEADM_TABLE.at(-1) ?? {};
      expect(answer(version)).toMatchObject({
        tags: { etcd, coredns, pause },
        origin: `last known, ${last}`,
      });
      expect(answer(version)?.warning).toContain(`those of ${last} are used`);
    },
  );

  it('has no answer for a version older than all that are known', () => {
    expect(answer('1.21.14')).toBeUndefined();
  });
});

describe('KubeadmKnowledge with something learnt', () => {
  const version = (text: string) => parseKubernetesVersion(text, 'test');
  const learn = (text: string, etcd: string) => ({
    version: version(text),
    tags: { etcd: parseTag(etcd), coredns: parseTag('v1.15.0'), pause: parseTag('3.11') },
    origin: `kubernetes v${text}`,
  });
  const kubeadm = new KubeadmKnowledge([
    learn('1.98.1', '3.8.1-0'),
    learn('1.98.0', '3.8.0-0'),
    learn('1.37.1', '9.9.9-0'),
  ]);

  it('answers with it, but for what the table knows', () => {
    const { tags } = learn('1.98.1', '3.8.1-0');
    expect(kubeadm.answer(version('1.98.1'))).toEqual({ tags, origin: 'kubernetes v1.98.1' });
    expect(kubeadm.answer(version('1.37.1'))).toMatchObject({ tags: { etcd: '3.7.0-0' }, origin: 'table' });
    expect(['1.98.0', '1.37.1', '1.98.2'].map((text) => kubeadm.knows(version(text)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each([
    ['1.98.2', '3.8.1-0', '1.98.1'],
    ['1.98.0-rc.1', '3.8.0-0', '1.98.0'],
    ['1.100.0', '3.8.1-0', '1.98.1'],
  ])('answers for %s, which nobody knows, with %s of %s', (text, etcd, of) => {
    expect(kubeadm.answer(version(text))).toMatchObject({ tags: { etcd }, origin: `last known, ${of}` });
  });

  it('has the tags of a minor, the oldest version first, and the versions of a tag', () => {
    expect(kubeadm.tagsOfMinor(98, 'etcd')).toEqual(['3.8.0-0', '3.8.1-0']);
    expect(kubeadm.tagsOfMinor(34, 'pause')).toEqual(['3.10.1']);
    expect(kubeadm.tagsOfMinor(30, 'coredns')).toEqual(['v1.11.1', 'v1.11.3']);
    expect(kubeadm.versionsOf('etcd', '3.8.1-0')).toEqual(['1.98.1']);
  });
});

describe('BUILT_IN_KUBEADM', () => {
  it.each([
    [
      'etcd',
      '3.5.6-0',
      ['1.22.17', '1.23.15 to 1.23.17', '1.24.9 to 1.24.17', '1.25.5 to 1.25.14', '1.26.0 to 1.26.9'],
    ],
    ['pause', '3.9', ['1.26.0 to 1.30.14']],
    ['coredns', '1.7.0', []],
  ] as const)('%s %s belongs to %j', (image, tag, versions) => {
    expect(BUILT_IN_KUBEADM.versionsOf(image, tag)).toEqual(versions);
  });
});
