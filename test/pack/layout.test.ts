import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { writeArchive } from '../../src/pack/archive/write-archive.ts';
import { archivedNames, dockerArchives } from '../../src/pack/contents/docker-archive.ts';
import { layoutEntries } from '../../src/pack/contents/layout.ts';
import { type BlobFiles, blobPath } from '../../src/pack/fetch/blob-store.ts';
import type { PulledImage } from '../../src/pack/fetch/image-lookup.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { has, run } from './archive/archive-reader.ts';
import { pulledImage } from './pulled-image.ts';

const { CI } = process.env;
const PROXY = 'registry.k8s.io/kube-proxy:v1.36.0';
const MIRRORED = 'registry.cn-hangzhou.aliyuncs.com/keel/kube-proxy:v1.36.0';
const FLANNEL = 'docker.io/flannel/flannel:v0.27.0';
const COREDNS = 'registry.k8s.io/coredns/coredns:v1.12.0';

/** Three images in both formats, two of which share a layer, one with two names. */
async function threeImages(folder: string): Promise<PulledImage[]> {
  return Promise.all([
    pulledImage(folder, { upstream: PROXY, pulledBy: MIRRORED, format: 'docker', layers: ['base', 'proxy'] }),
    pulledImage(folder, { upstream: COREDNS, layers: ['base', 'dns'] }),
    pulledImage(folder, { upstream: FLANNEL, layers: ['net'] }),
  ]);
}

function filesIn(folder: string): BlobFiles {
  return (digest) => join(folder, blobPath(digest));
}

/** Packs the images as a package does, and unpacks them again with tar. */
async function unpackedLayout(images: readonly PulledImage[], content: string): Promise<string> {
  const folder = scratchFolder();
  const output = join(folder, 'package.tar.gz');
  await writeArchive({
    entries: layoutEntries(images, filesIn(content)),
    output,
    signal: new AbortController().signal,
  });
  run('tar', '-xzf', output, '-C', folder);
  return join(folder, 'images');
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

test('a layout has each blob once, whatever the order of the images', async () => {
  const content = scratchFolder();
  const images = await threeImages(content);
  const entries = layoutEntries(images, filesIn(content));
  // Of each image a manifest and a configuration, and four layers.
  expect(entries.filter(({ path }) => path.startsWith('images/blobs/sha256/'))).toHaveLength(10);
  const described = (list: readonly { path: string }[]) =>
    list.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  expect(described(layoutEntries(images.toReversed(), filesIn(content)))).toEqual(described(entries));
});

test('its tables name each image by both of its names', async () => {
  const content = scratchFolder();
  const [proxy, coredns, flannel] = await threeImages(content);
  if (proxy === undefined || coredns === undefined || flannel === undefined) throw new Error('three images');
  const folder = await unpackedLayout([proxy, coredns, flannel], content);
  const row = (image: PulledImage, name: string) => ({
    mediaType: image.manifest.mediaType,
    digest: image.manifest.digest,
    size: image.manifest.bytes.length,
    annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name },
  });
  expect(readJson(join(folder, 'oci-layout'))).toEqual({ imageLayoutVersion: '1.0.0' });
  expect(readJson(join(folder, 'index.json'))).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [row(flannel, FLANNEL), row(proxy, MIRRORED), row(proxy, PROXY), row(coredns, COREDNS)],
  });
  expect(readJson(join(folder, 'manifest.json'))).toEqual(
    [flannel, proxy, coredns].map(({ manifest }) => ({
      Config: blobPath(manifest.config.digest),
      RepoTags: manifest === proxy.manifest ? [MIRRORED, PROXY] : [expect.any(String)],
      Layers: manifest.layers.map(({ digest }) => blobPath(digest)),
    })),
  );
});

test('two contents under one name are refused', async () => {
  const content = scratchFolder();
  const images = await Promise.all([
    pulledImage(content, { upstream: PROXY, layers: ['one'] }),
    pulledImage(content, { upstream: PROXY, layers: ['other'] }),
  ]);
  expect(() => layoutEntries(images, filesIn(content))).toThrow(
    expect.objectContaining({
      code: 'IMAGE_NAME_TAKEN',
      about: PROXY,
      message: expect.stringContaining('the package would contain two images with this name'),
    }),
  );
});

