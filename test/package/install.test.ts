import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { PAUSE, treeOf, UnpackedPackage, writeFile as write } from '../support/unpacked-package.ts';

const HEX = 'a1'.repeat(32);

let pack: UnpackedPackage;
let workplace: string;
let unpacked: string;
let root: string;
let state: string;

function seal(): void {
  pack.seal();
}

function addLine(line: string): void {
  pack.addLine(line);
}

/** Writes a program beside the package, and adds it to the list with its true checksum. */
function addOutside(nameFor: (file: string) => string): void {
  const file = join(workplace, 'outside');
  write(file, 'evil', 0o755);
  pack.list(nameFor(file), 'evil');
}

function install(options: string[] = [], environment: Record<string, string> = {}) {
  return pack.install(options, { environment });
}

beforeEach(() => {
  pack = new UnpackedPackage();
  ({ workplace, folder: unpacked, root, state } = pack);
});

describe('install.sh', () => {
  it('places programs and configuration, and nothing else', () => {
    const { status, stdout, stderr } = install();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('11 files placed, 0 unchanged');
    const files = Object.entries(treeOf(root)).filter(
      ([path, content]) => content !== 'folder' && !path.startsWith('var/lib/keel/install/'),
    );
    expect(files.map(([path, content]) => `${content.slice(0, 3)} ${path}`)).toEqual([
      '644 etc/containerd/config.toml',
      '644 etc/crictl.yaml',
      '644 etc/modules-load.d/keel-kubernetes.conf',
      '644 etc/sysctl.d/99-zz-keel-kubernetes.conf',
      '644 etc/systemd/system/containerd.service',
      '644 etc/systemd/system/kubelet.service',
      '644 etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
      '755 opt/cni/bin/bridge',
      '755 usr/local/bin/containerd',
      '755 usr/local/bin/ctr',
      '755 usr/local/bin/kubelet',
      '644 var/lib/keel/files',
      '644 var/lib/keel/undo',
      '644 var/lib/keel/version',
    ]);
    expect(readdirSync(workplace).sort()).toEqual(['my package', 'state', 'the root']);
  });

  it('is led astray by no variable that programs take options from', () => {
    const environment = { POSIXLY_CORRECT: '1', GREP_OPTIONS: '-v', TAR_OPTIONS: '--bad' };
    expect(pack.install(['--skip-images'], { environment })).toMatchObject({ status: 0, stderr: '' });
    expect(pack.install(['--uninstall'], { environment })).toMatchObject({ status: 0, stderr: '' });
  });

  it('changes nothing when it runs again', () => {
    install();
    const before = treeOf(root);
    const { status, stdout } = install();
    expect(status).toBe(0);
    expect(stdout).toContain('0 files placed');
    expect(treeOf(root)).toEqual(before);
  });

  it('replaces what a person wrote before the first installation, and keeps a copy', () => {
    const config = join(root, 'etc/containerd/config.toml');
    write(config, 'mine');
    expect(install().stdout).toContain(`kept   ${config}.before-keel`);
    expect(readFileSync(config, 'utf8')).toBe('version = 3\n');
    expect(readFileSync(`${config}.before-keel`, 'utf8')).toBe('mine');
  });

  it('keeps configuration that a person changed since it was placed, and says so', () => {
    install();
    const config = join(root, 'etc/containerd/config.toml');
    writeFileSync(config, 'mine');
    expect(install(['--dry-run']).stdout).toContain(`keep       ${config}, changed after installation`);
    for (const run of ['second', 'third']) {
      const { status, stderr } = install();
      expect(status, run).toBe(0);
      expect(stderr, run).toContain(`keeping ${config}, which was changed after installation`);
      expect(readFileSync(config, 'utf8'), run).toBe('mine');
      expect(readFileSync(`${config}.keel-new`, 'utf8'), run).toBe('version = 3\n');
    }
    expect(readdirSync(join(root, 'etc/containerd'))).toEqual(['config.toml', 'config.toml.keel-new']);
  });

  it('replaces configuration of its own by that of another package, without copies', () => {
    install();
    write(join(unpacked, 'runtime/containerd/conf/config.toml'), 'version = 3 # newer\n');
    seal();
    expect(install()).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(root, 'etc/containerd/config.toml'), 'utf8')).toBe('version = 3 # newer\n');
    expect(readdirSync(join(root, 'etc/containerd'))).toEqual(['config.toml']);
  });

  it.each(['usr/local/bin/kubelet', 'etc/systemd/system/kubelet.service'])(
    'replaces a program or unit that was changed since it was placed, and keeps a copy: %s',
    (path) => {
      install();
      const wanted = readFileSync(join(root, path), 'utf8');
      writeFileSync(join(root, path), 'other');
      expect(install()).toMatchObject({ status: 0, stderr: '' });
      expect(readFileSync(join(root, path), 'utf8')).toBe(wanted);
      expect(readFileSync(join(root, `${path}.before-keel`), 'utf8')).toBe('other');
    },
  );

  it('mends the mode of a file that it placed, without copies', () => {
    install();
    chmodSync(join(root, 'usr/local/bin/kubelet'), 0o600);
    expect(install().stdout).toContain('1 file placed');
    expect(statSync(join(root, 'usr/local/bin/kubelet')).mode & 0o777).toBe(0o755);
    expect(readdirSync(join(root, 'usr/local/bin'))).toEqual(['containerd', 'ctr', 'kubelet']);
  });

  it.each<[string, () => void, string]>([
    [
      'a changed file',
      () => write(join(unpacked, 'kubernetes/bin/kubelet'), 'evil', 0o755),
      'kubernetes/bin/kubelet: FAILED',
    ],
    ['a changed image', () => write(join(unpacked, 'images/index.json'), '{}'), 'images/index.json: FAILED'],
    ['no list', () => writeFileSync(join(unpacked, 'SHA256SUMS'), ''), 'is not in SHA256SUMS'],
    ['a line that is malformed', () => addLine('nonsense'), 'of SHA256SUMS is not for a file'],
    [
      'lines that end as on Windows',
      () => addLine(`${HEX}  install.sh\r`),
      'of SHA256SUMS is not for a file',
    ],
    ['a line with no name', () => addLine(`${HEX}  `), 'of SHA256SUMS is not for a file'],
    ['a line whose name is escaped', () => addLine(`\\${HEX}  a\\nb`), 'of SHA256SUMS is not for a file'],
    ['an absolute name in the list', () => addOutside((file) => file), 'of SHA256SUMS is not for a file'],
    [
      'a name in the list that leads out',
      () => addOutside(() => '../outside'),
      'is not for a file of this package',
    ],
    [
      'a name in the list that leads out from within',
      () => addOutside(() => 'kubernetes/../../outside'),
      'is not for a file of this package',
    ],
    [
      'a link to a program outside',
      () => {
        addOutside(() => 'kubernetes/bin/linked');
        symlinkSync('../../../outside', join(unpacked, 'kubernetes/bin/linked'));
      },
      'kubernetes/bin/linked is neither a file nor a folder',
    ],
    [
      'a link to a folder outside',
      () => {
        renameSync(join(unpacked, 'kubernetes'), join(workplace, 'elsewhere'));
        symlinkSync('../elsewhere', join(unpacked, 'kubernetes'));
      },
      'kubernetes is neither a file nor a folder',
    ],
    [
      'a file that is missing',
      () => rmSync(join(unpacked, 'kubernetes/cni/bridge')),
      'the package is damaged',
    ],
    [
      'an image that is not in the list',
      () => write(join(unpacked, 'images/manifest.json'), '[]'),
      'images/manifest.json is not in SHA256SUMS',
    ],
    [
      'a program whose name holds that of another',
      () => write(join(unpacked, 'kubernetes/bin/kubelet\nx'), 'evil', 0o755),
      'x is not in SHA256SUMS',
    ],
    [
      'a name with a tab',
      () => write(join(unpacked, 'kubernetes/bin/a\tb'), 'evil', 0o755),
      'kubernetes/bin/a?b is not in SHA256SUMS',
    ],
    [
      'a program that is not in the list',
      () => write(join(unpacked, 'kubernetes/bin/extra'), 'evil', 0o755),
      'kubernetes/bin/extra is not in SHA256SUMS',
    ],
  ])('changes nothing with %s', (_, damage, message) => {
    damage();
    const { status, stderr } = install();
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(readdirSync(root)).toEqual([]);
  });

  it('puts everything back when placing fails in the middle', () => {
    write(join(root, 'usr/local/bin/containerd'), 'an older containerd', 0o700);
    write(join(root, 'etc/crictl.yaml'), 'mine', 0o600);
    write(
      join(workplace, 'bin/mv'),
      '#!/bin/sh\ncase "$*" in *.service.keel-part*) exit 1 ;; esac\nexec /bin/mv "$@"\n',
      0o755,
    );
    const before = treeOf(root);
    const { status, stdout, stderr } = install([], { PATH: `${workplace}/bin:${process.env['PATH'] ?? ''}` });
    expect(status).toBe(1);
    expect(stdout).toContain('placed ');
    expect(stderr).toContain('install.sh: cannot replace ');
    expect(stderr).toContain('a step failed; restoring the previous state');
    expect(stderr).toContain('the previous files are restored');
    expect(treeOf(root)).toEqual(before);
    expect(readdirSync(workplace).sort()).toEqual(['bin', 'my package', 'state', 'the root']);
  });

  it('places nothing where one of the places is a folder', () => {
    mkdirSync(join(root, 'etc/systemd/system/kubelet.service'), { recursive: true });
    const before = treeOf(root);
    const { status, stdout, stderr } = install();
    expect(status).toBe(1);
    expect(stdout).toMatch(/^verified \d+ files\n$/);
    expect(stderr).toMatch(
      /^install\.sh: \S.*kubelet\.service is a folder where a file belongs; remove it first\n$/,
    );
    expect(treeOf(root)).toEqual(before);
  });

  it('puts everything back when images cannot be imported', () => {
    const { status, stderr } = install(['--address', '/run/test.sock'], { KEEL_TEST_CTR: 'broken' });
    expect(status).toBe(1);
    expect(stderr).toContain('no space left');
    expect(stderr).toContain(`not imported: ${PAUSE}`);
    expect(readdirSync(root)).toEqual([]);
  });

  it('leaves images alone with --skip-images', () => {
    const { status, stdout } = install(['--address', '/run/test.sock', '--skip-images']);
    expect(status).toBe(0);
    expect(stdout).toContain('images were not imported');
    expect(existsSync(join(state, 'calls'))).toBe(false);
  });

  it('only tells what it would do with --dry-run', () => {
    write(join(root, 'etc/crictl.yaml'), 'mine');
    const before = treeOf(root);
    const { status, stdout } = install(['--dry-run', '--address', '/run/test.sock']);
    expect(status).toBe(0);
    expect(stdout).toContain(`place      ${root}/usr/local/bin/kubelet`);
    expect(stdout).toContain(`replace    ${root}/etc/crictl.yaml`);
    expect(stdout).toContain(`import     ${PAUSE}`);
    expect(stdout.trimEnd().endsWith('nothing was changed')).toBe(true);
    expect(treeOf(root)).toEqual(before);
  });

  it('installs the bridge network only when told', () => {
    install();
    expect(existsSync(join(root, 'etc/cni'))).toBe(false);
    install(['--bridge-network']);
    expect(existsSync(join(root, 'etc/cni/net.d/10-bridge.conflist'))).toBe(true);
  });

  it('does not follow a link out of the tree that it installs into', () => {
    const outside = join(workplace, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(root, 'etc'));
    const { status, stderr } = install();
    expect(status).toBe(1);
    expect(stderr).toContain('which is outside');
    expect(readdirSync(outside)).toEqual([]);
    expect(readdirSync(root)).toEqual(['etc']);
  });

  it('makes no folder behind a link that leads out of the tree', () => {
    const outside = join(workplace, 'outside');
    mkdirSync(join(outside, 'conf'), { recursive: true });
    mkdirSync(join(root, 'etc'));
    symlinkSync(join(outside, 'conf'), join(root, 'etc/systemd'));
    const { status, stderr } = install();
    expect(status).toBe(1);
    expect(stderr).toContain('/etc/systemd points to');
    expect(readdirSync(outside, { recursive: true })).toEqual(['conf']);
    expect(readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()).toEqual(['etc', 'etc/systemd']);
  });

  it('replaces links at its places, and writes through none', () => {
    const outside = join(workplace, 'outside');
    write(outside, 'not ours');
    mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
    mkdirSync(join(root, 'etc'));
    for (const path of ['usr/local/bin/kubelet', 'usr/local/bin/ctr.keel-new', 'etc/crictl.yaml'])
      symlinkSync(outside, join(root, path));
    symlinkSync(join(workplace, 'nowhere'), join(root, 'etc/crictl.yaml.before-keel'));
    const { status, stderr } = install();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readFileSync(outside, 'utf8')).toBe('not ours');
    expect(existsSync(join(workplace, 'nowhere'))).toBe(false);
    expect(readFileSync(join(root, 'usr/local/bin/kubelet'), 'utf8')).toBe('kubelet');
    expect(lstatSync(join(root, 'usr/local/bin/kubelet')).isFile()).toBe(true);
    expect(readlinkSync(join(root, 'etc/crictl.yaml.before-keel.2'))).toBe(outside);
  });

  it('puts links back when placing fails', () => {
    const outside = join(workplace, 'outside');
    write(outside, 'not ours');
    mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
    symlinkSync(outside, join(root, 'usr/local/bin/containerd'));
    mkdirSync(join(root, 'etc/systemd/system/kubelet.service'), { recursive: true });
    expect(install().status).toBe(1);
    expect(readlinkSync(join(root, 'usr/local/bin/containerd'))).toBe(outside);
    expect(readFileSync(outside, 'utf8')).toBe('not ours');
  });

  it('puts nothing into a folder that a link leads to', () => {
    const outside = join(workplace, 'outside');
    mkdirSync(outside);
    mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
    symlinkSync(outside, join(root, 'usr/local/bin/kubelet'));
    const { status, stderr } = install();
    expect(status).toBe(1);
    expect(stderr).toContain('kubelet is a folder where a file belongs; remove it first');
    expect(readdirSync(outside)).toEqual([]);
  });

  it('takes names with spaces, quotes and what a shell would run', () => {
    const odd = 'a b "q\' $(touch x) `touch y` *';
    write(join(unpacked, 'kubernetes/bin', odd), 'odd', 0o755);
    write(join(unpacked, 'kubernetes/bin/-rf'), 'dash', 0o755);
    seal();
    const { status, stderr } = install();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readdirSync(join(root, 'usr/local/bin'))).toEqual(['-rf', odd, 'containerd', 'ctr', 'kubelet']);
  });

  it.each([
    [['--help'], 0, 'Usage: ./install.sh [options]'],
    [['--nonsense'], 1, 'unknown option: --nonsense'],
    [['--address'], 1, '--address needs a value'],
    [['--reset'], 1, '--reset requires --uninstall'],
    [['--config', '--init'], 1, '--config --init requires --init or --join'],
    [['--node-ip', '10.0.0.1'], 1, '--node-ip 10.0.0.1 requires --init or --join'],
    [['--check', '--config', '/nowhere'], 1, '--config /nowhere is not a readable file'],
    [['--check', '--config', '/'], 1, '--config / is not a readable file'],
    [['--root', '/nowhere/at/all'], 1, 'no such folder'],
  ])('answers %j', (options, status, text) => {
    const result = install(options);
    expect(result.status).toBe(status);
    expect(result.stdout + result.stderr).toContain(text);
    expect(readdirSync(root)).toEqual([]);
  });

  it('is refused for another machine unless it goes into a tree', () => {
    write(join(unpacked, 'install/package.env'), 'ARCH=s390x\n');
    seal();
    expect(install().stdout).toContain('note: the package is for s390x');
    const { status, stderr } = spawnSync(join(unpacked, 'install.sh'), ['--dry-run'], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('this package is for s390x');
  });

  it('defines no function of its library twice, of which the later would be called for both', () => {
    const files = readdirSync('package/install').map((name) =>
      readFileSync(`package/install/${name}`, 'utf8'),
    );
    const names = files.flatMap((text) => [...text.matchAll(/^([a-z_]+)\(\)/gm)].map(([, name]) => name));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it.runIf(existsSync('/usr/bin/shellcheck'))('passes shellcheck', () => {
    const options = ['--external-sources', '--check-sourced', '--exclude=SC2317', 'package/install.sh'];
    expect(spawnSync('shellcheck', options, { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stdout: '',
    });
  });
});
