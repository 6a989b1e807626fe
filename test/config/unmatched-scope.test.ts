import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { unmatchedScopes } from '../../src/config/unmatched-scope.ts';

const IMAGES = [
  { host: 'registry.k8s.io', repository: 'pause', tags: new Set(['3.9', '3.10']) },
  { host: 'registry.k8s.io', repository: 'sig-storage/nfs', tags: new Set(['v4.0.2']) },
  { host: 'ghcr.io', repository: 'team/app', tags: undefined },
  { host: 'docker.io', repository: 'library/busybox', tags: new Set(['1']) },
];

/** Returns what is told of a key of `movedTags`. */
function told(key: string): string[] {
  const text = JSON.stringify({ names: ['pause'], movedTags: { [key]: 'keep' } });
  const { scopes } = parseImageSet(parseDocument('image_set.json', text));
  return unmatchedScopes(scopes, IMAGES).map(({ message }) => message);
}

describe('a key that fits an image, or may be meant for later, is told nothing:', () => {
  test.each([
    'registry.k8s.io',
    'k8s.gcr.io',
    'registry.k8s.io/pause',
    'registry.k8s.io/pause:3.10',
    'registry.k8s.io/sig-storage',
    'docker.io/busybox:1',
    'docker.io/library',
    'ghcr.io/team',
    'ghcr.io/team/app:of-a-list-that-failed',
    'quay.io',
    'quay.io/team/app',
  ])('%s', (key) => {
    expect(told(key)).toEqual([]);
  });
});

describe('a key that fits no image is told with the nearest that does:', () => {
  test.each([
    ['registry.k8s.io/pausse:3.10', 'did you mean "registry.k8s.io/pause:3.10"?'],
    ['registry.k8s.io/pause:3.1O', 'did you mean "registry.k8s.io/pause:3.10"?'],
    ['registry.k8s.io/pause:v99', 'correct or remove it'],
    ['registry.k8s.io/nfs:v4.0.2', 'correct or remove it'],
    ['registry.k8s.io/sig-storag', 'did you mean "registry.k8s.io/sig-storage"?'],
    ['registry.k8s.io/autoscaling', 'correct or remove it'],
    ['registry.k8s.oi', 'did you mean "registry.k8s.io"?'],
    ['gchr.io/team/app', 'did you mean "ghcr.io/team/app"?'],
    ['ghcr.io/team:v1', 'correct or remove it'],
    ['quay.io/team/app:v1', 'correct or remove it'],
  ])('%s: %s', (key, advice) => {
    expect(told(key)).toEqual([`"${key}" under "movedTags" matches no wanted image; ${advice}`]);
  });
});

test('a key is told at its line, with the map that it is in', () => {
  const text = '{"names": ["pause"],\n "signatures": {\n  "registry.k8s.io/pausse": "off"}}';
  const { scopes } = parseImageSet(parseDocument('image_set.json', text));
  expect(unmatchedScopes(scopes, IMAGES)).toEqual([
    {
      place: { file: 'image_set.json', line: 3, column: 3 },
      message:
        '"registry.k8s.io/pausse" under "signatures" matches no wanted image; did you mean "registry.k8s.io/pause"?',
    },
  ]);
});
