import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Digest, digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { Containerd } from '../support/containerd.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const PAUSE = 'registry.k8s.io/pause:3.10.2';
const machine = process.arch === 'x64' ? 'amd64' : process.arch;

let workplace: string;
let unpacked: string;
let containerd: Containerd;

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

/** Writes a layout with one image of one layer and returns the digest of its manifest. */
function writeImages(): Digest {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'pause'), 'a program that waits');
  const tar = execFileSync('tar', ['-cf', '-', '-C', folder, 'pause']);
  const layer = blob('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(tar));
  const config = blob(
    'application/vnd.oci.image.config.v1+json',
    json({
      architecture: machine,
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    }),
  );
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = blob(mediaType, json({ schemaVersion: 2, mediaType, config, layers: [layer] }));
  const annotations = { 'io.containerd.image.name': PAUSE, 'org.opencontainers.image.ref.name': PAUSE };
  writeFileSync(
    join(unpacked, 'images/index.json'),
    json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  writeFileSync(join(unpacked, 'images/oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  return manifest.digest;
}

function seal(): void {
  const files = readdirSync(unpacked, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(unpacked, path)).isFile(),
  );
  const lines = files.map((path) => `${digestHex(digestOf(readFileSync(join(unpacked, path))))}  ${path}\n`);
  writeFileSync(join(unpacked, 'SHA256SUMS'), lines.join(''));
}

const { CI } = process.env;
const hasContainerd = existsSync('/usr/bin/containerd') && process.getuid?.() === 0;

describe.runIf(hasContainerd || CI === 'true')('install.sh with a real containerd', () => {
  beforeEach(async () => {
    workplace = scratchFolder();
    unpacked = join(workplace, 'package');
    cpSync('package', unpacked, { recursive: true });
    mkdirSync(join(unpacked, 'runtime/containerd/bin'), { recursive: true });
    copyFileSync('/usr/bin/ctr', join(unpacked, 'runtime/containerd/bin/ctr'));
    writeFileSync(join(unpacked, 'kubernetes/conf/package.env'), `ARCH=${machine}\nPAUSE_IMAGE=${PAUSE}\n`);
    containerd = await Containerd.start();
  });

  afterEach(() => containerd[Symbol.asyncDispose]());

  it('imports images under their names and digests, pinned, twice', () => {
    const digest = writeImages();
    seal();
    const target = join(workplace, 'target');
    mkdirSync(target);
    for (const run of ['first', 'second']) {
      const said = execFileSync(
        join(unpacked, 'install.sh'),
        ['--root', target, '--address', containerd.socket],
        {
          encoding: 'utf8',
        },
      );
      expect(said, run).toContain('1 images are there');
    }
    const [, listed] = containerd.ctr('images', 'ls').trim().split('\n');
    expect(listed).toContain(PAUSE);
    expect(listed).toContain(digest);
    expect(listed).toContain('io.cri-containerd.pinned=pinned');
    expect(containerd.ctr('images', 'check')).toContain('complete');
  });
});
