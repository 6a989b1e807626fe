import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestHex } from '../../src/registry/digest.ts';
import { describeWith } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { PackWorld, program } from './pack-world.ts';

const NAME = 'kube-1.37.1-amd64.tar.gz';

describeWith(['docker-registry', 'skopeo', 'pigz'], 'packing', () => {
  let world: PackWorld;

  beforeAll(async () => {
    world = await PackWorld.start();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it('makes a package that tar, gzip, pigz, sha256sum and skopeo accept', async () => {
    world.write(world.versions());
    const { result, reporter } = await world.pack();
    if (result.kind !== 'packed') throw new Error(result.kind);
    expect(reporter.warnings).toEqual([
      'kubeadm 1.37.1 also wants kube-apiserver, kube-controller-manager, kube-scheduler, etcd, which the package will not have',
    ]);
    const { file, contents } = result;
    expect(file.path).toBe(join(world.folder, 'one/out', NAME));
    execFileSync('gzip', ['-t', file.path]);
    execFileSync('pigz', ['-t', file.path]);
    const names = execFileSync('tar', ['-tzf', file.path], { encoding: 'utf8' }).trim().split('\n');
    expect(names.slice(0, 5)).toEqual([
      'keel-package.json',
      'SHA256SUMS',
      'versions.json',
      'sbom.spdx.json',
      'install.sh',
    ]);
    const unpacked = scratchFolder();
    execFileSync('tar', ['-xzf', file.path, '-C', unpacked]);
    execFileSync('sha256sum', ['-c', '--quiet', '--strict', 'SHA256SUMS'], { cwd: unpacked });
    const summed = readFileSync(join(unpacked, 'SHA256SUMS'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.slice(66));
    const files = readdirSync(unpacked, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(unpacked.length + 1));
    expect(summed.toSorted()).toEqual(files.filter((path) => path !== 'SHA256SUMS').toSorted());
    expect(readFileSync(join(unpacked, 'kubernetes/bin/kubelet')).equals(program('kubelet'))).toBe(true);
    expect(readFileSync(join(unpacked, 'kubernetes/conf/package.env'), 'utf8')).toContain(
      `PAUSE_IMAGE=${world.maker.host}/pause:3.10.2`,
    );
    expect(contents.images.map(({ name, check, digest }) => [name, check, digest])).toEqual(
      ['kube-proxy', 'coredns', 'pause'].map((name) => [
        name,
        { kind: 'upstream', registry: world.maker.host },
        world.manifest(name),
      ]),
    );
    expect(contents.components.map(({ check }) => check.kind)).toEqual([
      'published',
      'published',
      'published',
    ]);
    for (const { upstream, pulledBy, digest } of contents.images) {
      for (const name of [upstream, pulledBy]) {
        const copy = scratchFolder();
        execFileSync('skopeo', [
          '--insecure-policy',
          'copy',
          '-q',
          `oci:${join(unpacked, 'images')}:${name}`,
          `dir:${copy}`,
        ]);
        const manifest = execFileSync('sha256sum', [join(copy, 'manifest.json')], { encoding: 'utf8' });
        expect(manifest.slice(0, 64), name).toBe(digestHex(digest));
      }
    }
  });
});
