import { describe, expect, it, test } from 'vitest';
import { joinedImages } from '../../../src/config/images/found-images.ts';
import { findImages } from '../../../src/config/images/image-finder.ts';
import { formatPlace } from '../../../src/config/problem.ts';
import { formatReference } from '../../../src/registry/oci/reference.ts';

const PAUSE = 'registry.k8s.io/pause:3.10';

/** Returns what was found, on a line each. */
function findingsIn(text: string | Buffer, file = 'a.txt') {
  const { images, uncertain, refused, notices } = findImages(file, Buffer.from(text));
  return {
    images: images.map(
      ({ reference, places }) => `${formatReference(reference)} ${places.map(formatPlace).join(' ')}`,
    ),
    uncertain: uncertain.map(({ text: name, place, reason }) => `${formatPlace(place)} ${name}: ${reason}`),
    refused: refused.map(({ text: name, place, reason }) => `${formatPlace(place)} ${name}: ${reason}`),
    notices: notices.map(({ place, message }) => `${formatPlace(place)} ${message}`),
  };
}

test('an image that stands at several places is found once, with each of them', () => {
  expect(findingsIn(`${PAUSE}\nnginx\ndocker.io/library/nginx:latest\n`)).toEqual({
    images: [`${PAUSE} a.txt:1:1`, 'docker.io/library/nginx:latest a.txt:2:1 a.txt:3:1'],
    uncertain: [],
    refused: [],
    notices: ['a.txt:2:1 docker.io/library/nginx:latest: it has no tag, so the tag is latest'],
  });
});

test('the same notice is given once', () => {
  expect(findingsIn('nginx\nnginx\n').notices).toHaveLength(1);
});

test('a text that cannot be used is refused with its place, and the others are found', () => {
  expect(findingsIn(`nginx:$TAG\n${PAUSE}\n  Team/app:1\n`)).toEqual({
    images: [`${PAUSE} a.txt:2:1`],
    uncertain: [],
    refused: [
      'a.txt:1:1 nginx:$TAG: it contains the variable $TAG',
      'a.txt:3:3 Team/app:1: "Team" cannot be part of a repository name',
    ],
    notices: [],
  });
});

test.each([
  ['UTF-8 with a mark', Buffer.from(`\ufeff${PAUSE}\r\n`)],
  ['UTF-16 of PowerShell', Buffer.from(`\ufeff${PAUSE}\r\n`, 'utf16le')],
  ['UTF-16 with the other order', Buffer.from(`\ufeff${PAUSE}\r\n`, 'utf16le').swap16()],
])('%s is read', (_name, bytes) => {
  expect(findingsIn(bytes).images).toEqual([`${PAUSE} a.txt:1:1`]);
});

function refusalOf(text: string): unknown {
  try {
    return findImages('a.txt', Buffer.from(text));
  } catch (error) {
    return error;
  }
}

test.each([
  [
    'a page of documentation',
    '# Shop\n\nThis is a shop.\nIt is good.\nIt is new.\nBuy it.\n',
    'it is not a list of images: no image is "This is a shop."',
  ],
  ['more images than a cluster has', 'nginx:1\n'.repeat(100_001), 'it names more than 100,000 images'],
  ['more than 16 MiB', '# a long list\n'.repeat(1_500_000), 'it is larger than 16 MiB'],
])('%s is refused as a whole', (_name, text, message) => {
  expect(refusalOf(text)).toMatchObject({ code: 'IMAGES_UNREADABLE', message });
});

test('a text of any length is shown in short', () => {
  const { refused } = findImages('a.txt', Buffer.from(`registry.example/${'a'.repeat(100_000)}`));
  expect(refused.map(({ text, reason }) => [text.length, reason])).toEqual([
    [201, 'it has 100,017 characters, but names of images have at most a few hundred'],
  ]);
});

test.each([
  ['a list', 'https://user:secret@registry.example/a:1\n'],
  ['a manifest', 'kind: Pod\nspec:\n  containers:\n  - image: user:secret@registry.example/a:1\n'],
  ['an argument', 'kind: Pod\nspec:\n  containers:\n  - args: [--x=user:secret@registry.example/$A:1]\n'],
  ['a text that is no list', 'a b c\n'.repeat(2) + 'https://user:secret@registry.example/a:1\n'.repeat(3)],
])('a password in front of a host is never shown: %s', (_, text) => {
  let shown: unknown;
  try {
    shown = findingsIn(text);
  } catch (error) {
    shown = String(error);
  }
  expect(JSON.stringify(shown)).not.toContain('secret');
});

test('a line of very many commands is read', () => {
  expect(findingsIn('docker pull nginx:1; '.repeat(70_000)).images).toHaveLength(1);
});

describe('several files', () => {
  it('are joined, each image once', () => {
    const { images } = joinedImages([
      findImages('a.txt', Buffer.from('nginx:1\nredis:8')),
      findImages('b.txt', Buffer.from('redis:8')),
    ]);
    expect(images.map(({ places }) => places.map(formatPlace))).toEqual([
      ['a.txt:1:1'],
      ['a.txt:2:1', 'b.txt:1:1'],
    ]);
  });
});

const HUSH = [
  'https://user:hush@registry.example/app:1',
  '"https://user:hush@registry.example/app:1"',
  'https://ghp_hush@registry.example/app:1',
  'https://user:hu/hush@registry.example/app:1',
  'user：hush＠registry.example/app:1',
  'registry.example/app?token=hush',
  'docker login -u robot -p hush registry.example',
  'echo hush | docker login --password-stdin',
  'skopeo copy --src-creds=robot:hush docker://registry.example/a:1 dir:a',
  'curl -u robot:hush https://registry.example/v2/',
  'export REGISTRY_PASSWORD=hush',
  'TOKEN=hush',
];

it.each(HUSH)('shows no secret of a list: %s', (line) => {
  const { refused, ...others } = findImages('list.txt', Buffer.from(`nginx:1\n${line}\n`));
  expect(refused).toHaveLength(1);
  expect(JSON.stringify([refused, others])).not.toContain('hush');
});

it.each(HUSH)('shows no secret of a manifest: %s', (text) => {
  const manifest = { kind: 'Pod', spec: { containers: [{ image: text, args: [text] }], image: text } };
  const found = findImages('pod.json', Buffer.from(JSON.stringify(manifest)));
  expect(JSON.stringify(found)).not.toContain('hush');
});

it('takes images that are names of fields, as lists of other tools have them, as uncertain', () => {
  const found = findingsIn('quay.io/a/b:1: registry.example/b:1\nquay.io/a/c:2: [registry.example/c:2]\n');
  expect(found.images).toEqual([]);
  expect(found.uncertain).toContain('a.txt:1:1 quay.io/a/b:1: it is the name of a field');
  expect(found.uncertain).toHaveLength(4);
});

it('reports that a kustomization takes its images from other files', () => {
  const found = findingsIn('kind: Kustomization\nimages: [{ name: nginx, newTag: "1.2" }]\n');
  expect(found.uncertain).toEqual([
    'a.txt:1:1 Kustomization: a kustomization takes its images from other files',
  ]);
});

it('cuts and cleans a line of millions of words in little time', () => {
  const started = performance.now();
  expect(findingsIn(`u:p@${'h '.repeat(1_000_000)}`).refused).toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(20_000);
});
