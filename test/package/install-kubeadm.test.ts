import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { runLibrary, SHELLS } from '../support/install-library.ts';
import { UnpackedPackage, writeFile } from '../support/unpacked-package.ts';

const OWN = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
const BESIDES = ['coredns/coredns:v1.14.6', 'etcd:3.7.0-0', 'pause:3.10.2'];
const KUBEADM = `#!/bin/sh
for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do echo "$7/$name:$5"; done
case $7 in registry.k8s.io) echo "$7/coredns/coredns:v1.14.6" ;; *) echo "$7/coredns:v1.14.6" ;; esac
echo "$7/etcd:3.7.0-0"
`;

interface Circumstances {
  readonly version?: string;
  readonly settings?: string;
  readonly images?: readonly string[];
}

/** Returns the documents of a configuration that is made of a package. */
function documents(
  shell: string,
  what: string,
  { version = '1.37.1', settings = '', images }: Circumstances,
) {
  const pack = new UnpackedPackage();
  const names = [...OWN.map((name) => `${name}:v${version}`), ...BESIDES];
  pack.writeImages(images ?? names.map((name) => `registry.k8s.io/${name}`));
  pack.write('install/addons', 'flannel\tkubernetes/addons/flannel.yaml\t10.244.0.0/16\n');
  pack.seal();
  writeFile(`${pack.workplace}/kubeadm`, KUBEADM, 0o755);
  const script = `here=$1 PATH=$2:$PATH version=${version}\n${settings}\n${what} | grep .`;
  const { stdout, stderr } = runLibrary(shell, script, [pack.folder, pack.workplace]);
  expect(stderr).toBe('');
  return parseAllDocuments(stdout).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as unknown;
  });
}

const LINE = `kubeadm join 10.0.0.1:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:${'5a'.repeat(32)}`;

describe.each(SHELLS)('the configuration of kubeadm, in %s', (shell) => {
  it('says what is packed, and that nothing is pulled', () => {
    expect(documents(shell, 'init_configuration', {})).toEqual([
      {
        apiVersion: 'kubeadm.k8s.io/v1beta4',
        kind: 'InitConfiguration',
        localAPIEndpoint: { advertiseAddress: '10.0.0.11' },
        nodeRegistration: {
          criSocket: 'unix:///run/containerd/containerd.sock',
          imagePullPolicy: 'Never',
          kubeletExtraArgs: [{ name: 'node-ip', value: '10.0.0.11' }],
        },
        timeouts: { controlPlaneComponentHealthCheck: '10m0s', kubernetesAPICall: '3m0s' },
      },
      {
        apiVersion: 'kubeadm.k8s.io/v1beta4',
        kind: 'ClusterConfiguration',
        kubernetesVersion: 'v1.37.1',
        controlPlaneEndpoint: '10.0.0.11:6443',
        networking: { serviceSubnet: '10.96.0.0/12', podSubnet: '10.244.0.0/16' },
      },
    ]);
  });

  it('is of the form that an older version reads', () => {
    expect(documents(shell, 'init_configuration', { version: '1.30.4' })).toMatchObject([
      {
        apiVersion: 'kubeadm.k8s.io/v1beta3',
        nodeRegistration: { kubeletExtraArgs: { 'node-ip': '10.0.0.11' } },
      },
      { apiVersion: 'kubeadm.k8s.io/v1beta3', apiServer: { timeoutForControlPlane: '10m0s' } },
    ]);
  });

  it('says where images are that have another name', () => {
    const images = [
      ...OWN.map((name) => `registry.example.com/k8s/${name}:v1.37.1`),
      'registry.example.com/dns/coredns:v1.14.6',
      'registry.example.com/k8s/etcd:3.7.1-0',
    ];
    expect(documents(shell, 'init_configuration', { images })[1]).toMatchObject({
      imageRepository: 'registry.example.com/k8s',
      dns: { imageRepository: 'registry.example.com/dns' },
      etcd: { local: { imageRepository: 'registry.example.com/k8s', imageTag: '3.7.1-0' } },
    });
  });

  it('lets one machine with a network of its own run pods', () => {
    expect(documents(shell, 'init_configuration', { settings: 'bridge_network=yes' })).toMatchObject([
      { nodeRegistration: { taints: [] } },
      { networking: { podSubnet: '10.244.0.0/24' } },
    ]);
  });

  it('lets images be pulled that were not imported', () => {
    expect(documents(shell, 'init_configuration', { settings: 'wants_images=no' })[0]).toMatchObject({
      nodeRegistration: { imagePullPolicy: 'IfNotPresent' },
    });
  });

  it.each([
    ['a worker', '', {}],
    [
      'a control plane',
      ` --control-plane --certificate-key ${'7b'.repeat(32)}`,
      {
        controlPlane: {
          localAPIEndpoint: { advertiseAddress: '10.0.0.11' },
          certificateKey: '7b'.repeat(32),
        },
      },
    ],
  ])('of %s is that of the line', (_, more, expected) => {
    const settings = `join_line='${LINE}${more}'; read_join_line`;
    expect(documents(shell, 'join_configuration', { settings })).toEqual([
      {
        apiVersion: 'kubeadm.k8s.io/v1beta4',
        kind: 'JoinConfiguration',
        discovery: {
          bootstrapToken: {
            apiServerEndpoint: '10.0.0.1:6443',
            token: 'abcdef.0123456789abcdef',
            caCertHashes: [`sha256:${'5a'.repeat(32)}`],
          },
        },
        nodeRegistration: {
          criSocket: 'unix:///run/containerd/containerd.sock',
          imagePullPolicy: 'Never',
          kubeletExtraArgs: [{ name: 'node-ip', value: '10.0.0.11' }],
        },
        timeouts: { controlPlaneComponentHealthCheck: '10m0s', kubernetesAPICall: '3m0s' },
        ...expected,
      },
    ]);
  });
});

