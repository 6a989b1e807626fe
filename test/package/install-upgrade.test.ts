import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterPackage } from '../support/cluster/cluster-package.ts';
import { describeWithCluster } from '../support/cluster/cluster-programs.ts';
import { runLibrary, SHELLS } from '../support/install-library.ts';
import { Machine } from '../support/machine/machine.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const OLD = '1.36.3';
const NEW = '1.37.2';

describe('install.sh --upgrade decides by versions:', () => {
  const obstacle = (target: string, server: string, kubelet: string) =>
    execFileSync('sh', [
      '-c',
      '. package/install/upgrade.sh; upgrade_obstacle "$@"',
      'sh',
      target,
      server,
      kubelet,
    ])
      .toString()
      .trim();

  it.each([
    [NEW, OLD, OLD],
    [NEW, NEW, OLD],
    [NEW, NEW, NEW],
    ['1.37.10', '1.37.9', '1.37.9'],
    ['1.38.0', '1.38.0-rc.0', '1.37.2'],
    ['1.38.0-rc.1', '1.38.0-rc.0', '1.37.2'],
  ])('%s may follow an API server %s and a kubelet %s', (target, server, kubelet) => {
    expect(obstacle(target, server, kubelet)).toBe('');
  });

  it.each([
    ['1.37.1', '1.37.2', '1.37.2', 'Kubernetes cannot be downgraded'],
    ['1.37.9', '1.37.10', '1.37.9', 'Kubernetes cannot be downgraded'],
    ['1.38.0-rc.0', '1.38.0', '1.37.2', 'Kubernetes cannot be downgraded'],
    ['1.38.0', '1.36.3', '1.36.3', 'with a package of 1.37 first'],
    ['1.37.1', '1.37.1', '1.37.2', 'the kubelet of this machine is 1.37.2'],
  ])('%s may not follow an API server %s and a kubelet %s', (target, server, kubelet, why) => {
    expect(obstacle(target, server, kubelet)).toContain(why);
  });
});

describe.each(SHELLS)('an upgrade that asks whether all machines have an image, in %s,', (shell) => {
  const IMAGE = 'registry.k8s.io/kube-proxy:v1.37.2';
  const many = (count: number, name: string) => Array.from({ length: count }, () => `["${name}"]`).join(' ');
  const ask = (rows: readonly string[]) =>
    runLibrary(shell, `printf '%s\\n' "$2" | machines_without "$1"`, [IMAGE, rows.join('\n')]).stdout;

  it.each([
    [`["${IMAGE}"]`, ''],
    [`["other@sha256:1","other:1"] ["x@sha256:2","${IMAGE}"]`, ''],
    ['', 'w1\tlacks\n'],
    ['["registry.k8s.io/kube-proxy:v1.37.20"]', 'w1\tlacks\n'],
    [many(49, 'other:1'), 'w1\tlacks\n'],
    [many(50, 'other:1'), 'w1\tunknown\n'],
    [`${many(49, 'other:1')} ["${IMAGE}"]`, ''],
  ])('takes %s of a machine for: %j', (images, found) => {
    expect(ask([`w1\t${images}`, `cp1\t["${IMAGE}"]`])).toBe(found);
  });

  it.each([
    ['the images of machines', 'require_on_machines registry.k8s.io/kube-proxy:v1.37.2'],
    ['the versions of the cluster', 'upgrade_machine'],
  ])('takes no answer about %s for none', (_, command) => {
    const script = [
      'work=$1 state=$1 target=1.37.2',
      'now() { cat "$work/clock"; }',
      'sleep() { echo 90 >"$work/clock"; }',
      'kubectl() { echo "connection refused" >&2; return 1; }',
      'is_member() { :; }',
      'use_programs() { :; }',
      'begin_changes() { echo changed; }',
      command,
    ].join('\n');
    const folder = scratchFolder();
    writeFileSync(join(folder, 'clock'), '0');
    const { status, stdout, stderr } = runLibrary(shell, script, [folder]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('does not answer');
  });
});

describe.each(SHELLS)('kubeadm upgrade on a cluster that has only just started, in %s,', (shell) => {
  const HEALTH = '[ERROR CreateJob]: Job "upgrade-health-check-1" did not complete in 1m0s';
  const upgrade = (said: string, failures: number) => {
    const script = [
      'work=$1 tries_made=0',
      'run_kubeadm() {',
      '  log=$work/log',
      '  echo "$said" >"$log"',
      '  tries_made=$((tries_made + 1))',
      `  [ "$tries_made" -gt ${failures} ]`,
      '}',
      'said=$2',
      'run_upgrade "3 of 4  kubeadm upgrade node" node',
      'echo "after $tries_made"',
    ].join('\n');
    return runLibrary(shell, script, [scratchFolder(), said]);
  };

  it('is tried again while the cluster runs no pod', () => {
    const { status, stdout } = upgrade(HEALTH, 2);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(/attempt 2 of 5\n.*attempt 3 of 5\nafter 3\n$/s),
    });
  });

  it.each([
    ['five tries', HEALTH, 9],
    ['one try where something else is wrong', '[ERROR ImagePull]: etcd', 1],
  ])('ends after %s', (_, said, failures) => {
    const { status, stdout, stderr } = upgrade(said, failures);
    expect(status).toBe(1);
    expect(stdout.match(/attempt/g) ?? []).toHaveLength(said === HEALTH ? 4 : 0);
    expect(stderr).toContain('then run ./install.sh --upgrade again');
  });
});

