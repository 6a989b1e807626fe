import { describe, expect, it } from 'vitest';
import { BUILT_IN_KUBEADM } from '../../src/config/kubernetes/kubeadm-tags.ts';
import { parseKubernetesWord } from '../../src/config/kubernetes/word-parser.ts';
import {
  chooseReleases,
  listedVersions,
  needsListing,
  unknownVersions,
} from '../../src/sync/select/release-choice.ts';

const entries = (...words: string[]) =>
  words.map((word, index) => ({
    value: parseKubernetesWord(word, 'test'),
    place: { file: 'image_set.json', line: index + 1, column: 1 },
  }));

const TAGS = [
  ...['v1.36.2', 'v1.37.0', 'v1.37.10', 'v1.37.2', 'v1.38.0', 'v1.38.1', 'v1.39.0-rc.0', 'v1.35.9'],
  ...['1.40.0', 'v1.41', 'v2.0.0', 'latest', 'sha256-0.sig', 'v1.38.1-amd64'],
];

it('the versions that a source has are its tags that begin with v, the newest first', () => {
  expect(listedVersions(TAGS)).toEqual([
    ...['1.39.0-rc.0', '1.38.1', '1.38.0', '1.37.10', '1.37.2', '1.37.0', '1.36.2', '1.35.9'],
  ]);
});

describe('at a source, a word', () => {
  it.each<[string, string[], string[]]>([
    ['latest', ['1.38.1'], ['1.38.1']],
    ['latest-1', ['1.37.10'], ['1.37.10']],
    ['latest-3', ['1.35.9'], ['1.35.9']],
    ['latest-4', [], []],
    ['latest-99', [], []],
    ['supported', ['1.38', '1.37', '1.36'], ['1.38.1', '1.38.0', '1.37.10', '1.37.2', '1.37.0', '1.36.2']],
    ['1.37', ['1.37'], ['1.37.10', '1.37.2', '1.37.0']],
    ['1.39', ['1.39'], []],
    ['1.34', ['1.34'], []],
    ['1.38.0', ['1.38.0'], ['1.38.0']],
    ['1.39.0-rc.0', ['1.39.0-rc.0'], ['1.39.0-rc.0']],
    ['1.38.2', ['1.38.2'], []],
  ])('%s means %j, which is %j', (word, releases, versions) => {
    const [choice] = chooseReleases(entries(word), listedVersions(TAGS));
    expect(choice?.releases.map(({ text }) => text)).toEqual(releases);
    expect(choice?.versions).toEqual(versions);
  });

  it('means a minor that the source lacks all the same, if it is maintained', () => {
    const [choice] = chooseReleases(entries('supported'), listedVersions(['v1.38.0', 'v1.36.1']));
    expect(choice?.releases.map(({ text }) => text)).toEqual(['1.38', '1.37', '1.36']);
  });

  it('means no minor below 1.0', () => {
    const [choice] = chooseReleases(entries('supported'), listedVersions(['v1.1.0']));
    expect(choice?.releases.map(({ text }) => text)).toEqual(['1.1', '1.0']);
  });

  it.each<[string, string[], string[]]>([
    ['latest', [], []],
    ['supported', [], []],
    ['1.38', ['1.38'], []],
    ['1.38.0', ['1.38.0'], []],
  ])('%s means %j where there are no releases', (word, releases, versions) => {
    const [choice] = chooseReleases(entries(word), []);
    expect([choice?.releases.map(({ text }) => text), choice?.versions]).toEqual([releases, versions]);
  });

  it.each<[string, string[]]>([
    ['latest', []],
    ['1.38', []],
    ['1.38.0', ['1.38.0']],
  ])('%s means %j where the source does not list them', (word, versions) => {
    expect(chooseReleases(entries(word), undefined)[0]?.versions).toEqual(versions);
  });
});

it.each<[string, boolean]>([
  ['1.37.1', false],
  ['1.98.0', true],
  ['1.37', true],
  ['latest', true],
  ['supported', true],
])('for %s, whether the source has to list its releases: %s', (word, needs) => {
  expect(needsListing(parseKubernetesWord(word, 'test'), BUILT_IN_KUBEADM)).toBe(needs);
});

describe('the versions to ask the maker about', () => {
  it('are those that nobody knows, each once, the newest first', () => {
    const tags = ['v1.98.0', 'v1.37.0', 'v1.98.1', 'v1.21.3'];
    const choices = chooseReleases(entries('1.21', '1.98', '1.37', 'latest'), listedVersions(tags));
    expect(unknownVersions(choices, BUILT_IN_KUBEADM)).toEqual(['1.98.1', '1.98.0', '1.21.3']);
  });

  it('are at most 60, whatever a source lists', () => {
    const tags = Array.from({ length: 9999 }, (_, patch) => `v1.98.${patch}`);
    const asked = unknownVersions(chooseReleases(entries('1.98'), listedVersions(tags)), BUILT_IN_KUBEADM);
    expect([asked.length, asked[0], asked.at(-1)]).toEqual([60, '1.98.9998', '1.98.9939']);
  });
});
