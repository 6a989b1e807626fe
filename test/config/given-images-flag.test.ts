import { expect, test } from 'vitest';
import { FlagReader } from '../../src/config/flags/flag-reader.ts';
import { imagesFlag, readImagesFlag } from '../../src/config/flags/given-images-flag.ts';
import { describeFailure } from '../../src/lib/failure.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';

const FLAGS = [imagesFlag('What', 'Take the images in this file')];
const DIGEST = `sha256:${'a'.repeat(64)}`;

/** Returns how arguments and the text of the flag are read. `package.json` is a file of the folder that tests run in. */
function read(operands: readonly string[], text?: string, hasInput = true) {
  const values = new Map(text === undefined ? [] : [['images', text]]);
  const source = { values, environment: {}, label: (name: string) => `--${name}`, operands, hasInput };
  const flags = new FlagReader<'images'>(FLAGS, source);
  const notices = new Set<string>();
  const given = readImagesFlag(flags, source, notices);
  return {
    images: given?.images.map(({ reference }) => formatReference(reference)),
    files: given?.files,
    notices: [...notices],
    failures: flags.failures.map(describeFailure),
  };
}

const GOOD = { notices: [], failures: [] };

test('nothing is given by neither an argument nor the flag', () => {
  expect(read([])).toEqual({ ...GOOD, images: undefined, files: undefined });
});

test.each([
  [
    ['quay.io/coreos/etcd:v3.6.1', `nginx@${DIGEST}`],
    `quay.io/coreos/etcd:v3.6.1 docker.io/library/nginx@${DIGEST}`,
  ],
  [[`ghcr.io/a/b:1@${DIGEST}`], `ghcr.io/a/b:1@${DIGEST}`],
  [['docker pull nginx:1.29'], 'docker.io/library/nginx:1.29'],
])('the arguments %j are images', (operands, images) => {
  expect(read(operands)).toEqual({ ...GOOD, images: images.split(' '), files: [] });
});

test('values of the flag are files by their form, or because they are there, and images else', () => {
  const text =
    'list.txt\n-, ./here ,~/k8s.yaml\nLICENSE\nnginx:1.29 # the web server\n# nothing\n\nquay.io/a/b:2';
  expect(read([], text)).toEqual({
    ...GOOD,
    images: ['docker.io/library/nginx:1.29', 'quay.io/a/b:2'],
    files: ['list.txt', '-', './here', '~/k8s.yaml', 'LICENSE'],
  });
});

test('a folder is no image of its name, and is refused when it is read', () => {
  expect(read([], 'docs')).toEqual({ ...GOOD, images: [], files: ['docs'] });
});

test('a file that is named twice is read once', () => {
  expect(read([], '-\nlist.txt\n-\nlist.txt').files).toEqual(['-', 'list.txt']);
});

test.each([
  [['nginx'], undefined, 'docker.io/library/nginx:latest: it has no tag, so the tag is latest'],
  [['LICENSE:1'], undefined, undefined],
  [
    ['pause:3.10'],
    undefined,
    'docker.io/library/pause:3.10 is an image of Docker Hub; the one of Kubernetes is registry.k8s.io/pause',
  ],
  [
    ['coredns:1'],
    undefined,
    'docker.io/library/coredns:1 is an image of Docker Hub; the one of Kubernetes is registry.k8s.io/coredns/coredns',
  ],
  [['test'], undefined, 'docker.io/library/test:latest: it has no tag, so the tag is latest'],
  [[], 'wanted', 'there is no file wanted, so it is read as an image'],
])('%j with --images %s: %s', (operands, text, notice) => {
  const { notices } = read(operands, text);
  if (notice === undefined) expect(notices).toEqual([]);
  else expect(notices).toContain(notice);
});

test.each([
  [
    ['list.txt'],
    undefined,
    'list.txt: this is the path of a file, and not an image (write --images list.txt)',
  ],
  [['./list'], undefined, './list: this is the path of a file, and not an image (write --images ./list)'],
  [['-'], undefined, '-: this is standard input, and not an image (write --images -)'],
  [
    ['false'],
    undefined,
    'false: this is not an image (write the value of a switch with "=", such as --dry-run=false)',
  ],
  [[''], undefined, 'image reference: it is empty (write one such as registry.k8s.io/pause:3.10.2)'],
  [['$IMAGE:1'], undefined, '$IMAGE:1: it contains the variable $IMAGE'],
  [[], '', '--images: it is empty (name a file, - for standard input, or an image; is a variable not set?)'],
  [
    [],
    ' ,\n# all of it',
    '--images: it is empty (name a file, - for standard input, or an image; is a variable not set?)',
  ],
])('%j with --images %j is refused: %s', (operands, text, failure) => {
  expect(read(operands, text).failures).toEqual([expect.stringContaining(failure)]);
});

test.each([
  ['an image', 'https://me:secret@registry.example/a:1'],
  ['a variable', 'https://me:secret@registry.example/a:$TAG'],
  ['a list', 'https://me:secret@registry.example/list.txt'],
  ['upper case', 'me:secret@registry.example/A:1'],
  ['a long text', `https://me:secret@registry.example/${'a'.repeat(3000)}`],
])('a password in front of a host is never shown: %s', (_, text) => {
  const said = [read([text]), read([], text)].flatMap(({ failures, notices }) => [...failures, ...notices]);
  expect(said).not.toEqual([]);
  expect(said.join('\n')).not.toContain('secret');
});

test('a step of a workflow has no standard input', () => {
  expect(read([], 'a.txt\n-', false).failures).toEqual([
    '--images: a step of a workflow has no standard input (name a file, or the images)',
  ]);
});

test('all wrong images are told at once', () => {
  expect(read(['UPPER:1', 'a b'], 'x@sha256:1').failures).toHaveLength(3);
});