describe.each(SHELLS)('an API server that does not answer, in %s,', (shell) => {
  it.each([
    [
      'after an upgrade that did not end',
      ['kubeadm.tar'],
      'an --upgrade of this machine did not finish: run it again',
    ],
    ['otherwise', [], 'see: journalctl -u kubelet; crictl ps -a'],
  ])('is told with what helps %s', (_, files, advice) => {
    const folder = scratchFolder();
    for (const file of files) writeFileSync(join(folder, file), '');
    expect(runLibrary(shell, 'state=$1; advice_on_silence', [folder]).stdout).toContain(advice);
  });
});

describeWithCluster('an upgrade of two machines', () => {
  let lan: string;
  let first: Machine;
  let second: Machine;

  const run = (machine: Machine, version: string, options: string) =>
    machine.exec(`./install.sh ${options}`, { folder: `/root/${version}` });
  const versions = (machine: Machine) =>
    machine.read('kubeadm version -o short; kubelet --version | cut -d " " -f 2');
  const nodes = () =>
    first.read('kubectl get nodes --no-headers', {
      environment: { KUBECONFIG: '/etc/kubernetes/admin.conf' },
    });

  beforeAll(async () => {
    lan = mkdtempSync(join(tmpdir(), 'keel-lan-'));
    const gateway = '10.99.0.1';
    [first, second] = await Promise.all([
      Machine.start({ name: 'cp1', lan, address: '10.99.0.11/24', gateway }),
      Machine.start({ name: 'w1', lan, address: '10.99.0.12/24', gateway }),
    ]);
  });

  afterAll(async () => {
    await Promise.all([first, second].map((machine) => machine[Symbol.asyncDispose]()));
    rmSync(lan, { recursive: true });
  });

  it('begins with a cluster of the older version', async () => {
    for (const version of [OLD, NEW]) {
      const { folder } = clusterPackage(version);
      for (const machine of [first, second])
        cpSync(folder, join(machine.folder, 'root', version), { recursive: true });
    }
    const { stdout } = await run(first, OLD, '--init');
    const [line] = /kubeadm join [^']*/.exec(stdout) ?? [stdout];
    const joined = await run(second, OLD, `--join '${line}'`);
    expect(joined.status, joined.stderr).toBe(0);
    expect(await nodes()).toMatch(/^cp1 +Ready .*v1\.36\.3\nw1 +Ready .*v1\.36\.3\n$/);
  });

  it('is what a plain install asks for, and changes nothing itself', async () => {
    const { status, stderr } = await run(first, NEW, '');
    expect(status).toBe(1);
    expect(stderr).toContain(`has Kubernetes ${OLD}, but the package has ${NEW}; nothing was changed`);
    expect(await versions(first)).toBe(`v${OLD}\nv${OLD}\n`);
  });

  it('does not begin before all machines have the images', async () => {
    const { status, stderr } = await run(first, NEW, '--upgrade');
    expect(status).toBe(1);
    expect(stderr).toContain(`these machines do not have the images of ${NEW} yet: w1.`);
    expect(await versions(first)).toBe(`v${OLD}\nv${OLD}\n`);
    expect((await run(second, NEW, '--images-only')).status).toBe(0);
    expect(await versions(second)).toBe(`v${OLD}\nv${OLD}\n`);
  });

  it('refuses a worker before its control plane', async () => {
    const { status, stderr } = await run(second, NEW, '--upgrade');
    expect(status).toBe(1);
    expect(stderr).toContain('upgrade the control planes first');
    expect(await versions(second)).toBe(`v${OLD}\nv${OLD}\n`);
  });

  it('leaves a kubelet that fits where kubeadm fails, and goes on after a start', async () => {
    const manifests = '/etc/kubernetes/manifests';
    await first.read(`mount --bind ${manifests} ${manifests} && mount -o remount,ro,bind ${manifests}`);
    const failed = await run(first, NEW, '--upgrade');
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain('the cluster keeps its current version');
    expect(await versions(first)).toBe(`v${NEW}\nv${OLD}\n`);
    // As a power cut leaves what was written and is not on the disk yet.
    const sums = 'cd /etc/kubernetes && find pki admin.conf -type f -exec sha256sum {} + | sort';
    const before = await first.read(sums);
    await first.read('cd /etc/kubernetes && : >pki/ca.crt && : >admin.conf && echo renewed >>pki/ca.key');
    await first.reboot();
    const { status, stderr, stdout } = await run(first, NEW, '--upgrade');
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toContain('a power cut left files of kubeadm empty; restoring them');
    expect(stdout).toMatch(/ {2}\/etc\/kubernetes\/pki\/ca\.key\n/);
    expect(await first.read(sums)).toBe(before);
    expect(await first.read('ls /var/lib/keel')).not.toContain('kubeadm.tar');
    expect(stdout).toContain(`this machine has Kubernetes ${NEW}`);
    expect(stdout).toContain('next: run ./install.sh --upgrade on the other control planes');
    expect(await versions(first)).toBe(`v${NEW}\nv${NEW}\n`);
  });

  it('ends with all machines Ready at the new version, and does nothing the second time', async () => {
    expect((await run(second, NEW, '--upgrade')).status).toBe(0);
    expect(await nodes()).toMatch(/^cp1 +Ready .*v1\.37\.2\nw1 +Ready .*v1\.37\.2\n$/);
    const again = await run(second, NEW, '--upgrade');
    expect(again.status).toBe(0);
    expect(again.stdout).toContain('0 files placed');
  });

  it('never goes back', async () => {
    const { status, stderr } = await run(first, OLD, '--upgrade');
    expect(status).toBe(1);
    expect(stderr).toContain('Kubernetes cannot be downgraded');
    expect(await versions(first)).toBe(`v${NEW}\nv${NEW}\n`);
  });
});
