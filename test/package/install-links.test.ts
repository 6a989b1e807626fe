import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { treeOf, UnpackedPackage, writeFile } from '../support/unpacked-package.ts';

let pack: UnpackedPackage;
let root: string;

beforeEach(() => {
  pack = new UnpackedPackage();
  root = pack.root;
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
});

const RHEL = 'Defaults    env_reset\nDefaults    secure_path = /sbin:/bin:/usr/sbin:/usr/bin\n';

describe("programs where root's path has no /usr/local/bin", () => {
  it.each([
    ['of sudo, as on RHEL, openEuler and Kylin', 'etc/sudoers', RHEL],
    ['of sudo, in quotes', 'etc/sudoers', 'Defaults secure_path="/usr/sbin:/usr/bin"\n'],
    ['of sudo, in a file beside', 'etc/sudoers.d/path', RHEL],
    ['of su', 'etc/login.defs', 'ENV_SUPATH\tPATH=/usr/sbin:/usr/bin:/sbin:/bin\n'],
  ])('are linked from /usr/bin: %s', (_, path, content) => {
    writeFile(join(root, path), content);
    const before = treeOf(root);
    expect(pack.install(['--dry-run']).stdout).toContain(`link       ${root}/usr/bin/kubelet`);
    const { status, stdout } = pack.install();
    expect(status).toBe(0);
    expect(stdout).toContain(
      `linked ${root}/usr/bin to: ctr kubelet, because sudo or su on this machine does not search`,
    );
    expect(readdirSync(join(root, 'usr/bin')).sort()).toEqual(['ctr', 'kubelet']);
    expect(readlinkSync(join(root, 'usr/bin/kubelet'))).toBe('/usr/local/bin/kubelet');
    expect(pack.install()).toMatchObject({ status: 0, stdout: expect.not.stringContaining('linked') });
    expect(pack.install(['--uninstall']).status).toBe(0);
    expect(readdirSync(join(root, 'usr/bin'))).toEqual([]);
    expect(Object.keys(treeOf(root))).toEqual(Object.keys(before));
  });

  it.each([
    ['where nothing sets one', '# Defaults secure_path = /usr/bin\n'],
    ['where it is in it', 'Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"\n'],
    ['where a later line puts it in', `${RHEL}Defaults secure_path = /usr/bin:/usr/local/bin\n`],
  ])('are not linked: %s', (_, content) => {
    writeFile(join(root, 'etc/sudoers'), content);
    expect(pack.install()).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(join(root, 'usr/bin'))).toEqual([]);
  });

  it('leave alone what is there under their names, and say so', () => {
    writeFile(join(root, 'etc/sudoers'), RHEL);
    writeFile(join(root, 'usr/bin/kubelet'), 'of the distribution', 0o755);
    symlinkSync('nowhere', join(root, 'usr/bin/ctr'));
    const { status, stderr } = pack.install();
    expect(status).toBe(0);
    expect(stderr).toContain(
      `note: ${root}/usr/bin/kubelet is a different program from ${root}/usr/local/bin/kubelet`,
    );
    expect(readFileSync(join(root, 'usr/bin/kubelet'), 'utf8')).toBe('of the distribution');
    pack.install(['--uninstall']);
    expect(lstatSync(join(root, 'usr/bin/ctr')).isSymbolicLink()).toBe(true);
  });

  it.runIf(process.getuid?.() === 0)(
    'are only spoken of where /usr/bin cannot be written to, as on CoreOS',
    () => {
      writeFile(join(root, 'etc/sudoers'), RHEL);
      const mount = 'mount --bind "$DISK" "$DISK" && mount -o remount,bind,ro "$DISK" && exec "$@"';
      const before = ['unshare', '--mount', 'sh', '-c', mount, 'sh'];
      const environment = { DISK: join(root, 'usr/bin') };
      const { status, stderr } = pack.install(['--skip-images'], { before, environment });
      expect(stderr).toBe(
        `install.sh: note: sudo or su on this machine does not search /usr/local/bin, and ${root}/usr/bin is not writable; add /usr/local/bin to secure_path in /etc/sudoers\n`,
      );
      expect(status).toBe(0);
      expect(readdirSync(join(root, 'usr/bin'))).toEqual([]);
    },
  );

  it('are gone again when a later step fails', () => {
    writeFile(join(root, 'etc/sudoers'), RHEL);
    const environment = { KEEL_TEST_CTR: 'broken' };
    expect(pack.install(['--address', '/run/test.sock'], { environment }).status).toBe(1);
    expect(readdirSync(join(root, 'usr/bin'))).toEqual([]);
  });
});
