import semver from 'semver';
import { expect, it } from 'vitest';
import { toKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { toKubernetesWord } from '../../src/config/kubernetes/kubernetes-word.ts';
import { chooseKubernetes } from '../../src/pack/run/kubernetes-choice.ts';
import type { Lock } from '../../src/pack/run/lock-file.ts';
import { parseDigest } from '../../src/registry/oci/digest.ts';
import { lastKnown } from '../support/known-releases.ts';

const signal = new AbortController().signal;
const TROUBLE = 'dl.k8s.io: connecting took longer than 5 s';

/** What makers say: by minor, and under `newest` of all. Nothing is an answer too; a text is why there is none. */
type Said = Readonly<Record<string, string | undefined>>;

function makersWho(said: Said) {
  const asked: string[] = [];
  const newestRelease = async (minor: number | undefined) => {
    const question = minor === undefined ? 'newest' : `1.${minor}`;
    asked.push(question);
    const answer = said[question];
    const found = toKubernetesVersion(answer ?? '');
    return { found, by: 'dl.k8s.io', troubles: answer === undefined || found !== undefined ? [] : [answer] };
  };
  return { newestRelease, asked };
}

function lockOf(version: string, wanted?: string): Lock {
  const known = toKubernetesVersion(version);
  if (known === undefined) throw new Error(version);
  return {
    file: 'keel.lock.json',
    package: `kube-${version}-amd64.tar.gz`,
    imageFormat: 'oci',
    kubernetes: { version: known, wanted, matching: new Map() },
    images: new Map(),
    components: new Map(),
    addons: new Map(),
    files: new Map(),
    tar: parseDigest(`sha256:${'0'.repeat(64)}`, 'test'),
  };
}

function choose(text: string, said: Said, lock?: Lock) {
  const word = toKubernetesWord(text);
  if (word?.kind !== 'latest' && word?.kind !== 'minor') throw new Error(text);
  const makers = makersWho(said);
  return { chosen: chooseKubernetes(word, { lock, makers, signal }), asked: makers.asked };
}

it.each<[string, Said, string, string[]]>([
  ['latest', { newest: '1.38.0' }, '1.38.0', ['newest']],
  ['1.38', { '1.38': '1.38.2' }, '1.38.2', ['1.38']],
  ['latest-1', { newest: '1.38.0', '1.37': '1.37.9' }, '1.37.9', ['newest', '1.37']],
])('asks the maker which version %s is', async (word, said, version, questions) => {
  const { chosen, asked } = choose(word, said);
  expect(await chosen).toEqual({ version, word, origin: 'dl.k8s.io' });
  expect(asked).toEqual(questions);
});

it.each<[string, Said, string]>([
  ['latest', { newest: TROUBLE }, lastKnown().last],
  ['latest-1', { newest: TROUBLE }, lastKnown(semver.minor(lastKnown().last) - 1).last],
  ['latest-1', { newest: '1.38.0', '1.37': TROUBLE }, lastKnown(37).last],
  ['1.36', { '1.36': TROUBLE }, lastKnown(36).last],
])(
  'takes the newest that is known where nobody says which %s is, and tells why',
  async (word, said, version) => {
    expect(await choose(word, said).chosen).toEqual({
      version,
      word,
      origin: 'last known',
      warning: `cannot find out which version Kubernetes ${word} is, so packer uses the newest one in its tables, ${version} (use --upstream-mirror to ask a mirror); failed requests: ${TROUBLE}`,
    });
  },
);

it.each<[string, Said, object]>([
  [
    '1.39',
    {},
    {
      code: 'KUBERNETES_UNRELEASED',
      message: 'there is no stable release of Kubernetes 1.39',
      hint: expect.stringContaining('such as 1.39.0-rc.0,'),
    },
  ],
  [
    'latest-99',
    { newest: '1.38.0' },
    { code: 'KUBERNETES_UNRELEASED', message: 'there is no release 99 minors before 1.38.0' },
  ],
  [
    'latest-99',
    { newest: TROUBLE },
    {
      code: 'KUBERNETES_UNRELEASED',
      message: `there is no release 99 minors before ${lastKnown().last}`,
    },
  ],
  [
    '1.98',
    { '1.98': TROUBLE },
    {
      code: 'KUBERNETES_RELEASE_UNKNOWN',
      message: `cannot find the newest release of Kubernetes 1.98; failed requests: ${TROUBLE}`,
    },
  ],
])('fails for %s without a release that anybody knows', async (word, said, failure) => {
  await expect(choose(word, said).chosen).rejects.toMatchObject(failure);
});

it('asks nobody where a lock says which version the same word was', async () => {
  const { chosen, asked } = choose('latest', { newest: '1.39.0' }, lockOf('1.38.0', 'latest'));
  expect(await chosen).toEqual({ version: '1.38.0', word: 'latest', origin: 'keel.lock.json' });
  expect(asked).toEqual([]);
});

it.each<[string, Lock, string]>([
  [
    'another word',
    lockOf('1.38.0', '1.38'),
    'was 1.38, which means 1.38.0 in the lock, but now it is latest',
  ],
  ['a version', lockOf('1.38.0'), 'was 1.38.0, but now it is latest'],
  [
    'an older packer',
    { ...lockOf('1.37.1'), kubernetes: undefined },
    'was that of kube-1.37.1-amd64.tar.gz, but now it is latest',
  ],
])('asks nobody beside a lock of %s, and refuses it', async (_, lock, change) => {
  const { chosen, asked } = choose('latest', { newest: '1.39.0' }, lock);
  await expect(chosen).rejects.toMatchObject({
    code: 'LOCK_DIFFERS',
    message: expect.stringContaining(change),
  });
  expect(asked).toEqual([]);
});
