import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { clusterPackage } from '../support/cluster/cluster-package.ts';
import { describeWithCluster } from '../support/cluster/cluster-programs.ts';
import { Machine, type Outcome } from '../support/machine/machine.ts';

const ADMIN = { environment: { KUBECONFIG: '/etc/kubernetes/admin.conf' } };

function copyPackage(machine: Machine): void {
  cpSync(clusterPackage().folder, join(machine.folder, 'root/package'), { recursive: true });
}

function install(machine: Machine, options: string): Promise<Outcome> {
  return machine.exec(`./install.sh ${options}`, { folder: '/root/package', milliseconds: 110_000 });
}

/** Returns the lines for other machines that --init printed. */
function linesOf({ stdout }: Outcome): string[] {
  return Array.from(stdout.matchAll(/install\.sh --join '([^']*)'/g), ([, line = '']) => line);
}

describeWithCluster('install.sh, from a package to a cluster on a LAN that leads nowhere', () => {
  let lan: string;
  let first: Machine;
  let second: Machine;
  let lines: string[];

  beforeAll(async () => {
    lan = mkdtempSync(join(tmpdir(), 'keel-lan-'));
    [first, second] = await Promise.all([
      Machine.start({ name: 'cp1', lan, address: '10.99.0.11/24' }),
      Machine.start({ name: 'w1', lan, address: '10.99.0.12/24' }),
    ]);
  });

  afterEach(() => rmSync(join(lan, 'broken'), { force: true }));

  afterAll(async () => {
    await Promise.all([first, second].map((machine) => machine[Symbol.asyncDispose]()));
    rmSync(lan, { recursive: true });
  });

  it('says with --dry-run what --init and --images-only would do, and does nothing', async () => {
    copyPackage(first);
    const init = await install(first, '--init --dry-run');
    expect(init.stdout).toMatch(
      /place .*\nthen start containerd and enable the kubelet\nimport [\s\S]*\nthen run kubeadm init at 10\.99\.0\.11 and apply the add-ons of the package\nnothing was changed\n$/,
    );
    const images = await install(first, '--images-only --dry-run');
    expect(images.stdout).toMatch(/\nimport [\s\S]*nothing was changed\n$/);
    expect(images.stdout).not.toContain('place ');
    expect(await first.exec('ls /usr/local/bin/kubeadm')).toMatchObject({ status: 2 });
  });

  it('makes a cluster, and waits until it runs', async () => {
    const made = await install(first, '--init');
    expect(made).toMatchObject({ status: 0, stderr: expect.not.stringContaining('FAIL') });
    lines = linesOf(made);
    expect(made.stdout).toMatch(
      /kube-proxy runs .*\nkube-flannel-ds runs .*\ncoredns runs .*\ncp1 is Ready\n/,
    );
    expect(await first.read('kubectl get nodes --no-headers', ADMIN)).toMatch(/^cp1 +Ready/);
  });

  it('writes a configuration of kubeadm that only root reads, of which nothing is pulled', () => {
    const file = join(first.folder, 'etc/kubernetes/keel-kubeadm.yaml');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain('imagePullPolicy: Never');
  });

  it('joins a machine by the line that it printed, which is kept in no file', async () => {
    copyPackage(second);
    const [line = ''] = lines;
    const { status, stdout } = await install(second, `--join '${line}'`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('w1 is Ready') });
    expect(await first.read('kubectl get nodes -o name', ADMIN)).toBe('node/cp1\nnode/w1\n');
    const [, token = ''] = /--token (\S+)/.exec(line) ?? [];
    for (const machine of [first, second]) {
      const search = `grep -rl '${token}' /etc /var/log /var/lib/keel /run/keel*`;
      expect(await machine.exec(search)).toMatchObject({ status: expect.not.toBeOneOf([0]), stdout: '' });
    }
  });

  it('asks machines of the cluster, and no proxy of the environment', async () => {
    const environment = { HTTPS_PROXY: 'http://proxy.example.com:3128' };
    const proxied = await first.exec('kubectl get nodes', {
      environment: { ...ADMIN.environment, ...environment },
    });
    expect(proxied.stderr).toContain('proxyconnect');
    const options = { folder: '/root/package', milliseconds: 110_000, environment };
    const again = await first.exec('./install.sh --init', options);
    expect(again.stderr).toContain('ignoring the proxy in the environment');
    expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining('coredns runs') });
  });

  // As with a configuration of one's own, or one that is older than the cluster by now.
  it('does nothing harmful when it runs again without the configuration that it wrote, and prints both lines', async () => {
    const nodes = await first.read('kubectl get nodes -o wide', ADMIN);
    await first.read('rm /etc/kubernetes/keel-kubeadm.yaml');
    const again = await install(first, '--init');
    expect(again).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('already a control plane of a cluster'),
    });
    expect(linesOf(again)).toEqual([
      expect.stringContaining('kubeadm join '),
      expect.stringContaining(' --control-plane --certificate-key '),
    ]);
    const joined = await install(second, `--join '${lines[0]}'`);
    expect(joined).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('already part of a cluster'),
    });
    expect(await first.read('kubectl get nodes -o wide', ADMIN)).toBe(nodes);
  });

  it('verifies every machine, and leaves nothing behind', async () => {
    const { status, stdout, stderr } = await install(first, '--verify');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.match(/^ok .*/gm)).toEqual([
      'ok    2 machines Ready, API server v1.37.2',
      'ok    6 pods of the cluster itself run',
      'ok    9 images of the package are on this machine and pinned',
      'ok    a pod of a packed image runs on each machine',
      'ok    pods on each machine resolve the name of a Service with the DNS (UDP)',
      'ok    each machine reaches the DNS (TCP), a Service, and pods on 2 machines',
    ]);
    expect(await first.read('kubectl get namespaces -o name', ADMIN)).not.toContain('verify');
  });

  it('tells each thing that does not work, in words', async () => {
    writeFileSync(join(lan, 'broken'), 'dns\nw1 service\ncp1 pod-2\n');
    await first.read('ctr -n k8s.io images label registry.k8s.io/etcd:3.7.0-0 io.cri-containerd.pinned=');
    const { status, stderr } = await install(first, '--verify');
    expect(status).toBe(1);
    expect(stderr).toContain('registry.k8s.io/etcd:3.7.0-0 is not pinned');
    expect(stderr).toContain('a pod on cp1 gets no answer');
    expect(stderr).toContain('cp1 does not reach the pod 10.244.1.2 on w1');
    expect(stderr).toMatch(/w1 does not reach a Service at [0-9.]+;/);
    expect(stderr).toContain('5 problems found');
    expect(await first.read('kubectl get namespaces -o name', ADMIN)).not.toContain('verify');
  });

  it('keeps the way to the Services over a boot', async () => {
    await first.reboot();
    await first.read('systemctl start keel-service-route');
    expect(await first.read('ip route get 10.96.0.1')).toContain('dev eth0 src 10.99.0.11');
  });

  // What was not on the disk yet is empty after the cut, also the manifest of etcd, in which kubeadm reset looks for its data.
  it.each(['whole', 'empty'])(
    'is ended by the same command after a power cut while kubeadm runs that leaves %s files',
    async (kind) => {
      await second.stop();
      await first.read('kubeadm reset --force; rm -rf /srv/lan/*');
      const cut = install(first, '--init');
      await first.read('until [ -e /etc/kubernetes/manifests/kube-apiserver.yaml ]; do sleep 0.01; done');
      await first.crash();
      expect(await cut).toMatchObject({ status: null });
      await first.start();
      if (kind === 'empty')
        await first.read(
          'mkdir -p /var/lib/etcd/member; touch /var/lib/etcd/member/wal; find /etc/kubernetes /var/lib/kubelet -type f -exec truncate -s 0 {} +',
        );
      expect(await install(first, '--init')).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('an earlier --init did not finish'),
      });
      expect(await first.read('kubectl get nodes --no-headers', ADMIN)).toMatch(/^cp1 +Ready/);
    },
  );

  it('goes on with an --init whose end did not come, where its API server runs', async () => {
    writeFileSync(join(first.folder, 'var/lib/keel/initialising'), '');
    const { status, stdout, stderr } = await install(first, '--init');
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('FAIL') });
    expect(stdout).toContain('kubeadm continues from there');
    expect(await first.read('kubectl get nodes -o name', ADMIN)).toBe('node/cp1\n');
  });
});
