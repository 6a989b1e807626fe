import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../src/config/document.ts';
import { parseImageSet } from '../../../src/config/image-set.ts';
import { parseGivenImage } from '../../../src/config/images/given-image.ts';
import { givenImageSet } from '../../../src/config/images/given-image-set.ts';
import { parseHost } from '../../../src/registry/oci/reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const SOURCE = parseHost('mirror.example');

function setOf(texts: readonly string[], rules?: object) {
  const given = texts.map((text, index) => ({
    reference: parseGivenImage(text),
    places: [{ file: 'list.txt', line: index + 1, column: 1 }],
  }));
  const set = rules && parseImageSet(parseDocument('image_set.json', JSON.stringify(rules)));
  return givenImageSet(given, { source: SOURCE, rules: set });
}

/** Returns what a set wants: `name from host: tags`, with the digests of tags that must have one. */
function wishes(texts: readonly string[]): string[] {
  return [...setOf(texts).extraImages.values()].map(({ name, host, tags, pins }) => {
    const named = [...tags].map((tag) => {
      const pin = pins.get(tag);
      return pin === undefined ? tag : `${tag}@${pin.digest.slice(7, 9)}${pin.isTagMade ? ' made' : ''}`;
    });
    return `${name} from ${host}: ${named.join(', ')}`;
  });
}

describe('a set of given images', () => {
  it.each([
    [['nginx', 'nginx:1.29', 'nginx:1.29'], ['docker.io/library/nginx from docker.io: latest, 1.29']],
    [['registry.k8s.io/pause:3.10', 'k8s.gcr.io/pause:3.9'], ['pause from mirror.example: 3.10, 3.9']],
    [['mirror.example/coredns/coredns:v1'], ['coredns/coredns from mirror.example: v1']],
    [['QUAY.io/a/b:1', 'quay.io/a/b:1'], ['quay.io/a/b from quay.io: 1']],
    [[`quay.io/a/b:1@${DIGEST}`, 'quay.io/a/b:1'], ['quay.io/a/b from quay.io: 1@aa']],
    [['quay.io/a/b:1', `quay.io/a/b:1@${DIGEST}`], ['quay.io/a/b from quay.io: 1@aa']],
    [
      [`quay.io/a/b@${DIGEST}`, `quay.io/a/b@${OTHER}`],
      ['quay.io/a/b from quay.io: digest-aaaaaaaaaaaa@aa made, digest-bbbbbbbbbbbb@bb made'],
    ],
  ])('of %j wants %j', (texts, wanted) => {
    expect(wishes(texts)).toEqual(wanted);
  });

  it('knows where each image stands', () => {
    const { extraImages } = setOf(['nginx:1', 'nginx:2']);
    expect([...extraImages.values()].flatMap(({ places }) => places.map(({ line }) => line))).toEqual([1, 2]);
  });

  it('is refused where one tag is given with two digests', () => {
    expect(() => setOf([`a.io/b:1@${DIGEST}`, 'c.io/d:1', `a.io/b:1@${OTHER}`])).toThrow(
      `it has two digests, ${DIGEST} (list.txt:1:1) and ${OTHER} (list.txt:3:1), but a tag has one image`,
    );
  });

  it('has of another set the rules, without its wishes and its patches for other images', () => {
    const set = setOf(['quay.io/a/b:1', 'registry.k8s.io/pause:3.10'], {
      kubernetes: ['1.37'],
      names: ['etcd'],
      extras: ['quay.io/c/d'],
      exclude: ['b'],
      tags: { latest: 1 },
      patches: [
        { match: 'quay.io/a/b', name: 'c' },
        { match: 'pause', name: 'p' },
        { match: 'etcd', name: 'e' },
      ],
      movedTags: { 'quay.io/a': 'keep' },
    });
    expect([...set.patches.keys()]).toEqual(['quay.io/a/b', 'pause']);
    expect([...set.extraImages.keys()]).toEqual(['quay.io/a/b', 'pause']);
    expect(set.movedTags).toHaveLength(1);
    expect([set.kubernetes, set.names, set.exclude, set.scopes].flat()).toEqual([]);
  });
});