test("a name has one row, with the media type that the image's own manifest has", async () => {
  const content = scratchFolder();
  const folder = await unpackedLayout(await threeImages(content), content);
  const { manifests } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
  const names = manifests.map((row: { annotations: Record<string, string> }) =>
    Object.values(row.annotations),
  );
  expect(names).toEqual([FLANNEL, MIRRORED, PROXY, COREDNS].map((name) => [name, name]));
  for (const { mediaType, digest } of manifests) {
    expect(readJson(join(folder, 'blobs', digest.replace(':', '/')))).toMatchObject({ mediaType });
  }
});

test.skipIf(!has('skopeo'))(
  'skopeo copies each name of an OCI image out of it, digests unchanged',
  async () => {
    const content = scratchFolder();
    const images = await threeImages(content);
    const folder = await unpackedLayout(images, content);
    for (const name of [FLANNEL, COREDNS]) {
      const image = images.find(({ upstream }) => formatReference(upstream) === name);
      const copy = join(scratchFolder(), 'copy');
      const how = ['--insecure-policy', 'copy', '-q', '--preserve-digests'];
      run('skopeo', ...how, `oci:${folder}:${name}`, `dir:${copy}`);
      expect(readFileSync(join(copy, 'manifest.json'))).toEqual(image?.manifest.bytes);
      for (const { digest } of image?.manifest.layers ?? []) {
        expect(readdirSync(copy)).toContain(digest.slice('sha256:'.length));
      }
    }
  },
);

/** The tar that a person makes to load the images of an unpacked package. */
function pipedTar(folder: string): string {
  const file = join(scratchFolder(), 'images.tar');
  run('tar', '-C', folder, '-cf', file, '.');
  return file;
}

test.skipIf(!has('skopeo'))('skopeo reads its tar as a docker archive as well', async () => {
  const content = scratchFolder();
  const file = pipedTar(await unpackedLayout(await threeImages(content), content));
  for (const name of [PROXY, FLANNEL, COREDNS]) {
    run(
      'skopeo',
      '--insecure-policy',
      'copy',
      '-q',
      `docker-archive:${file}:${name}`,
      `dir:${scratchFolder()}`,
    );
  }
});

