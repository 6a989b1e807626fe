import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { describeWith } from '../support/programs.ts';
import { treeOf, UnpackedPackage, writeFile } from '../support/unpacked-package.ts';

let pack: UnpackedPackage;
let root: string;

/** Puts programs in front of those of this machine. Each is a script that gets `rest` to go on as the real one. */
function stand(name: string, script: string): Record<string, string> {
  const bin = join(pack.workplace, 'bin');
  writeFile(join(bin, name), `#!/bin/sh\n${script}\nexec /usr/bin/${name} "$@"\n`, 0o755);
  return { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
}

beforeEach(() => {
  pack = new UnpackedPackage();
  root = pack.root;
  writeFile(join(root, 'usr/local/bin/containerd'), 'an older containerd', 0o700);
  writeFile(join(root, 'etc/crictl.yaml'), 'mine', 0o600);
  mkdirSync(join(root, 'etc/containerd'));
  symlinkSync('../crictl.yaml', join(root, 'etc/containerd/config.toml'));
});

describe('install.sh --uninstall', () => {
  it('leaves the machine as it was before the first of several installations', () => {
    const before = treeOf(root);
    pack.install(['--bridge-network']);
    pack.write('kubernetes/bin/kubelet', 'a newer kubelet', 0o755);
    pack.write('runtime/containerd/conf/config.toml', 'version = 3 # newer\n');
    pack.seal();
    expect(pack.install().status).toBe(0);
    const { status, stderr } = pack.install(['--uninstall']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(treeOf(root)).toEqual(before);
  });

  it('works where the package is gone, from what was kept on the machine', () => {
    const before = treeOf(root);
    pack.install();
    rmSync(pack.folder, { recursive: true });
    const kept = join(root, 'var/lib/keel/install/install.sh');
    const { status, stderr } = spawnSync(kept, ['--root', root, '--uninstall'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(treeOf(root)).toEqual(before);
  });

  it('keeps what was changed since it was placed, and names it with the copy of before', () => {
    pack.install();
    const config = join(root, 'etc/crictl.yaml');
    writeFileSync(config, 'changed');
    writeFileSync(join(root, 'usr/local/bin/kubelet'), 'my own');
    writeFileSync(join(root, 'opt/cni/bin/flannel'), 'of a pod');
    const { status, stderr } = pack.install(['--uninstall']);
    expect(status).toBe(0);
    expect(stderr).toContain(`${config}, which was changed after installation; the earlier file is`);
    expect(stderr).toContain(`the earlier file is ${config}.before-keel`);
    expect(stderr).toContain('kubelet, which was changed after installation');
    expect(readFileSync(`${config}.before-keel`, 'utf8')).toBe('mine');
    expect(existsSync(join(root, 'opt/cni/bin/bridge'))).toBe(false);
    expect(existsSync(join(root, 'opt/cni/bin/flannel'))).toBe(true);
    expect(existsSync(join(root, 'var'))).toBe(false);
  });

  it('only tells what it would do with --dry-run', () => {
    pack.install();
    writeFileSync(join(root, 'usr/local/bin/kubelet'), 'my own');
    const before = treeOf(root);
    const { status, stdout } = pack.install(['--uninstall', '--dry-run']);
    expect(status).toBe(0);
    const [, ...lines] = stdout.trimEnd().split('\n');
    expect(lines).toContain(`restore    ${root}/etc/crictl.yaml from ${root}/etc/crictl.yaml.before-keel`);
    expect(lines).toContain(`remove     ${root}/opt/cni/bin/bridge`);
    expect(lines).toContain(`remove     ${root}/opt/cni/bin, if it is empty`);
    expect(lines).toContain(`keep       ${root}/usr/local/bin/kubelet, changed after installation`);
    expect(lines.at(-1)).toBe('nothing was changed');
    expect(treeOf(root)).toEqual(before);
  });

  it('says that there is nothing where nothing was installed, or all is taken back already', () => {
    const before = treeOf(root);
    for (const step of ['before', 'after']) {
      const { status, stdout } = pack.install(['--uninstall']);
      expect(status, step).toBe(0);
      expect(stdout, step).toContain('there is nothing to undo');
      expect(treeOf(root), step).toEqual(before);
      if (step === 'after') break;
      pack.install();
      pack.install(['--uninstall']);
    }
  });

  it.each(['kubelet.conf', 'admin.conf', 'manifests/etcd.yaml'])(
    'refuses on a machine of a cluster, as it has %s',
    (file) => {
      pack.install();
      writeFile(join(root, 'etc/kubernetes', file), '');
      const before = treeOf(root);
      const { status, stderr } = pack.install(['--uninstall']);
      expect(status).toBe(1);
      expect(stderr).toContain('part of a cluster; nothing was changed');
      expect(stderr).toContain('--reset');
      expect(treeOf(root)).toEqual(before);
    },
  );

  it.each([
    'usr/local/bin/kubelet',
    'usr/local/bin/containerd.before-keel',
    'var/lib/keel/undo',
    'var/lib/keel/files',
  ])('goes on where it was cut off: at the removal of %s', (path) => {
    const before = treeOf(root);
    pack.install();
    const environment = stand('rm', `case "$*" in *"${path}") kill -9 $PPID; exit 1 ;; esac`);
    expect(pack.install(['--uninstall'], { environment }).status).not.toBe(0);
    expect(pack.install(['--uninstall']).status).toBe(0);
    expect(treeOf(root)).toEqual(before);
  });

  it('tries all, and says what is left: a file that cannot be put back', () => {
    const before = treeOf(root);
    pack.install();
    const environment = stand('mv', 'case "$*" in *crictl.yaml.before-keel*) exit 1 ;; esac');
    const { status, stderr } = pack.install(['--uninstall'], { environment });
    expect(status).toBe(1);
    expect(stderr).toContain(
      'could not be undone: old /etc/crictl.yaml; the earlier file is /etc/crictl.yaml.before-keel',
    );
    expect(existsSync(join(root, 'usr/local/bin/kubelet'))).toBe(false);
    expect(readFileSync(join(root, 'usr/local/bin/containerd'), 'utf8')).toBe('an older containerd');
    expect(pack.install(['--uninstall']).status).toBe(0);
    expect(treeOf(root)).toEqual(before);
  });

  it('removes the images that it brought, and no others', () => {
    writeFileSync(join(pack.state, 'images'), '');
    pack.install(['--address', '/run/test.sock']);
    const { status, stderr } = pack.install(['--address', '/run/test.sock', '--uninstall']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readFileSync(join(pack.state, 'calls'), 'utf8')).toContain(
      'images rm registry.k8s.io/pause:3.10.2',
    );
  });

  it.each(['/../outside', 'etc/outside', '/etc/../../outside'])(
    'follows no notes of a tree that lead out of it: %s',
    (name) => {
      pack.install();
      writeFileSync(join(pack.workplace, 'outside'), 'not ours');
      writeFileSync(join(root, 'var/lib/keel/undo'), `new\t${name}\n`);
      const { status, stderr } = pack.install(['--uninstall']);
      expect(status).toBe(1);
      expect(stderr).toContain(`contains ${name}, which is not a valid path`);
      expect(readFileSync(join(pack.workplace, 'outside'), 'utf8')).toBe('not ours');
    },
  );
});

describeWith(['dash', 'bash', 'busybox', 'mksh', 'yash'], 'install.sh --uninstall in other shells', () => {
  it.each(['dash', 'bash', 'bash --posix', 'busybox sh', 'mksh', 'yash'])('%s', (command) => {
    const circumstances = { before: command.split(' ') };
    const before = treeOf(root);
    expect(pack.install([], circumstances)).toMatchObject({ status: 0, stderr: '' });
    expect(pack.install(['--uninstall'], circumstances)).toMatchObject({ status: 0, stderr: '' });
    expect(treeOf(root)).toEqual(before);
  });
});
