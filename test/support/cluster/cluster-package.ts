import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestHex, digestOf } from '../../../src/registry/oci/digest.ts';
import { UnpackedPackage } from '../unpacked-package.ts';
import { copyContainerd, writeClusterPrograms } from './cluster-programs.ts';

const FLANNEL = 'ghcr.io/flannel-io/flannel:v0.28.9';
const FLANNEL_PLUGIN = 'ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3';
export const FLANNEL_IMAGES: readonly string[] = [FLANNEL, FLANNEL_PLUGIN];
const NEWEST = '1.37.2';
const machine = process.arch === 'x64' ? 'amd64' : process.arch;

/** The images of kubeadm that are not of its own version, by minor versions. */
const BESIDES = {
  '1.36': ['coredns/coredns:v1.14.2', 'pause:3.10.2', 'etcd:3.6.8-0'],
  '1.37': ['coredns/coredns:v1.14.6', 'pause:3.10.2', 'etcd:3.7.0-0'],
} as const;

/** What the manifest of flannel says, cut to what decides whether it runs. */
export const FLANNEL_MANIFEST = `apiVersion: v1
kind: Namespace
metadata:
  name: kube-flannel
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: kube-flannel-ds
  namespace: kube-flannel
spec:
  selector:
    matchLabels: {app: flannel}
  template:
    metadata:
      labels: {app: flannel}
    spec:
      hostNetwork: true
      tolerations: [{operator: Exists}]
      initContainers:
        - name: install-cni-plugin
          image: ${FLANNEL_PLUGIN}
      containers:
        - name: kube-flannel
          image: ${FLANNEL}
          command:
            - /opt/bin/flanneld
          args:
            - --ip-masq
            - --kube-subnet-mgr
`;

/** Returns the names of the images that kubeadm of a version wants, such as 1.37.2. */
export function kubernetesImages(version: string): string[] {
  const own = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
  const besides = version.startsWith('1.36.') ? BESIDES['1.36'] : BESIDES['1.37'];
  return [...own.map((name) => `${name}:v${version}`), ...besides].map((name) => `registry.k8s.io/${name}`);
}

/** Writes an OCI image layout in which each name is an image of this machine, with one file in one layer. */
export function writeImageLayout(folder: string, names: readonly string[]): void {
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
  const blob = (mediaType: string, content: Buffer) => {
    const digest = digestOf(content);
    writeFileSync(join(folder, 'blobs/sha256', digestHex(digest)), content);
    return { mediaType, digest, size: content.length };
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const manifests = names.map((name) => {
    const tar = tarOf(name);
    const layer = blob('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(tar));
    const rootfs = { type: 'layers', diff_ids: [digestOf(tar)] };
    const image = { architecture: machine, os: 'linux', config: { Cmd: ['/program'] }, rootfs };
    const config = blob('application/vnd.oci.image.config.v1+json', json(image));
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = blob(mediaType, json({ schemaVersion: 2, mediaType, config, layers: [layer] }));
    const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name };
    return { ...manifest, annotations };
  });
  writeFileSync(join(folder, 'index.json'), json({ schemaVersion: 2, manifests }));
  writeFileSync(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

function tarOf(name: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'keel-layer-'));
  try {
    writeFileSync(join(folder, 'program'), `the program of ${name}\n`, { mode: 0o755 });
    const words = [
      '--sort=name',
      '--mtime=@0',
      '--owner=0',
      '--group=0',
      '-cf',
      '-',
      '-C',
      folder,
      'program',
    ];
    return execFileSync('tar', words);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Returns an unpacked package from which a Machine becomes a node of a cluster: stand-ins of kubeadm, kubelet and kubectl,
 * Debian's containerd, images that it imports, and flannel as an add-on. It lasts as long as the test; `seal` it after a change.
 */
export function clusterPackage(version = NEWEST): UnpackedPackage {
  const pack = new UnpackedPackage();
  const images = [...kubernetesImages(version), ...FLANNEL_IMAGES];
  writeClusterPrograms(join(pack.folder, 'kubernetes/bin'), version);
  copyContainerd(join(pack.folder, 'runtime/containerd/bin'));
  const pause = images.find((name) => name.includes('/pause:')) ?? '';
  const template = readFileSync('package/runtime/containerd/conf/config.containerd-1.toml.tmpl', 'utf8');
  pack.write('runtime/containerd/conf/config.toml', template.replace('{{.PauseImage}}', pause));
  const facts = {
    KUBERNETES_VERSION: version,
    ARCH: machine,
    PAUSE_IMAGE: pause,
    CONTAINERD_VERSION: '1.6.20',
  };
  const sizes = { IMAGES_SIZE: '1000000' };
  const lines = Object.entries({ ...facts, ...sizes }).map(([key, value]) => `${key}=${value}\n`);
  pack.write('install/package.env', lines.join(''));
  pack.write('kubernetes/addons/flannel.yaml', FLANNEL_MANIFEST);
  pack.write('install/addons', 'flannel\tkubernetes/addons/flannel.yaml\t10.244.0.0/16\n');
  pack.writeImages(images);
  writeImageLayout(join(pack.folder, 'images'), images);
  pack.seal();
  return pack;
}
