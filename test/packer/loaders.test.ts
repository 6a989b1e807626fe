import { execFileSync, execSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PackWorld } from '../pack/pack-world.ts';
import { Containerd } from '../support/containerd.ts';
import { describeWith } from '../support/programs.ts';

/** Containerd and podman want root, as on the machines that packages are for. */
const asRoot = it.runIf(process.getuid?.() === 0 || process.env['CI'] === 'true');

describeWith(['docker-registry', 'containerd', 'ctr', 'podman'], 'the images of a package', () => {
  let world: PackWorld;

  beforeAll(async () => {
    world = await PackWorld.start();
    world.write(world.versions());
  });
  afterAll(() => world[Symbol.asyncDispose]());

  async function unpacked(name: string, values: Record<string, string> = {}): Promise<string> {
    const { result } = await world.pack(values, { name });
    if (result.kind !== 'packed') throw new Error(result.kind);
    const folder = join(world.folder, name, 'unpacked');
    mkdirSync(folder);
    execFileSync('tar', ['-xzf', result.file.path, '-C', folder]);
    return folder;
  }

  asRoot('are imported by containerd with their digests', async () => {
    const folder = await unpacked('containerd');
    await using containerd = await Containerd.start();
    execSync(`tar -C images -cf - . | ctr --address ${containerd.socket} -n k8s.io images import -`, {
      cwd: folder,
      stdio: 'pipe',
    });
    const listed = containerd.ctr('images', 'ls');
    for (const [name, path] of [
      ['kube-proxy', 'kube-proxy:v1.37.1'],
      ['coredns', 'coredns/coredns:v1.14.6'],
      ['pause', 'pause:3.10.2'],
    ] as const) {
      const row = listed.split('\n').find((line) => line.startsWith(`${world.maker.host}/${path} `));
      expect(row, listed).toContain(world.manifest(name));
    }
    expect(containerd.ctr('images', 'check')).not.toContain('incomplete');
  });

  asRoot.each(['oci', 'docker-archive'])('are loaded by podman from %s', async (format) => {
    const folder = await unpacked(`podman-${format}`, { 'image-format': format });
    const storage = join(world.folder, `podman-${format}`);
    const podman = [
      '--root',
      join(storage, 'root'),
      '--runroot',
      join(storage, 'run'),
      '--storage-driver',
      'vfs',
    ];
    const load = `podman ${podman.join(' ')} load`;
    if (format === 'oci')
      execSync(`tar -C images -cf ../images.tar . && ${load} -i ../images.tar`, {
        cwd: folder,
        stdio: 'pipe',
      });
    else execSync(`for file in images/*.tar; do ${load} -i "$file"; done`, { cwd: folder, stdio: 'pipe' });
    const listed = execFileSync('podman', [...podman, 'images', '--format', '{{.Repository}}:{{.Tag}}'], {
      encoding: 'utf8',
    });
    for (const host of [`${world.maker.host}`, `${world.mirror.host}/keel`]) {
      for (const path of ['kube-proxy:v1.37.1', 'coredns/coredns:v1.14.6', 'pause:3.10.2']) {
        expect(listed.split('\n')).toContain(`${host}/${path}`);
      }
    }
  });
});
