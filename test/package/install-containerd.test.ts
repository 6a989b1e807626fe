import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Digest, digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { Containerd } from '../support/containerd.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const PAUSE = 'registry.k8s.io/pause:3.10.2';
const machine = process.arch === 'x64' ? 'amd64' : process.arch;

let workplace: string;
let unpacked: string;
let target: string;

/** Puts a blob into the layout and returns its descriptor. */
function blob(mediaType: string, content: Buffer): { mediaType: string; digest: Digest; size: number } {
  const digest = digestOf(content);
  mkdirSync(join(unpacked, 'images/blobs/sha256'), { recursive: true });
  writeFileSync(join(unpacked, 'images/blobs/sha256', digestHex(digest)), content);
  return { mediaType, digest, size: content.length };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

const OCI = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};
const DOCKER = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};

/** Returns the configuration and the compressed layer of an image with one program. */
function imageOf(program: string | Buffer): { config: Buffer; layer: Buffer } {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'pause'), program);
  const tar = execFileSync('tar', ['-cf', '-', '-C', folder, 'pause'], { maxBuffer: 2 ** 26 });
  const rootfs = { type: 'layers', diff_ids: [digestOf(tar)] };
  return { config: json({ architecture: machine, os: 'linux', config: {}, rootfs }), layer: gzipSync(tar) };
}