async function startContainerd(): Promise<string | undefined> {
  const folder = scratchFolder();
  const socket = join(folder, 'c.sock');
  const config = [
    'version = 2',
    `root = "${folder}/root"`,
    `state = "${folder}/state"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.overlayfs"]',
    '[grpc]',
    `  address = "${socket}"`,
  ];
  writeFileSync(join(folder, 'config.toml'), config.join('\n'));
  const daemon = spawn('containerd', ['-c', join(folder, 'config.toml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => daemon.once('close', () => resolve()));
  onTestFinished(async () => {
    daemon.kill();
    await ended;
  });
  return new Promise((resolve) => {
    let said = '';
    daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('successfully booted')) resolve(socket);
    });
    daemon.once('close', () => resolve(undefined));
  });
}

describe.skipIf(!has('containerd') || !has('ctr') || process.getuid?.() !== 0)('containerd', () => {
  test('imports it from a pipe, with every name and the digests of the registry', async (context) => {
    const socket = await startContainerd();
    if (socket === undefined) return context.skip('containerd does not start here');
    const content = scratchFolder();
    const images = await threeImages(content);
    const file = pipedTar(await unpackedLayout(images, content));
    const ctr = ['--address', socket, '--namespace', 'k8s.io', 'images'];
    run('ctr', ...ctr, 'import', '--snapshotter', 'native', '--digests', file);
    const listed = run('ctr', ...ctr, 'ls').split('\n');
    const row = (name: string) => listed.find((line) => line.startsWith(`${name} `))?.split(/\s+/);
    for (const image of images) {
      const { host, repository, tag } = image.upstream;
      const [, type, digest] = row(`${host}/${repository}:${tag}`) ?? [];
      expect({ type, digest }).toEqual({ type: image.manifest.mediaType, digest: image.manifest.digest });
    }
    expect(row(MIRRORED)?.slice(1)).toEqual(row(PROXY)?.slice(1));
    for (const name of [PROXY, MIRRORED, FLANNEL, COREDNS]) {
      expect(run('ctr', ...ctr, 'check', '--snapshotter', 'native', `name==${name}`)).toContain('complete');
    }
  });
});

/** Podman with storage of its own; undefined where the machine does not let it unpack layers. */
function podmanIn(folder: string): ((...command: string[]) => string) | undefined {
  const own = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const { status } = spawnSync('podman', [...own, 'images'], { stdio: 'ignore' });
  return status === 0 ? (...command) => run('podman', ...own, ...command) : undefined;
}

describe.skipIf(!has('podman'))('podman', () => {
  test('loads it', async (context) => {
    const podman = podmanIn(scratchFolder());
    if (podman === undefined && CI === undefined) return context.skip('podman does not work here');
    if (podman === undefined) throw new Error('podman must work where CI is set');
    const content = scratchFolder();
    const file = pipedTar(await unpackedLayout(await threeImages(content), content));
    podman('load', '-q', '-i', file);
    const names = podman('images', '--format', '{{.Repository}}:{{.Tag}}').trim().split('\n');
    expect(names.toSorted()).toEqual([FLANNEL, MIRRORED, COREDNS, PROXY].toSorted());
  });
});

describe('one docker archive an image', () => {
  async function unpackedArchives(): Promise<{ folder: string; images: PulledImage[] }> {
    const content = scratchFolder();
    const images = await threeImages(content);
    const folder = scratchFolder();
    const output = join(folder, 'package.tar.gz');
    const entries = dockerArchives(images, filesIn(content));
    await writeArchive({ entries, output, signal: new AbortController().signal });
    run('tar', '-xzf', output, '-C', folder);
    return { folder: join(folder, 'images'), images };
  }

  test('is called by name and tag, and holds what its table says', async () => {
    const { folder, images } = await unpackedArchives();
    expect(readdirSync(folder).sort()).toEqual([
      'coredns-v1.12.0.tar',
      'flannel-v0.27.0.tar',
      'kube-proxy-v1.36.0.tar',
    ]);
    const out = join(folder, 'out');
    mkdirSync(out);
    run('tar', '-xf', join(folder, 'kube-proxy-v1.36.0.tar'), '-C', out);
    const config = images[0]?.manifest.config.digest.slice('sha256:'.length);
    const table = JSON.stringify(readJson(join(out, 'manifest.json')));
    expect(table).toContain(`"Config":"${config}.json","RepoTags":["${MIRRORED}","${PROXY}"]`);
    for (const [, file] of table.matchAll(/"([0-9a-f]{64}\.[a-z.]+)"/g)) {
      expect(existsSync(join(out, file ?? ''))).toBe(true);
    }
  });

  test('has a name of its own, also where images differ only before their last part', async () => {
    const content = scratchFolder();
    const names = [
      'docker.io/a/app:1',
      'docker.io/b/app:1',
      'quay.io/c/app-one:2',
      'quay.io/c/app:one-2',
      'quay.io/d/other:RC',
      'quay.io/d/other:rc',
      PROXY,
    ];
    const images = await Promise.all(
      names.map((upstream) => pulledImage(content, { upstream, layers: [upstream] })),
    );
    const archives = archivedNames(images);
    expect([...archives.keys()]).toEqual(names.toSorted());
    const paths = dockerArchives(images, filesIn(content)).map(({ path }) => path);
    expect(names.map((name) => archives.get(name))).toEqual(paths);
    expect(new Set(paths.map((path) => path.toLowerCase())).size).toBe(names.length);
    expect(paths).toEqual([
      'images/docker.io+a+app+1.tar',
      'images/docker.io+b+app+1.tar',
      'images/quay.io+c+app-one+2.tar',
      'images/quay.io+c+app+one-2.tar',
      expect.stringMatching(/^images\/quay\.io\+d\+other\+RC\+[0-9a-f]{12}\.tar$/),
      expect.stringMatching(/^images\/quay\.io\+d\+other\+rc\+[0-9a-f]{12}\.tar$/),
      'images/kube-proxy-v1.36.0.tar',
    ]);
  });

  test('is refused where another has its name and other content, as in a layout', async () => {
    const content = scratchFolder();
    const images = await Promise.all(
      ['one', 'other'].map((layer) => pulledImage(content, { upstream: PROXY, layers: [layer] })),
    );
    expect(() => archivedNames(images)).toThrow(expect.objectContaining({ code: 'IMAGE_NAME_TAKEN' }));
  });

  test.skipIf(!has('skopeo'))('is read by skopeo', async () => {
    const { folder } = await unpackedArchives();
    run(
      'skopeo',
      '--insecure-policy',
      'copy',
      '-q',
      `docker-archive:${folder}/coredns-v1.12.0.tar:${COREDNS}`,
      `dir:${scratchFolder()}`,
    );
  });
});
