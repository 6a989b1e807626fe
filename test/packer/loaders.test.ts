import { exec, execFileSync, execSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findImages } from '../../src/config/images/image-finder.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';
import { PackWorld } from '../pack/pack-world.ts';
import { Containerd } from '../support/containerd.ts';
import { snippetsOf } from '../support/markdown-page.ts';
import { describeWith } from '../support/programs.ts';
import { inspectManifest } from '../support/skopeo.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';

/** Returns the images that `synctl images` finds in what a program printed. */
function namesIn(printed: string): string[] {
  const { images, refused } = findImages('standard input', Buffer.from(printed));
  expect(refused).toEqual([]);
  return images.map(({ reference }) => formatReference(reference));
}

/** Containerd and podman want root, as on the machines that packages are for. */
const asRoot = it.runIf(process.getuid?.() === 0 || process.env['CI'] === 'true');

describeWith(['docker-registry', 'containerd', 'ctr', 'podman', 'skopeo'], 'the images of a package', () => {
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
    expect(namesIn(listed)).toContain(`${world.maker.host}/pause:3.10.2`);
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
    const table = execFileSync('podman', [...podman, 'images'], { encoding: 'utf8' });
    expect(namesIn(table).sort()).toEqual(listed.trim().split('\n').sort());
  });

  it.each([
    ['coredns', 'oci:images:registry.k8s.io/pause:3.10.2'],
    ['pause', 'cp image/DIGEST image/manifest.json'],
  ])('are copied by skopeo as docs/pack.md says, digest unchanged: %s', async (name, line) => {
    const folder = await unpacked(`skopeo-${name}`);
    const shown = snippetsOf('docs/pack.md').find(({ text }) => text.includes(line))?.text ?? '';
    const upstream = `${world.maker.host}/${name === 'pause' ? 'pause:3.10.2' : 'coredns/coredns:v1.14.6'}`;
    const { host, login } = world.mirror;
    const { username, password } = login ?? { username: '', password: '' };
    const to = `${host}/copies/${name}:1`;
    const commands = shown
      .split('\n')
      .filter((command) => !command.startsWith('tar '))
      .join('\n')
      .replace('oci:images:registry.k8s.io/pause:3.10.2', `oci:images:${upstream}`)
      .replace('DIGEST', world.manifest(name)?.replace('sha256:', '') ?? '')
      .replace(
        'skopeo copy',
        `skopeo --insecure-policy copy -q --preserve-digests --dest-creds ${username}:${password}`,
      )
      .replace(/docker:\/\/\S+/, `docker://${to}`);
    // Its tokens come from this process.
    await promisify(exec)(commands, { cwd: folder, env: { ...process.env, SSL_CERT_FILE: AUTHORITY_FILE } });
    expect((await inspectManifest({ reference: to, login })).digest).toBe(world.manifest(name));
  });
});