/** Writes a layout with one image of one layer and returns the digest of its manifest. */
function writeImages(program: string | Buffer = 'a program that waits', types = OCI): Digest {
  const image = imageOf(program);
  const config = blob(types.config, image.config);
  const layers = [blob(types.layer, image.layer)];
  const content = json({ schemaVersion: 2, mediaType: types.manifest, config, layers });
  const manifest = blob(types.manifest, content);
  const annotations = { 'io.containerd.image.name': PAUSE, 'org.opencontainers.image.ref.name': PAUSE };
  writeFileSync(
    join(unpacked, 'images/index.json'),
    json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  writeFileSync(join(unpacked, 'images/oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  return manifest.digest;
}

/** Writes the image as `docker save` archives it and returns the archive's path in the package. */
function writeArchive(program: string): string {
  const { config, layer } = imageOf(program);
  const folder = scratchFolder();
  const files = {
    config: `${digestHex(digestOf(config))}.json`,
    layer: `${digestHex(digestOf(layer))}.tar.gz`,
  };
  writeFileSync(join(folder, files.config), config);
  writeFileSync(join(folder, files.layer), layer);
  const table = [{ Config: files.config, RepoTags: [PAUSE], Layers: [files.layer] }];
  writeFileSync(join(folder, 'manifest.json'), json(table));
  mkdirSync(join(unpacked, 'images'));
  execFileSync('tar', [
    '-C',
    folder,
    '-cf',
    join(unpacked, 'images/pause.tar'),
    'manifest.json',
    ...Object.values(files),
  ]);
  return 'images/pause.tar';
}

function seal(file = '-'): void {
  const ctr = '0755\tcontainerd\truntime/containerd/bin/ctr\t/usr/local/bin/ctr\n';
  writeFileSync(join(unpacked, 'install/files'), ctr);
  writeFileSync(join(unpacked, 'install/images'), `${PAUSE}\t${file}\n`);
  rmSync(join(unpacked, 'SHA256SUMS'), { force: true });
  const files = readdirSync(unpacked, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(unpacked, path)).isFile(),
  );
  const lines = files.map((path) => `${digestHex(digestOf(readFileSync(join(unpacked, path))))}  ${path}\n`);
  writeFileSync(join(unpacked, 'SHA256SUMS'), lines.join(''));
}

function install(containerd: Containerd, ...options: string[]) {
  const line = ['--root', target, '--address', containerd.socket, ...options];
  return spawnSync(join(unpacked, 'install.sh'), line, { encoding: 'utf8' });
}

/** Returns the line of `ctr images ls` that tells of the image. */
function row(containerd: Containerd): string {
  return (
    containerd
      .ctr('images', 'ls')
      .split('\n')
      .find((line) => line.startsWith(PAUSE)) ?? ''
  );
}

/** Returns where the image's program lies unpacked. */
function programsOf({ root }: Containerd): string[] {
  const snapshots = join(root, 'io.containerd.snapshotter.v1.overlayfs/snapshots');
  return readdirSync(snapshots)
    .map((name) => join(snapshots, name, 'fs/pause'))
    .filter((path) => existsSync(path));
}

const { CI } = process.env;
const hasContainerd = existsSync('/usr/bin/containerd') && process.getuid?.() === 0;

describe.runIf(hasContainerd || CI === 'true')('install.sh with a real containerd', () => {
  beforeEach(() => {
    workplace = scratchFolder();
    unpacked = join(workplace, 'package');
    cpSync('package', unpacked, { recursive: true });
    mkdirSync(join(unpacked, 'runtime/containerd/bin'), { recursive: true });
    copyFileSync('/usr/bin/ctr', join(unpacked, 'runtime/containerd/bin/ctr'));
    writeFileSync(join(unpacked, 'install/package.env'), `ARCH=${machine}\nPAUSE_IMAGE=${PAUSE}\n`);
    target = join(workplace, 'target');
    mkdirSync(target);
  });

  it('imports images under their names and digests, pinned, once', async () => {
    await using containerd = await Containerd.start();
    const digest = writeImages();
    seal();
    expect(install(containerd).stdout).toContain('importing 1 of 1');
    expect(install(containerd).stdout).not.toContain('importing');
    const listed = row(containerd);
    expect(listed).toContain(digest);
    expect(listed).toContain('io.cri-containerd.pinned=pinned');
    expect(containerd.ctr('images', 'check')).toContain('complete');
    install(containerd, '--no-pin');
    expect(row(containerd)).toContain('io.cri-containerd.pinned=pinned');
  });

  it('imports images with the media type that they have, and mends what is known by another', async () => {
    await using containerd = await Containerd.start();
    writeImages('a program of Docker', DOCKER);
    seal();
    install(containerd);
    expect(row(containerd)).toContain(` ${DOCKER.manifest} `);
    const index = join(unpacked, 'images/index.json');
    const right = readFileSync(index, 'utf8');
    writeFileSync(index, right.replace(DOCKER.manifest, OCI.manifest));
    seal();
    expect(install(containerd).stdout).toContain('importing 1 of 1');
    expect(row(containerd)).toContain(` ${OCI.manifest} `);
    writeFileSync(index, right);
    seal();
    expect(install(containerd).stdout).toContain('importing 1 of 1');
    expect(row(containerd)).toContain(` ${DOCKER.manifest} `);
  });

  it('imports the archives of a package, and anew where the image in one is another', async () => {
    await using containerd = await Containerd.start();
    seal(writeArchive('a program in an archive'));
    expect(install(containerd).stdout).toContain('importing 1 of 1');
    expect(install(containerd).stdout).not.toContain('importing');
    rmSync(join(unpacked, 'images'), { recursive: true });
    seal(writeArchive('another program in an archive'));
    expect(install(containerd).stdout).toContain('importing 1 of 1');
    expect(containerd.ctr('images', 'check')).toMatch(/complete.*true/);
  });

  it('unpacks what an import that was cut off has left once more', async () => {
    await using containerd = await Containerd.start();
    writeImages();
    seal();
    install(containerd);
    const [cut = ''] = programsOf(containerd);
    writeFileSync(cut, '');
    writeFileSync(join(target, 'var/lib/keel/importing'), `${PAUSE}\n`);
    expect(install(containerd).stderr).toContain('an earlier import of images was interrupted');
    expect(programsOf(containerd).map((path) => readFileSync(path, 'utf8'))).toEqual([
      'a program that waits',
    ]);
  });

  it('leaves nothing of an image for which the disk has no room', async () => {
    await using containerd = await Containerd.start({ megabytes: 8 });
    writeImages(randomBytes(12_000_000));
    seal();
    const { status, stderr } = install(containerd);
    expect(status).toBe(1);
    expect(stderr).toContain('no space left on device');
    expect(stderr).toContain('free some space');
    expect(containerd.ctr('images', 'ls', '-q')).toBe('');
    expect(containerd.ctr('content', 'ls', '-q')).toBe('');
    expect(readdirSync(join(containerd.root, 'io.containerd.content.v1.content/ingest'))).toEqual([]);
    writeImages();
    seal();
    const again = install(containerd);
    expect(again).toMatchObject({ status: 0, stderr: '' });
  });
});
