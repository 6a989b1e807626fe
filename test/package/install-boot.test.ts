import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { UnpackedPackage, writeFile } from '../support/unpacked-package.ts';

let pack: UnpackedPackage;

const FORWARDING = 'net.ipv4.ip_forward = 0';

function place(path: string, content: string): string {
  writeFile(join(pack.root, path), content);
  return join(pack.root, path);
}

beforeEach(() => {
  pack = new UnpackedPackage();
});

describe('what another file takes back of our settings at the next boot', () => {
  it.each([
    ['etc/sysctl.d/zz-local.conf', FORWARDING, 'net.ipv4.ip_forward = 0'],
    ['run/sysctl.d/zz-local.conf', 'net/ipv4/ip_forward=0', 'net.ipv4.ip_forward = 0'],
    ['usr/lib/sysctl.d/zz-vendor.conf', `-${FORWARDING}`, 'net.ipv4.ip_forward = 0'],
    ['etc/sysctl.d/zz-local.conf', 'net.ipv4.conf.all.forwarding = 0', 'net.ipv4.ip_forward = 0'],
    [
      'etc/sysctl.d/zz-local.conf',
      'net.bridge.bridge-nf-call-iptables=0',
      'net.bridge.bridge-nf-call-iptables = 0',
    ],
    ['etc/sysctl.conf', FORWARDING, 'net.ipv4.ip_forward = 0'],
  ])('is told with its line: %s, %s', (path, line, setting) => {
    const file = place(path, `# a comment\n\n${line}\n`);
    for (const options of [[], ['--dry-run']]) {
      const { status, stderr } = pack.install(options);
      expect(status).toBe(0);
      expect(stderr).toContain(`note: ${file}, line 3, sets ${setting} at the next boot and overrides `);
    }
  });

  it.each<[string, () => void]>([
    ['a file that sorts before ours', () => place('etc/sysctl.d/10-local.conf', FORWARDING)],
    ['the same value', () => place('etc/sysctl.d/zz-local.conf', 'net.ipv4.ip_forward = 1')],
    ['a comment', () => place('etc/sysctl.d/zz-local.conf', `# ${FORWARDING}\n; ${FORWARDING}`)],
    ['another setting', () => place('etc/sysctl.d/zz-local.conf', 'net.ipv4.ip_forward_use_pmtu = 0')],
    ['a file that is not read', () => place('etc/sysctl.d/zz-local.conf.bak', FORWARDING)],
    [
      'a file that another of its name hides',
      () => {
        place('usr/lib/sysctl.d/zz-vendor.conf', FORWARDING);
        symlinkSync('/dev/null', place('etc/sysctl.d/a.conf', '').replace('a.conf', 'zz-vendor.conf'));
      },
    ],
    [
      'a line that a later one puts right',
      () => {
        place('etc/sysctl.d/zz-1.conf', FORWARDING);
        place('usr/lib/sysctl.d/zz-2.conf', 'net.ipv4.ip_forward = 1');
      },
    ],
    [
      "Debian's link to sysctl.conf, which sorts before ours",
      () => {
        place('etc/sysctl.conf', FORWARDING);
        place('etc/sysctl.d/a.conf', '');
        symlinkSync('../sysctl.conf', join(pack.root, 'etc/sysctl.d/99-sysctl.conf'));
      },
    ],
    [
      'a module of another name',
      () => place('etc/modprobe.d/a.conf', 'blacklist overlay2\n# blacklist overlay'),
    ],
  ])('is not told of what takes nothing back: %s', (_, prepare) => {
    prepare();
    expect(pack.install()).toMatchObject({ status: 0, stderr: '' });
  });

  it.each([
    ['etc/modprobe.d/local.conf', 'blacklist br_netfilter'],
    ['usr/lib/modprobe.d/vendor.conf', 'blacklist br-netfilter'],
    ['etc/modprobe.d/local.conf', 'install overlay /bin/false'],
    ['run/modprobe.d/local.conf', 'install nf_conntrack /usr/bin/true'],
  ])('is told where a module is kept out: %s, %s', (path, line) => {
    const file = place(path, `options a b=1\n${line}\n`);
    const { status, stderr } = pack.install();
    expect(status).toBe(0);
    expect(stderr).toContain(`note: ${file}, line 2 (${line}), prevents the module `);
  });
});
