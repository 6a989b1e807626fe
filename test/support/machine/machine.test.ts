import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithMachine, Machine } from './machine.ts';

describeWithMachine('a machine', () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await Machine.start({ address: '10.99.0.11/24' });
  });
  afterAll(() => machine[Symbol.asyncDispose]());

  it('has a systemd that runs, and nothing that failed', async () => {
    expect(await machine.read('systemctl is-system-running')).toBe('running\n');
    expect(await machine.read('cat /proc/1/comm')).toBe('systemd\n');
  });

  it('tells the status and the output of a command', async () => {
    const outcome = await machine.exec('cat; echo "$HOME $WHAT"; pwd; echo wrong >&2; exit 3', {
      input: 'given\n',
      environment: { WHAT: 'said' },
      folder: '/etc',
    });
    expect(outcome).toEqual({ status: 3, stdout: 'given\n/root said\n/etc\n', stderr: 'wrong\n' });
  });

  it.each(['stop', 'crash'] as const)(
    'keeps its disk and its services over a %s, and nothing else',
    async (end) => {
      writeFileSync(
        join(machine.folder, 'etc/systemd/system/waits.service'),
        '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n',
      );
      await machine.read(
        'systemctl daemon-reload; systemctl enable --now waits; touch /var/lib/stays /run/goes',
      );
      await machine.read('sysctl net.ipv4.ip_forward=1 && modprobe overlay');
      await machine[end]();
      expect(machine.isRunning).toBe(false);
      expect(existsSync(join(machine.folder, 'var/lib/stays'))).toBe(true);
      await machine.start();
      expect(await machine.read('systemctl is-active waits; ls /var/lib/stays /run/goes; :')).toBe(
        'active\n/var/lib/stays\n',
      );
      expect(await machine.read('sysctl -n net.ipv4.ip_forward; cat /run/machine/modules')).toBe('0\n');
    },
  );

  it('ends a command when its power is cut', async () => {
    const running = machine.exec('echo begun >/var/tmp/begun; sleep 1000; echo never');
    await expect.poll(() => existsSync(join(machine.folder, 'var/tmp/begun'))).toBe(true);
    await machine.crash();
    expect(await running).toMatchObject({ status: null, stdout: '' });
    await machine.start();
  });

  it('is on a LAN without a default route, unless it has one', async () => {
    expect(await machine.read('ip -o -4 address show dev eth0')).toContain('10.99.0.11/24');
    expect(await machine.read('ip route show default')).toBe('');
    const boot = await machine.read('cat /proc/sys/kernel/random/boot_id');
    await machine.reboot({ address: '10.99.0.11/24', gateway: '10.99.0.1' });
    expect(await machine.read('cat /proc/sys/kernel/random/boot_id')).not.toBe(boot);
    expect(await machine.read('ip route show default')).toContain('via 10.99.0.1');
  });

  it('has the modules, swap and memory that its traits tell', async () => {
    await machine.reboot({ swap: true, withoutModules: ['br_netfilter'], meminfo: 'MemTotal: 1000000 kB\n' });
    expect(await machine.read('cat /proc/swaps')).toContain('/swapfile');
    await machine.read('swapoff -a');
    expect(await machine.read('cat /proc/swaps')).not.toContain('/swapfile');
    expect(await machine.exec('modprobe br_netfilter')).toMatchObject({ status: 1 });
    await machine.read('modprobe nf_conntrack');
    expect(await machine.read('cut -d" " -f1 /run/machine/modules')).toBe('nf_conntrack\n');
    expect(await machine.read('cat /proc/meminfo')).toBe('MemTotal: 1000000 kB\n');
  });

  it('loads the modules of its configuration when it boots', async () => {
    writeFileSync(join(machine.folder, 'etc/modules-load.d/some.conf'), '# some\noverlay\nnf_conntrack\n');
    await machine.reboot({});
    expect(await machine.read('cut -d" " -f1 /run/machine/modules')).toBe('overlay\nnf_conntrack\n');
  });

  it('cannot change the settings of the host', async () => {
    const before = readFileSync('/proc/sys/vm/swappiness', 'utf8');
    expect(await machine.exec('sysctl -w vm.swappiness=7')).toMatchObject({
      status: expect.not.stringMatching('0'),
    });
    expect(readFileSync('/proc/sys/vm/swappiness', 'utf8')).toBe(before);
  });
});

describeWithMachine('machines', () => {
  it('live side by side, and leave nothing behind', async () => {
    const machines = await Promise.all([Machine.start(), Machine.start({ hasContainerd: true })]);
    const [first, second] = machines;
    expect(await first.exec('command -v ctr')).toMatchObject({ status: 127 });
    expect(await second.read('command -v ctr')).toBe('/usr/bin/ctr\n');
    const disks = machines.map(({ folder }) => folder.replace(/^\/proc\/\d+\/root|\/root$/g, ''));
    for (const disk of disks) expect(existsSync(disk)).toBe(true);
    const pids = machines.map(({ folder }) => folder.split('/')[2] ?? '');
    await Promise.all(machines.map((machine) => machine[Symbol.asyncDispose]()));
    for (const pid of pids) expect(existsSync(`/proc/${pid}`)).toBe(false);
    for (const disk of disks) expect(existsSync(disk)).toBe(false);
    expect(execFileSync('ps', ['-e', '-o', 'args'], { encoding: 'utf8' })).not.toContain(disks[0]);
  });
});
