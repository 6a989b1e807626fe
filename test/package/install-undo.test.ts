import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { describeWith } from '../support/programs.ts';
import { treeOf, UnpackedPackage, writeFile } from '../support/unpacked-package.ts';

let pack: UnpackedPackage;
let root: string;

beforeEach(() => {
  pack = new UnpackedPackage();
  ({ root } = pack);
});

describeWith(['chattr', 'setcap', 'getcap'], 'a file that install.sh cannot put back', () => {
  it.runIf(process.getuid?.() === 0)('keeps no other from it, and is named with its copy', () => {
    writeFile(join(root, 'usr/local/bin/kubelet'), 'of before', 0o755);
    const config = join(root, 'etc/crictl.yaml');
    writeFile(config, 'half');
    writeFile(`${config}.before-keel`, 'mine');
    writeFile(join(root, 'usr/local/bin/ctr'), 'of a run that died');
    const journal = [
      'new\t/usr/local/bin/ctr',
      'old\t/etc/crictl.yaml\t/etc/crictl.yaml.before-keel',
      'new\t/etc/not-yet',
    ];
    writeFile(join(root, 'var/lib/keel/journal'), `${journal.join('\n')}\n`);
    execFileSync('chattr', ['+i', config]);
    try {
      const ctr = join(root, 'usr/local/bin/ctr');
      const { status, stderr } = pack.install(['--skip-images']);
      expect(status).toBe(1);
      expect(stderr).toContain(`${config} cannot be replaced: it is immutable`);
      expect(existsSync(ctr)).toBe(true);
      const kept = pack.install(['--uninstall']);
      expect(kept.status).toBe(1);
      expect(kept.stderr).toContain('the earlier file is /etc/crictl.yaml.before-keel');
      expect(existsSync(ctr)).toBe(false);
    } finally {
      execFileSync('chattr', ['-i', config]);
    }
    expect(pack.install().status).toBe(0);
    expect(readFileSync(`${config}.before-keel`, 'utf8')).toBe('mine');
  });

  it.runIf(process.getuid?.() === 0)('comes back with its capabilities', () => {
    const program = join(root, 'opt/cni/bin/bridge');
    writeFile(program, 'of before', 0o755);
    execFileSync('setcap', ['cap_net_raw+ep', program]);
    const before = treeOf(root);
    const environment = { KEEL_TEST_CTR: 'broken' };
    expect(pack.install(['--address', '/run/test.sock'], { environment }).status).toBe(1);
    expect(treeOf(root)).toEqual(before);
    expect(execFileSync('getcap', [program], { encoding: 'utf8' })).toContain('cap_net_raw=ep');
    pack.install();
    pack.install(['--uninstall']);
    expect(execFileSync('getcap', [program], { encoding: 'utf8' })).toContain('cap_net_raw=ep');
  });
});

it('what a run noted that ended before its first change is not taken for what was placed', () => {
  pack.install();
  writeFile(join(root, 'var/lib/keel/journal'), '');
  writeFile(join(root, 'var/lib/keel/placing'), `${'0'.repeat(64)}\t/usr/local/bin/kubelet\n`);
  writeFile(join(root, 'var/lib/keel/version.new'), 'v1.99.0\n');
  pack.install();
  expect(pack.install(['--uninstall'])).toMatchObject({ status: 0, stderr: '' });
  expect(existsSync(join(root, 'usr/local/bin/kubelet'))).toBe(false);
});

/** Runs install.sh on a small disk that fills up while it writes a program, and prints what it changed on it. */
const ON_FULL_DISK = `
set -e
mount -t tmpfs -o size=1m,mode=755 tmpfs "$DISK"
mkdir -p "$DISK/usr/local/bin"
echo before >"$DISK/usr/local/bin/kubelet"
cd "$DISK" && find . | sort >"$PROGRAMS/before"
cat >"$PROGRAMS/cp" <<'SH'
#!/bin/sh
case "$*" in *kubelet.keel-part) cat /dev/zero >"$DISK/other" 2>/dev/null ;; esac
exec /bin/cp "$@"
SH
chmod +x "$PROGRAMS/cp"
PATH=$PROGRAMS:$PATH "$@" && exit 9
rm other
find . | sort | diff "$PROGRAMS/before" -
cat usr/local/bin/kubelet`;

describeWith(['unshare', 'mount'], 'a disk that is full', () => {
  it.runIf(process.getuid?.() === 0)('keeps no change from being taken back', () => {
    const environment = { DISK: root, PROGRAMS: pack.workplace };
    const before = ['unshare', '--mount', 'sh', '-c', ON_FULL_DISK, 'sh'];
    const { status, stdout, stderr } = pack.install(['--skip-images'], { before, environment });
    expect(stderr).toContain('No space left on device');
    expect(stderr).toContain('the previous files are restored');
    expect({ status, stdout: stdout.split('\n').slice(1) }).toEqual({ status: 0, stdout: ['before', ''] });
  });
});
