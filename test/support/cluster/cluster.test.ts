import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Machine } from '../machine/machine.ts';
import { FLANNEL_IMAGES, FLANNEL_MANIFEST, kubernetesImages, writeImageLayout } from './cluster-package.ts';
import { copyContainerd, describeWithCluster, writeClusterPrograms } from './cluster-programs.ts';

const ADMIN = { environment: { KUBECONFIG: '/etc/kubernetes/admin.conf' } };
const INIT = 'kubeadm init --pod-network-cidr 10.244.0.0/16 --control-plane-endpoint 10.99.0.11';
const CONTAINERD = `[Service]
Type=notify
ExecStart=/usr/local/bin/containerd
Delegate=yes
[Install]
WantedBy=multi-user.target
`;
const KUBELET = `[Service]
Environment=ARGS=
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=/usr/local/bin/kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf $KUBELET_KUBEADM_ARGS
Restart=always
RestartSec=10
[Install]
WantedBy=multi-user.target
`;

/** Places what a package brings, without install.sh. */
async function prepare(machine: Machine, version: string): Promise<void> {
  writeClusterPrograms(join(machine.folder, 'usr/local/bin'), version);
  copyContainerd(join(machine.folder, 'usr/local/bin'));
  writeFileSync(join(machine.folder, 'etc/systemd/system/containerd.service'), CONTAINERD);
  writeFileSync(join(machine.folder, 'etc/systemd/system/kubelet.service'), KUBELET);
  writeFileSync(join(machine.folder, 'root/flannel.yaml'), FLANNEL_MANIFEST);
  writeFileSync(join(machine.folder, 'etc/sysctl.d/99-zz.conf'), 'net.ipv4.ip_forward = 1\n');
  writeFileSync(join(machine.folder, 'etc/modules-load.d/some.conf'), 'nf_conntrack\n');
  await machine.read(
    'systemctl daemon-reload && systemctl enable --now containerd && systemctl enable kubelet',
  );
  await importImages(machine, version);
  await machine.read('systemctl restart systemd-modules-load systemd-sysctl');
}

async function importImages(machine: Machine, version: string): Promise<void> {
  const layout = join(machine.folder, 'root', version);
  writeImageLayout(layout, [...kubernetesImages(version), ...FLANNEL_IMAGES]);
  await machine.read(`tar -C ${version} -cf - . | ctr -n k8s.io images import -`);
}

