import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { clusterPackage } from '../support/cluster/cluster-package.ts';
import { describeWithCluster } from '../support/cluster/cluster-programs.ts';
import { Machine, type Outcome } from '../support/machine/machine.ts';
import { UnpackedPackage } from '../support/unpacked-package.ts';

const LAN = { address: '10.99.0.11/24', gateway: '10.99.0.1' };
/** What services, settings and modules are, for a comparison of before and after. */
const PICTURE = `
for unit in containerd kubelet; do
  echo "$unit $(systemctl is-enabled "$unit" 2>/dev/null) $(systemctl is-active "$unit")"
done
find /etc/systemd/system -type l | sort
sysctl -n net.ipv4.ip_forward
# Who finds no /proc/modules cannot tell which modules were there; containerd 1.6 asks for aufs.
[ ! -e /proc/modules ] || cut -d ' ' -f 1 /proc/modules | grep -v aufs
pid=$(systemctl show -p MainPID --value containerd) && [ "$pid" = 0 ] || readlink "/proc/$pid/exe"`;

let machine: Machine;

/** Puts a package onto the machine. */
function bring(pack: UnpackedPackage): void {
  cpSync(pack.folder, join(machine.folder, 'root/package'), { recursive: true });
}

function install(options = '', before = ''): Promise<Outcome> {
  return machine.exec(`${before} ./install.sh ${options}`, {
    folder: '/root/package',
    milliseconds: 110_000,
  });
}

async function installWell(options = '', before = ''): Promise<string> {
  const { status, stdout, stderr } = await install(options, before);
  expect(status, stdout + stderr).toBe(0);
  return stdout + stderr;
}

/** Returns the program that containerd's process runs, which says so where that was replaced or removed. */
function runningContainerd(): Promise<string> {
  return machine.read('readlink "/proc/$(systemctl show -p MainPID --value containerd)/exe"');
}

/** Returns a package whose images containerd refuses. */
function packageOfBrokenImages(): UnpackedPackage {
  const pack = clusterPackage();
  const blobs = join(pack.folder, 'images/blobs/sha256');
  for (const name of readdirSync(blobs)) writeFileSync(join(blobs, name), '{}');
  pack.seal();
  return pack;
}

describeWithCluster('install.sh on a machine with systemd', () => {
  beforeAll(async () => {
    machine = await Machine.start(LAN);
  });
  afterAll(() => machine[Symbol.asyncDispose]());

  it('starts what it installs, now and after the next boot', async () => {
    bring(clusterPackage());
    await installWell();
    expect(await runningContainerd()).toBe('/usr/local/bin/containerd\n');
    await machine.reboot();
    expect(await machine.read('systemctl is-enabled containerd kubelet')).toBe('enabled\nenabled\n');
    expect(await machine.read('systemctl is-active containerd')).toBe('active\n');
    const modules = await machine.read('cut -d " " -f 1 /run/machine/modules');
    expect(modules).toMatch(/^overlay\nbr_netfilter\nnf_conntrack\n/);
    expect(await machine.read('ctr -n k8s.io images ls -q')).toContain('registry.k8s.io/kube-apiserver');
  });

  it.each([
    ['program', 'cp -p /usr/local/bin/containerd new && mv new /usr/local/bin/containerd'],
    ['configuration', 'touch -d "now + 1 hour" /etc/containerd/config.toml'],
  ])(
    'restarts a containerd that runs with another %s than the one that is there, and no other',
    async (_, replace) => {
      const pid = () => machine.read('systemctl show -p MainPID --value containerd');
      const before = await pid();
      await installWell('--skip-images');
      expect(await pid()).toBe(before);
      await machine.read(replace);
      await installWell('--skip-images');
      expect(await pid()).not.toBe(before);
      expect(await runningContainerd()).toBe('/usr/local/bin/containerd\n');
    },
  );

  it('restarts containerd for a program that was placed by a run which died', async () => {
    const program = 'runtime/containerd/bin/containerd';
    await machine.read(
      `echo >>${program} && sum=$(sha256sum <${program}) && sed -i "s|^[0-9a-f]*  ${program}\\$|\${sum%% *}  ${program}|" SHA256SUMS`,
      { folder: '/root/package' },
    );
    // It comes between placing and restart.
    await machine.read(
      "cp /usr/sbin/modprobe modprobe; printf '#!/bin/sh\nexec pkill -KILL -f install.sh\n' >/usr/sbin/modprobe",
    );
    expect(await install('--skip-images')).not.toMatchObject({ status: 0 });
    await machine.read('cp modprobe /usr/sbin/modprobe');
    await installWell('--skip-images');
    expect(await runningContainerd()).toBe('/usr/local/bin/containerd\n');
    await machine.read(`cmp /usr/local/bin/containerd package/${program}`);
  });
});

