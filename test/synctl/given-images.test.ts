import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Desk } from '../support/built-synctl.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { LOGIN } from '../support/token-server.ts';

const KUBEADM_IMAGES = `\
registry.k8s.io/kube-apiserver:v1.37.1
registry.k8s.io/kube-proxy:v1.37.1
registry.k8s.io/coredns/coredns:v1.14.2
registry.k8s.io/pause:3.10.2
`;

describe('the built synctl, given images', () => {
  let source: TestRegistry;
  let hub: TestRegistry;
  let destination: TestRegistry;

  beforeAll(async () => {
    [source, hub, destination] = await Promise.all([
      startRegistry({ frontDoor: true, access: PUBLIC_TOKENS }),
      startRegistry({ access: PUBLIC_TOKENS }),
      startRegistry({ access: TOKENS }),
    ]);
    for (const name of ['kube-apiserver', 'kube-proxy'])
      seedIndex(source.storage, name, { tags: ['v1.37.1'] });
    seedIndex(source.storage, 'coredns/coredns', { tags: ['v1.14.2'] });
    seedIndex(source.storage, 'pause', { tags: ['3.10.2', '3.9'] });
    seedIndex(hub.storage, 'library/nginx', { tags: ['1.29.1', 'latest'] });
    for (let count = 1; count <= 100; count += 1)
      seedImage(hub.storage, `many/image-${count}`, { tags: ['1.0.0'], layers: [10] });
  });

  afterAll(async () => {
    await Promise.all([source, hub, destination].map((registry) => registry.close()));
  });

  /** A desk without an image set, whose namespace at the destination is its own. */
  function sitDown(namespace: string) {
    const desk = new Desk(LOGIN);
    const route = ['--source', source.host, '--push-to', destination.host, '--push-ns', namespace];
    const pipe = (input: string, command: string, ...line: string[]) =>
      desk.pipe(input, command, ...line, ...route);
    const tags = (repository: string) => [
      ...(destination.storage.repositories.get(`${namespace}/${repository}`)?.tags.keys() ?? []),
    ];
    return { desk, pipe, tags };
  }

  test('mirrors what kubeadm config images list prints, and the second time nothing', async () => {
    const { pipe, tags } = sitDown('kubeadm');
    const dry = await pipe(KUBEADM_IMAGES, 'sync', '--images', '-', '--dry-run');
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toContain(`Mirror 4 images to ${destination.host}/kubeadm\n`);
    expect(dry.stdout).toContain('  coredns/coredns:v1.14.2 → coredns:v1.14.2  (the repository is new)\n');
    expect(tags('pause')).toEqual([]);
    const first = await pipe(KUBEADM_IMAGES, 'sync', '--images', '-');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/4 copied \(.*\) in/);
    expect([tags('pause'), tags('coredns')]).toEqual([['3.10.2'], ['v1.14.2']]);
    const second = await pipe(KUBEADM_IMAGES, 'sync', '--images', '-');
    expect(second.stdout).toMatch(/\n4 unchanged in/);
    expect(second.code).toBe(0);
  });

  test('mirrors what helm template prints, with the digests that it names', async () => {
    const { pipe } = sitDown('helm');
    const digest = hub.storage.repository('library/nginx').tags.get('1.29.1');
    const chart = `\
# Source: web/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  template:
    spec:
      initContainers:
        - { name: wait, image: "registry.k8s.io/pause:3.10.2" }
      containers:
        - name: web
          image: ${hub.host}/library/nginx:1.29.1@${digest}
---
apiVersion: v1
kind: ConfigMap
metadata: { name: web }
data: { page: hello }
`;
    const first = await pipe(chart, 'sync', '--images', '-');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/\n2 copied \(.*\) in/);
    const { manifests, tags } = destination.storage.repository('helm/nginx');
    expect(digest !== undefined && manifests.has(digest)).toBe(true);
    expect([...tags]).toEqual([['1.29.1', digest]]);
    expect((await pipe(chart, 'sync', '--images', '-')).stdout).toMatch(/\n2 unchanged in/);
  });

  test('mirrors images that are named in arguments, in a list and in both, each once', async () => {
    const { desk, pipe, tags } = sitDown('both');
    desk.write(
      'list.txt',
      `# web\n${hub.host}/library/nginx:1.29.1\n\ndocker pull ${hub.host}/library/nginx\n`,
    );
    const nginx = `${hub.host}/library/nginx:1.29.1`;
    const said = await pipe('', 'sync', nginx, nginx, 'registry.k8s.io/pause:3.9', '--images', 'list.txt');
    expect(said.code).toBe(0);
    expect(said.stderr).toBe(
      `warning: list.txt:4:13: ${hub.host}/library/nginx:latest: it has no tag, so the tag is latest\n`,
    );
    expect(said.stdout).toMatch(/\n3 copied \(.*\) in/);
    expect([tags('nginx').toSorted(), tags('pause')]).toEqual([['1.29.1', 'latest'], ['3.9']]);
    expect((await pipe('', 'check', nginx)).stdout).toContain('mirrored: the destination has what');
  });

  test('is examined by doctor before, which names what a source does not have', async () => {
    const { pipe } = sitDown('doctor');
    const good = await pipe('', 'doctor', `${hub.host}/library/nginx:1.29.1`);
    expect(good.stdout).toContain('1 given image');
    expect(good.stdout).toMatch(/source +no image is selected from it/);
    expect(good.code).toBe(0);
    const bad = await pipe(`${hub.host}/library/nginx:9\n`, 'doctor', '--images', '-');
    expect(bad.stdout).toContain(`${hub.host}/library/nginx:9: it does not exist at the source`);
    expect(bad.code).toBe(1);
  });

  test('mirrors 100 images of a list', async () => {
    const { desk, pipe } = sitDown('many');
    const names = Array.from({ length: 100 }, (_, index) => `${hub.host}/many/image-${index + 1}:1.0.0`);
    desk.write('list.txt', names.join('\r\n'));
    const said = await pipe('', 'sync', '--images', 'list.txt');
    expect(said).toMatchObject({ code: 0, stderr: '' });
    expect(said.stdout).toMatch(/\n100 copied \(.*\) in/);
  });

  test('ends before anything is done if an image cannot be used, and names each with its place', async () => {
    const { desk, pipe, tags } = sitDown('refused');
    desk.write('list.txt', `${hub.host}/library/nginx:1.29.1\nquay.io/a/$NAME:1\n${hub.host}/Upper:1\n`);
    const said = await pipe('', 'sync', '--images', 'list.txt');
    expect(said.code).toBe(2);
    expect(said.stderr).toContain('error: list.txt:2:1: quay.io/a/$NAME:1: it contains the variable $NAME');
    expect(said.stderr).toContain(`error: list.txt:3:1: ${hub.host}/Upper:1: "Upper" cannot be part of`);
    expect(tags('nginx')).toEqual([]);
  });

  test.each([
    ['a list of comments', '# web\n\n', ['--images', '-'], 2, 'error: standard input: no image was found ('],
    [
      'an empty list',
      '',
      ['--images', '-'],
      2,
      'error: standard input: it is empty (check the command that writes it)',
    ],
    [
      'a list that is not there',
      '',
      ['--images', 'nosuch.txt'],
      2,
      'error: nosuch.txt: there is no such file',
    ],
    ['a folder', '', ['--images', '/tmp/'], 2, 'error: /tmp/: it is a directory'],
    ['an empty variable', '', ['--images', ''], 2, 'error: --images: it is empty (name a file,'],
    ['a file without its flag', '', ['images.yaml'], 2, 'write --images images.yaml'],
    ['a flag as an image', '', ['-nginx'], 2, "error: unknown option '-nginx'"],
    [
      'standard input for two things',
      'x',
      ['--images', '-', '--password-stdin'],
      2,
      '--images - reads standard input as well',
    ],
    [
      'an image set that is not there',
      '',
      ['a.io/b:1', '--image-set', 'nosuch.json'],
      2,
      'error: nosuch.json: there is no such file',
    ],
    [
      'a report in place of the list',
      '',
      ['--images', 'list.txt', '--report', 'list.txt'],
      2,
      'error: list.txt: this command uses the file for something else',
    ],
    [
      'two digests of a tag',
      '',
      [`a.io/b:1@sha256:${'a'.repeat(64)}`, `a.io/b:1@sha256:${'b'.repeat(64)}`],
      2,
      'it has two digests',
    ],
  ])('%s is told', async (_, input, line, code, message) => {
    const { pipe } = sitDown('told');
    const said = await pipe(input, 'sync', ...line);
    expect(said.stderr).toContain(message);
    expect(said.code).toBe(code);
  });

  test.each(['sync', 'doctor'])('%s asks nothing without a destination', async (command) => {
    const desk = new Desk(LOGIN);
    const said = await desk.run(command, `${source.host}/pause:3.9`);
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toBe(
      'error: --push-to: no destination is given for these images (name your registry, as in --push-to registry.example.com --push-ns mirror)\n',
    );
  });

  test('standard input that is named twice is read once', async () => {
    const { pipe } = sitDown('twice');
    const said = await pipe(KUBEADM_IMAGES, 'sync', '--images', '-', '--images', '-', '--dry-run');
    expect(said).toMatchObject({ code: 0, stderr: '' });
    expect(said.stdout).toContain('Mirror 4 images to');
  });
});