describeWithCluster('the stand-ins of a cluster', () => {
  let lan: string;
  let first: Machine;
  let second: Machine;

  beforeAll(async () => {
    lan = mkdtempSync(join(tmpdir(), 'keel-lan-'));
    const gateway = '10.99.0.1';
    [first, second] = await Promise.all([
      Machine.start({ name: 'cp1', lan, address: '10.99.0.11/24', gateway }),
      Machine.start({ name: 'w1', lan, address: '10.99.0.12/24', gateway }),
    ]);
    await Promise.all([prepare(first, '1.36.3'), prepare(second, '1.36.3')]);
  });

  afterAll(async () => {
    await Promise.all([first, second].map((machine) => machine[Symbol.asyncDispose]()));
    rmSync(lan, { recursive: true });
  });

  /** Runs kubeadm and returns what it said when it refused. */
  async function refusal(machine: Machine, command: string, input = ''): Promise<string> {
    const { status, stderr } = await machine.exec(command, { input });
    expect({ command, status }).toEqual({ command, status: 1 });
    return stderr;
  }

  it('refuse what is wrong with the machine, all together', async () => {
    await first.read('sysctl -q net.ipv4.ip_forward=0; systemctl stop containerd');
    const said = await refusal(first, INIT);
    expect(said).toContain('[ERROR CRI]');
    expect(said).toContain('[ERROR FileContent--proc-sys-net-ipv4-ip_forward]');
    await first.read('sysctl -q net.ipv4.ip_forward=1; systemctl start containerd');
  });

  it.each([
    ['a version that is newer', 'v1beta3', 'kubernetesVersion: v1.37.0', 'newer than this kubeadm'],
    [
      'a version two minors older',
      'v1beta4',
      'kubernetesVersion: v1.34.0',
      'only supports deploying clusters',
    ],
    ['a field that nobody knows', 'v1beta4', 'podSubnet: 10.244.0.0/16', 'unknown field "podSubnet"'],
    [
      'a version of the configuration to come',
      'v1beta5',
      'kubernetesVersion: v1.36.3',
      'is registered for version',
    ],
    ['images that are not there', 'v1beta4', 'kubernetesVersion: v1.36.2', '[ERROR ImagePull]'],
  ])('refuse %s', async (_, version, line, said) => {
    const input = `apiVersion: kubeadm.k8s.io/${version}\nkind: ClusterConfiguration\n${line}\n`;
    expect(await refusal(first, 'cat >c.yaml; kubeadm init --config c.yaml', input)).toContain(said);
  });

  it('make a cluster, whose network needs its manifest', async () => {
    expect(await first.read(INIT)).toContain('Your Kubernetes control-plane has initialized successfully!');
    expect(await first.read('kubectl get nodes --no-headers', ADMIN)).toMatch(
      /^cp1 +NotReady +control-plane +1m +v1.36.3\n$/,
    );
    await first.read('kubectl apply -f flannel.yaml && kubectl wait --for=condition=Ready node --all', ADMIN);
    await first.read('kubectl -n kube-system rollout status ds/kube-proxy', ADMIN);
    await first.read('kubectl -n kube-system rollout status deployment coredns', ADMIN);
    expect(await refusal(first, INIT)).toContain('kube-apiserver.yaml already exists');
  });

  it('let machines join that know the token and the authority', async () => {
    const line = (await first.read('kubeadm token create --print-join-command')).trim();
    expect(await refusal(second, line.replace(/--token \S+/, '--token aaaaaa.aaaaaaaaaaaaaaaa'))).toContain(
      'token ID "aaaaaa"',
    );
    expect(await refusal(second, line.replace(/sha256:\S+/, `sha256:${'0'.repeat(64)}`))).toContain(
      'are pinned',
    );
    expect(await refusal(second, `${line} --control-plane`)).toContain('kubeadm-certs');
    expect(await second.read(line)).toContain('This node has joined the cluster');
    await first.read('kubectl wait --for=condition=Ready node --all', ADMIN);
    expect(await first.read('kubectl get nodes -o name', ADMIN)).toBe('node/cp1\nnode/w1\n');
    const addresses = `-o jsonpath='{range .items[*]}{.metadata.name}{"\\t"}{.status.addresses[?(@.type=="InternalIP")].address}{"\\n"}{end}'`;
    expect(await first.read(`kubectl get nodes ${addresses}`, ADMIN)).toBe(
      'cp1\t10.99.0.11\nw1\t10.99.0.12\n',
    );
  });

  it('run after both were off, and know of one that is', async () => {
    await second.crash();
    expect(await first.read('kubectl get node w1 --no-headers', ADMIN)).toContain('NotReady');
    await Promise.all([first.reboot(), second.start()]);
    await first.read('until kubectl get --raw /readyz; do sleep 0.1; done 2>/dev/null', ADMIN);
    await first.read('kubectl wait --for=condition=Ready node --all', ADMIN);
  });

  it('keep to the order of an upgrade', async () => {
    expect(await refusal(first, 'kubeadm upgrade apply v1.37.2 --yes')).toContain('Upgrade kubeadm first');
    await importImages(first, '1.37.2');
    writeClusterPrograms(join(first.folder, 'root/new'), '1.37.2');
    // A kubelet that is newer than its API server ends.
    await first.read(
      'cp /usr/local/bin/kubelet old; cp new/kubelet /usr/local/bin/kubelet.new; mv /usr/local/bin/kubelet.new /usr/local/bin/kubelet; systemctl restart kubelet',
    );
    await first.read(
      'until journalctl -u kubelet | grep -q "not a supported version skew"; do sleep 0.1; done',
    );
    await first.read(
      'mv old /usr/local/bin/kubelet; systemctl reset-failed kubelet; systemctl restart kubelet',
    );
    await first.read('until kubectl get --raw /readyz; do sleep 0.1; done 2>/dev/null', ADMIN);
    expect(await first.read('new/kubeadm upgrade apply v1.37.2 --yes')).toContain('SUCCESS');
    expect(await first.read('kubectl get --raw /version', ADMIN)).toContain('"gitVersion": "v1.37.2"');
    expect(
      await first.read(
        "kubectl -n kube-system get cm kubeadm-config -o jsonpath='{.data.ClusterConfiguration}'",
        ADMIN,
      ),
    ).toContain('kubernetesVersion: v1.37.2');
  });

  it('leave nothing of the machine in the cluster after a reset but what the real one leaves', async () => {
    expect(await first.read('kubeadm reset -f; ls /etc/kubernetes/*.conf /etc/cni/net.d; :')).toContain(
      '10-flannel.conflist',
    );
    expect(
      (await second.exec('kubectl --kubeconfig /etc/kubernetes/kubelet.conf get nodes')).stderr,
    ).toContain('was refused');
  });

  it('fail as in the field where the machine is not fit', async () => {
    await first.reboot({ address: '10.99.0.11/24', swap: true });
    expect(await refusal(first, INIT)).toContain('cannot use "0.0.0.0"');
    expect(await refusal(first, `${INIT} --apiserver-advertise-address 10.99.0.11`)).toContain(
      'context deadline exceeded',
    );
    expect(await first.read('journalctl -u kubelet')).toContain('running with swap on is not supported');
  });
});