describeWithCluster('install.sh and the kernel settings of a machine', () => {
  beforeAll(async () => {
    machine = await Machine.start(LAN);
  });
  afterAll(() => machine[Symbol.asyncDispose]());

  it('keeps its own over a boot, whatever files that are read before have', async () => {
    const files = [
      '/etc/sysctl.conf',
      '/etc/sysctl.d/99-yours.conf',
      '/etc/sysctl.d/99-z.conf',
      '/usr/lib/sysctl.d/99-yours-too.conf',
    ];
    await machine.read(`for file in ${files.join(' ')}; do echo 'net.ipv4.ip_forward = 0' >>$file; done`);
    const pack = new UnpackedPackage();
    rmSync(join(pack.folder, 'runtime'), { recursive: true });
    pack.seal();
    bring(pack);
    const said = await installWell('--skip-images');
    expect(await machine.read('sysctl -n net.ipv4.ip_forward')).toBe('1\n');
    await machine.reboot();
    expect(await machine.read('sysctl -n net.ipv4.ip_forward')).toBe('1\n');
    expect(said).not.toContain('ip_forward');
  });

  it('tells of a file that is read after its own, which takes them back', async () => {
    await machine.read('echo net.ipv4.ip_forward=0 >/etc/sysctl.d/zzz.conf');
    expect(await installWell('--skip-images')).toContain(
      '/etc/sysctl.d/zzz.conf, line 1, sets net.ipv4.ip_forward = 0',
    );
    await machine.reboot();
    expect(await machine.read('sysctl -n net.ipv4.ip_forward')).toBe('0\n');
  });
});

describeWithCluster('install.sh where systemd does not run', () => {
  afterEach(() => machine[Symbol.asyncDispose]());

  it.each([
    ['systemctl but no systemd', 'mount -t tmpfs none /run'],
    ['no systemctl', 'mount -t tmpfs none /run && mount --bind /dev/null /usr/bin/systemctl'],
  ])(
    'places its files where there is %s, and imports when it runs where containerd does',
    async (_, hide) => {
      machine = await Machine.start(LAN);
      bring(clusterPackage());
      const said = await installWell(
        '',
        `unshare --mount --pid --fork --mount-proc sh -c '${hide} && exec "$0" "$@"'`,
      );
      expect(said).toMatch(/no image was imported.*run install\.sh again/);
      await machine.read('test -x /usr/local/bin/kubelet && test -f /etc/containerd/config.toml');
      await machine.reboot();
      await installWell();
      expect(await machine.read('ctr -n k8s.io images ls -q')).toContain('registry.k8s.io/kube-apiserver');
      expect(await machine.read('systemctl is-enabled containerd kubelet')).toBe('enabled\nenabled\n');
    },
  );
});

describeWithCluster('install.sh that fails on a machine with systemd', () => {
  let isFresh = true;
  beforeAll(async () => {
    machine = await Machine.start({ ...LAN, hasContainerd: true });
  });
  afterAll(() => machine[Symbol.asyncDispose]());

  it.each([
    ['a containerd that is off', ':'],
    ['a containerd that runs and is not enabled', 'systemctl start containerd'],
    ['a containerd that runs', 'systemctl enable --now containerd'],
    ['settings and modules of its own', 'modprobe overlay; sysctl -q net.ipv4.ip_forward=1'],
    [
      'no containerd',
      'systemctl disable --now containerd && rm /usr/bin/containerd /lib/systemd/system/containerd.service && systemctl daemon-reload',
    ],
  ])('leaves services, settings and modules as they were, with %s', async (_, prepare) => {
    if (isFresh) bring(packageOfBrokenImages());
    isFresh = false;
    await machine.read(prepare);
    const before = await machine.read(PICTURE);
    const { status, stdout, stderr } = await install();
    expect(status, stdout + stderr).toBe(1);
    expect(stderr).toContain('not imported');
    expect(await machine.read(PICTURE)).toBe(before);
  });
});
