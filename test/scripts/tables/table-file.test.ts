import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  CNI_FILE,
  fillCniFile,
  fillKubeadmFile,
  fillRuntimeFile,
  KUBEADM_FILE,
  RUNTIME_FILE,
} from '../../../scripts/tables/table-file.ts';
import type { UpstreamTables } from '../../../scripts/tables/upstream-tables.ts';
import { CNI_TABLE } from '../../../src/config/kubernetes/cni-image-table.ts';
import { KUBEADM_TABLE } from '../../../src/config/kubernetes/kubeadm-tag-table.ts';
import { NEWEST_CNI_PLUGINS, RUNTIME_TABLE } from '../../../src/config/kubernetes/runtime-table.ts';

const KUBEADM = readFileSync(KUBEADM_FILE, 'utf8');
const RUNTIMES = readFileSync(RUNTIME_FILE, 'utf8');
const NETWORKS = readFileSync(CNI_FILE, 'utf8');
const TABLES: UpstreamTables = {
  kubeadm: KUBEADM_TABLE,
  runtimes: RUNTIME_TABLE,
  cniPlugins: NEWEST_CNI_PLUGINS,
  cniImages: CNI_TABLE,
};

test('the files are as "make tables" writes them, and stay to the letter where nothing changed', () => {
  expect(fillKubeadmFile(KUBEADM, TABLES, '2040-01-02')).toBe(KUBEADM);
  expect(fillRuntimeFile(RUNTIMES, TABLES, '2040-01-02')).toBe(RUNTIMES);
  expect(fillCniFile(NETWORKS, TABLES, '2040-01-02')).toBe(NETWORKS);
});

test('a row more changes the day, and nothing else', () => {
  const row = { first: '1.99.0', last: '1.99.1', etcd: '9.9.9-0', coredns: 'v9.9.9', pause: '9.9' };
  const filled = fillKubeadmFile(KUBEADM, { ...TABLES, kubeadm: [...KUBEADM_TABLE, row] }, '2040-01-02');
  expect(filled).toContain("  row('1.99.0', '1.99.1', '9.9.9-0', 'v9.9.9', '9.9'),\n];");
  expect(filled).toContain('as of 2040-01-02');
  expect(filled.split('\n')).toHaveLength(KUBEADM.split('\n').length + 1);
});

test('a minor with the words of upstream, one without, and other CNI plugins are written', () => {
  const support = { day: '2040-01-02', containerd: '9.1.0+, 9.0.1+', cri: 'v1' };
  const runtimes = [
    { minor: 98, support, containerd: '9.0.1', runc: '8.0.0' },
    { minor: 99, support: undefined, containerd: '9.1.2', runc: '8.1.0' },
  ];
  const filled = fillRuntimeFile(RUNTIMES, { ...TABLES, runtimes, cniPlugins: '7.0.0' }, '2040-01-02');
  expect(filled).toContain(`= [
  row(98, listed('2040-01-02', '9.1.0+, 9.0.1+', 'v1'), '9.0.1', '8.0.0'),
  row(99, undefined, '9.1.2', '8.1.0'),
];`);
  expect(filled).toContain("export const NEWEST_CNI_PLUGINS = '7.0.0';");
});

test('text of upstream cannot end the text that it stands in', () => {
  const row = { first: "1.99.0', run(), '", last: '\\', etcd: '', coredns: '', pause: '' };
  expect(fillKubeadmFile(KUBEADM, { ...TABLES, kubeadm: [row] }, '2040-01-02')).toContain(
    `  row('1.99.0\\', run(), \\'', '\\\\', '', '', ''),\n];`,
  );
});

test('a file in another form is not written', () => {
  expect(() => fillKubeadmFile('export const KUBEADM_TABLE = 1;', TABLES, '2040-01-02')).toThrow(
    'nothing in the file looks like',
  );
});

test('a newer release of a network plugin changes its rows, the link to its list, and the day', () => {
  const cniImages = CNI_TABLE.map((row) =>
    row.plugin === 'flannel' ? { ...row, release: 'v9.9.9', tag: 'v9.9.9' } : row,
  );
  const filled = fillCniFile(NETWORKS, { ...TABLES, cniImages }, '2040-01-02');
  expect(filled).toContain("  row('flannel', 'v9.9.9', 'ghcr.io/flannel-io/flannel', 'v9.9.9', 'needed'),");
  expect(filled).toContain('flannel-io/flannel/blob/v9.9.9/Documentation/kube-flannel.yml');
  expect(filled).toContain('as of 2040-01-02');
  expect(filled.split('\n')).toHaveLength(NETWORKS.split('\n').length);
});
