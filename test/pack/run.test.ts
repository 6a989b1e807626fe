import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestHex } from '../../src/registry/oci/digest.ts';
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
      'kubeadm 1.37.1 also needs kube-apiserver, kube-controller-manager, kube-scheduler, etcd, which the package will not contain',
    ]);
    const { file, contents } = result;
    expect(file.path).toBe(join(world.folder, 'one/out', NAME));
    execFileSync('gzip', ['-t', file.path]);
    execFileSync('pigz', ['-t', file.path]);
    const names = execFileSync('tar', ['-tzf', file.path], { encoding: 'utf8' }).trim().split('\n');
    expect(names.slice(0, 6)).toEqual([
      'keel-package.json',
      'SHA256SUMS',
      'versions.json',
      'sbom.spdx.json',
      'install.sh',
      'install/',
    ]);
    expect(names).toEqual(
      expect.arrayContaining([
        'install/addons',
        'install/files',
        'install/images',
        'install/package.env',
        'install/text.sh',
      ]),
    );
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
    expect(readFileSync(join(unpacked, 'install/package.env'), 'utf8')).toContain(
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
    // By name it sees OCI's format only: how one of Docker's is copied is tested with the pages.
    for (const { name: listed, upstream, pulledBy, digest } of contents.images) {
      if (listed === 'pause') continue;
      for (const name of [upstream, pulledBy]) {
        const copy = scratchFolder();
        const from = `oci:${join(unpacked, 'images')}:${name}`;
        execFileSync('skopeo', ['--insecure-policy', 'copy', '-q', from, `dir:${copy}`]);
        const manifest = execFileSync('sha256sum', [join(copy, 'manifest.json')], { encoding: 'utf8' });
        expect(manifest.slice(0, 64), name).toBe(digestHex(digest));
      }
    }
  });

  /** Packs and returns what was packed and where it was unpacked. */
  async function unpacked(name: string, values: Record<string, string> = {}) {
    const { result, reporter } = await world.pack(values, { name });
    if (result.kind !== 'packed') throw new Error(result.kind);
    const folder = scratchFolder();
    execFileSync('tar', ['-xzf', result.file.path, '-C', folder]);
    const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
    return { ...result, reporter, folder, read };
  }

  it('packs the same again from the versions.json within a package, all of it pinned', async () => {
    world.write(world.versions());
    const first = await unpacked('first');
    const versions = join(first.folder, 'versions.json');
    const second = await unpacked('second', { 'version-config': versions });
    const parts = ({ contents }: typeof first) => ({
      images: contents.images.map(({ digest, upstream, pulledBy }) => [digest, upstream, pulledBy]),
      components: contents.components.map(({ sha256, files }) => [sha256, files]),
    });
    expect(parts(second)).toEqual(parts(first));
    expect(second.read('versions.json')).toBe(first.read('versions.json'));
    expect(second.read('images/index.json')).toBe(first.read('images/index.json'));
    const checks = [...second.contents.images, ...second.contents.components].map(({ check }) => check.kind);
    expect(new Set(checks)).toEqual(new Set(['pin']));
  });

  it('describes itself in SPDX, every part with its digest and a relation', async () => {
    world.write(world.versions());
    const { read, contents } = await unpacked('spdx');
    const sbom = JSON.parse(read('sbom.spdx.json'));
    const ids: string[] = sbom.packages.map((part: { SPDXID: string }) => part.SPDXID);
    expect(new Set(ids).size).toBe(1 + contents.images.length + contents.components.length);
    expect(ids.every((id) => /^SPDXRef-[A-Za-z0-9.-]+$/.test(id))).toBe(true);
    expect(sbom.relationships.map((row: { relatedSpdxElement: string }) => row.relatedSpdxElement)).toEqual(
      ids,
    );
    expect(sbom).toMatchObject({
      spdxVersion: 'SPDX-2.3',
      dataLicense: 'CC0-1.0',
      creationInfo: { created: '1970-01-01T00:00:00Z' },
      documentNamespace: expect.stringMatching(/^https:.*kube-1\.37\.1-amd64-[0-9a-f]{32}$/),
    });
    const sums = sbom.packages.flatMap((part: { checksums?: { checksumValue: string }[] }) =>
      (part.checksums ?? []).map(({ checksumValue }) => checksumValue),
    );
    expect(sums).toEqual(
      [
        ...contents.images.map(({ digest }) => digest),
        ...contents.components.map(({ sha256 }) => sha256),
      ].map(digestHex),
    );
  });

  it('takes a mirror that keeps an image in another format for the same image', async () => {
    const recipe = { own: [{ name: 'kept', size: 3000 }], platforms: ['linux/amd64'] };
    await world.push('maker', 'kept', 'v1', { ...recipe, form: 'docker' });
    const kept = await world.push('mirror', 'keel/kept', 'v1', { ...recipe, form: 'oci' });
    const versions = world.versions();
    versions.images.push({ name: 'kept', tag: 'v1', image: `${world.maker.host}/kept` });
    world.write(versions);
    const { contents } = await unpacked('kept');
    expect(contents.images.at(-1)).toMatchObject({
      digest: kept.children[0]?.digest,
      check: { kind: 'upstream', registry: world.maker.host },
    });
  });

  it('pulls each image from its own registry where there is no mirror', async () => {
    world.write(world.versions());
    const { contents } = await unpacked('upstream', { 'image-source': 'upstream' });
    for (const { upstream, pulledBy, check } of contents.images) {
      expect(pulledBy).toBe(upstream);
      expect(check).toEqual({ kind: 'upstream', registry: world.maker.host });
    }
  });

  it('packs for the architecture that is asked for, whatever the file says', async () => {
    world.write({ ...world.versions(), components: [] });
    const { contents } = await unpacked('arm', { arch: 'arm64', beta: 'true' });
    expect(contents.package).toBe('kube-1.37.1-arm64-beta.tar.gz');
    expect(contents.images.map(({ digest }) => digest)).toEqual(
      ['kube-proxy', 'coredns', 'pause'].map((name) => world.manifest(name, 1)),
    );
  });

  it('puts files of a folder into the package, in place of ours where they have the same name', async () => {
    world.write(world.versions());
    const overlay = scratchFolder();
    mkdirSync(join(overlay, 'kubernetes/conf'), { recursive: true });
    writeFileSync(join(overlay, 'kubernetes/conf/sysctl.conf'), 'vm.swappiness = 0\n');
    writeFileSync(join(overlay, 'motd.tmpl'), 'Kubernetes {{.KubernetesVersion}} for {{.Arch}}\n');
    const { read, contents } = await unpacked('overlay', { package: overlay });
    expect(read('kubernetes/conf/sysctl.conf')).toBe('vm.swappiness = 0\n');
    expect(read('motd')).toBe('Kubernetes 1.37.1 for amd64\n');
    expect(contents.files.map(({ path }) => path)).toEqual(expect.arrayContaining(['install.sh', 'motd']));
  });

  it.each([
    ['', []],
    [', from a disk that keeps no mode bits', ['-exec', 'chmod', '0644', '{}', '+']],
    [', from a disk where everything has all of them', ['-exec', 'chmod', '0777', '{}', '+']],
  ])('installs with what it brought along%s', async (manner, change) => {
    world.write(world.versions());
    const { folder } = await unpacked(`installed${manner.length}`);
    execFileSync('find', [folder, '-type', 'f', ...change]);
    const root = scratchFolder();
    const said = execFileSync('sh', [join(folder, 'install.sh'), '--root', root, '--skip-images'], {
      encoding: 'utf8',
    });
    const modes = execFileSync('find', ['usr', 'opt', 'etc', '-type', 'f', '-printf', '%m %p\\n'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(modes.trim().split('\n').toSorted()).toEqual([
      '644 etc/containerd/config.toml',
      '644 etc/crictl.yaml',
      '644 etc/modules-load.d/keel-kubernetes.conf',
      '644 etc/sysctl.d/99-zz-keel-kubernetes.conf',
      '644 etc/systemd/system/containerd.service',
      '644 etc/systemd/system/kubelet.service',
      '644 etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
      '755 opt/cni/bin/bridge',
      '755 opt/cni/bin/loopback',
      '755 usr/local/bin/containerd',
      '755 usr/local/bin/ctr',
      '755 usr/local/bin/kubelet',
    ]);
    expect(said).toMatch(/^verified \d+ files/);
    expect(readFileSync(join(root, 'usr/local/bin/kubelet')).equals(program('kubelet'))).toBe(true);
    expect(readFileSync(join(root, 'opt/cni/bin/bridge')).equals(program('bridge'))).toBe(true);
    expect(readFileSync(join(root, 'etc/containerd/config.toml'), 'utf8')).toContain(
      `${world.maker.host}/pause:3.10.2`,
    );
  });
});
