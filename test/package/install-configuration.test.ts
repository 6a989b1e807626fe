import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scratchFolder } from '../support/scratch-folder.ts';

/** Returns what install.sh takes for an image of Kubernetes: its repository and its tag. */
function packedImage(known: string, lists: Readonly<Record<string, string>>): string {
  const here = scratchFolder();
  mkdirSync(join(here, 'install'));
  for (const [name, text] of Object.entries(lists)) writeFileSync(join(here, 'install', name), text);
  const names = Object.keys(lists).map((name) => `${'0'.repeat(64)}  install/${name}\n`);
  writeFileSync(join(here, 'SHA256SUMS'), names.join(''));
  const read = ['text', 'package', 'images', 'configuration'].map((name) => `. package/install/${name}.sh`);
  const script = `newline='\n'\nhere=$1\n${read.join('\n')}\npacked_image "$2"`;
  return execFileSync('sh', ['-euc', script, 'sh', here, known], { encoding: 'utf8' }).trim();
}

const IMAGES = [
  'registry.cn-hangzhou.aliyuncs.com/keel/coredns:v1.14.6',
  'registry.cn-hangzhou.aliyuncs.com/keel/kube-apiserver:v1.37.1',
  'registry.k8s.io/coredns/coredns:v1.14.6',
  'registry.k8s.io/kube-apiserver:v1.37.1',
];
const images = IMAGES.map((name) => `${name}\t-\n`).join('');

it.each([
  ['kube-apiserver', 'registry.k8s.io v1.37.1'],
  ['coredns', 'registry.k8s.io/coredns v1.14.6'],
])('kubeadm is told the name that %s has at its maker, which the next package has too', (known, expected) => {
  const facts = `KUBE_APISERVER_IMAGE=${IMAGES[3]}\nCOREDNS_IMAGE=${IMAGES[2]}\n`;
  expect(packedImage(known, { images, 'package.env': facts })).toBe(expected);
});

it('kubeadm is told any name that ends as it should where the packer wrote down none', () => {
  const facts = 'ARCH=amd64\n';
  expect(packedImage('kube-apiserver', { images, 'package.env': facts })).toBe(
    'registry.cn-hangzhou.aliyuncs.com/keel v1.37.1',
  );
  expect(packedImage('etcd', { images, 'package.env': facts })).toBe('');
});
