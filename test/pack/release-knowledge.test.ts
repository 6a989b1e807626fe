import { describe, expect, it } from 'vitest';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { ReleaseKnowledge, type ToldFacts, withTroubles } from '../../src/pack/plan/release-knowledge.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';
import { knownRuntime, lastKnown } from '../support/known-releases.ts';
import { NEWEST_MINOR, NEXT, NEXT_RELEASE, SECOND_NEXT_MINOR } from '../support/upstream/releases.ts';

const version = (text: string) => parseKubernetesVersion(text, 'test');
const TAGS = {
  etcd: parseTag(NEXT_RELEASE.etcd),
  coredns: parseTag(NEXT_RELEASE.coredns),
  pause: parseTag(NEXT_RELEASE.pause),
};

function told(of: string, facts: Partial<ToldFacts> = {}): ReleaseKnowledge {
  return new ReleaseKnowledge({
    version: version(of),
    kubeadm: { tags: TAGS, origin: `kubernetes v${of}` },
    matching: new Map([['runc', { tag: parseTag('1.5.1'), origin: 'containerd 2.4.1' }]]),
    ...facts,
  });
}

describe('what is known of a release', () => {
  it.each([NEXT, lastKnown().last])('is first what was told of %s, before any table', (of) => {
    const knowledge = told(of);
    expect(knowledge.kubeadm(version(of))).toEqual({ tags: TAGS, origin: `kubernetes v${of}` });
    expect(knowledge.matching('runc', version(of))).toEqual({ tag: '1.5.1', origin: 'containerd 2.4.1' });
    expect([knowledge.knowsKubeadm(version(of)), knowledge.knowsTag('runc', version(of))]).toEqual([
      true,
      true,
    ]);
  });

  it('is what the table has of another version than the one that was told of', () => {
    const knowledge = told(NEXT);
    expect(knowledge.kubeadm(version('1.36.1'))?.origin).toBe('table');
    expect(knowledge.matching('runc', version('1.36.1'))).toEqual({
      tag: knownRuntime(36).runc,
      origin: 'table',
    });
  });

  it.each([
    [NEXT, 'containerd', `last known, 1.${NEWEST_MINOR}`, `1.${NEWEST_MINOR}`],
    [`1.${SECOND_NEXT_MINOR}.2`, 'metrics-server', `last known, 1.${NEWEST_MINOR}`, `1.${NEWEST_MINOR}`],
  ])('is for %s what goes with the newest minor before it that anybody knows', (of, name, origin, lastOf) => {
    const knowledge = new ReleaseKnowledge();
    expect(knowledge.knowsTag(name, version(of))).toBe(false);
    const found = knowledge.matching(name, version(of));
    expect(found).toEqual({
      tag: knowledge.matching(name, version(`1.${NEWEST_MINOR}.0`))?.tag,
      origin,
      lastOf,
    });
  });

  it.each(['containerd', 'helm'])('is nothing of %s for a minor that is older than all tables', (name) => {
    expect(new ReleaseKnowledge().matching(name, version('1.21.14'))).toBeUndefined();
    expect(new ReleaseKnowledge().kubeadm(version('1.21.14'))).toBeUndefined();
  });

  it('is nothing of a Calico that is not tested with a minor of the tables', () => {
    expect(new ReleaseKnowledge().matching('calico', version('1.30.0'))).toBeUndefined();
  });

  it('names the version to which a tag belongs that was told', () => {
    expect(told(NEXT).versionsOf('pause', NEXT_RELEASE.pause)).toEqual([NEXT]);
  });

  it('names no version for tags that a lock took from another one', () => {
    const kubeadm = { tags: TAGS, origin: `last known, ${lastKnown().last}`, warning: 'not known' };
    const knowledge = told(NEXT, { kubeadm });
    expect(knowledge.versionsOf('pause', NEXT_RELEASE.pause)).toEqual([]);
    expect(knowledge.kubeadm(version(NEXT))).toEqual(kubeadm);
  });
});

it.each([
  [[], 'it is not known'],
  [['A', 'B'], 'it is not known; failed requests: A; B'],
])('names %j behind a sentence', (troubles, text) => {
  expect(withTroubles('it is not known', troubles)).toBe(text);
});