describe.each(SHELLS)('what kubeadm said when it failed, in %s', (shell) => {
  it.each([
    [
      'failed to run Kubelet: running with swap on is not supported, please disable swap',
      'swap is on: run swapoff -a',
    ],
    [
      '\t[ERROR Port-10250]: Port 10250 is in use',
      'another program uses a port that Kubernetes needs: find it with ss -ltnp',
    ],
    [
      'could not find a JWS signature in the cluster-info ConfigMap for token ID "abcdef"',
      'run ./install.sh --init on the first machine again to print a new line',
    ],
    ['x509: certificate has expired or is not yet valid', 'the clocks of the machines differ'],
    [
      '\t[ERROR CreateJob]: Job "upgrade-health-check-1" in the namespace "kube-system" did not complete in 1m0s',
      'the cluster ran no pod within a minute',
    ],
    ['write /var/lib/etcd/x: no space left on device', 'the disk is full'],
  ])('is told with what mends it: %s', (said, reason) => {
    const { workplace } = new UnpackedPackage();
    writeFile(`${workplace}/log`, `${said}\n`);
    writeFile(`${workplace}/journalctl`, '#!/bin/sh\n', 0o755);
    const script = 'work=$1 PATH=$1:$PATH; likely_reason join "$1/log"';
    expect(runLibrary(shell, script, [workplace]).stdout).toContain(reason);
  });

  it('is printed before the reason, with the log that has all of it', () => {
    const { workplace } = new UnpackedPackage();
    writeFile(`${workplace}/kubeadm`, '#!/bin/sh\necho "[init] x"; echo "ERROR CRI: y" >&2; exit 1\n', 0o755);
    writeFile(`${workplace}/journalctl`, '#!/bin/sh\n', 0o755);
    const script = 'work=$1 state=$1 PATH=$1:$PATH; run_kubeadm "$1/log" "kubeadm begins" init';
    const { status, stderr } = runLibrary(shell, script, [workplace]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^\[init\] x\nERROR CRI: y\ninstall\.sh: kubeadm init failed after \d+ s; its whole output is in .*\/log\ninstall\.sh: likely: containerd does not answer/,
    );
  });

  it('is not explained where nobody knows it', () => {
    const { workplace } = new UnpackedPackage();
    writeFile(`${workplace}/log`, 'all is well\n');
    // A kubelet says so of every API server that begins.
    writeFile(`${workplace}/journalctl`, '#!/bin/sh\necho "dial tcp: connection refused"\n', 0o755);
    expect(runLibrary(shell, 'work=$1 PATH=$1:$PATH; likely_reason init "$1/log"', [workplace]).stdout).toBe(
      '',
    );
  });
});
