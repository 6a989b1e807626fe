import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import semver from 'semver';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CNI_FILE, KUBEADM_FILE, RUNTIME_FILE } from '../../scripts/tables/table-file.ts';
import { CNI_TABLE, type CniRow } from '../../src/config/kubernetes/cni-image-table.ts';
import { KUBEADM_TABLE } from '../../src/config/kubernetes/kubeadm-tag-table.ts';
import { NEWEST_CNI_PLUGINS, RUNTIME_TABLE } from '../../src/config/kubernetes/runtime-table.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { type UpstreamFault, UpstreamService } from '../support/upstream/upstream-service.ts';

const NEWEST_ROW = KUBEADM_TABLE.at(-1);
const NEWEST_RUNTIME = RUNTIME_TABLE.at(-1);
if (NEWEST_ROW === undefined || NEWEST_RUNTIME === undefined) throw new Error('a table is empty');
const { last: KNOWN, etcd, coredns, pause } = NEWEST_ROW;
const MINOR = semver.minor(KNOWN);
/** What upstream has and no table does: a patch with known tags, two of a new minor, and one that is not stable yet. */
const PATCH = `1.${MINOR}.${semver.patch(KNOWN) + 1}`;
const [FIRST, SECOND, NEXT] = [`1.${MINOR + 1}.0`, `1.${MINOR + 1}.1`, `1.${MINOR + 2}.0-rc.0`];
const NEW = { etcd: '9.8.0-0', coredns: 'v9.15.0', pause: '9.11' };
const CONTAINERD = semver.inc(NEWEST_RUNTIME.containerd, 'patch') ?? '';

const RELEASES_PAGE = 'raw.githubusercontent.com/containerd/containerd/main/RELEASES.md';
const PLUGINS_PAGE = 'github.com/containernetworking/plugins/releases/latest';
const constants = (version: string): string =>
  `raw.githubusercontent.com/kubernetes/kubernetes/v${version}/cmd/kubeadm/app/constants/constants.go`;
const runcVersion = (containerd: string): string =>
  `raw.githubusercontent.com/containerd/containerd/v${containerd}/script/setup/runc-version`;

/** The images of network plugins after a release of flannel with one more image, and one of calico with one less. */
const NETWORKS: readonly CniRow[] = [
  ...CNI_TABLE.filter(({ image }) => image !== 'quay.io/calico/whisker').map((row): CniRow => {
    const next = { calico: 'v9.1.0', flannel: 'v9.2.0', cilium: row.release }[row.plugin];
    return { ...row, release: next, tag: row.tag === row.release ? next : row.tag };
  }),
  {
    plugin: 'flannel',
    release: 'v9.2.0',
    image: 'ghcr.io/flannel-io/flannel-extra',
    tag: 'v1.0.0',
    use: 'needed',
  },
];

/** Upstream as the tables have it, and what is new besides. */
async function upstream(): Promise<UpstreamService> {
  const service = await UpstreamService.start([
    { version: PATCH, etcd, coredns, pause },
    { version: FIRST, ...NEW },
    { version: SECOND, ...NEW, etcd: '9.8.1-0' },
    { version: NEXT, ...NEW },
  ]);
  onTestFinished(() => service[Symbol.asyncDispose]());
  for (const { last } of KUBEADM_TABLE) {
    const minor = semver.minor(last);
    if (minor !== MINOR) service.put(`dl.k8s.io/release/stable-1.${minor}.txt`, `v${last}\n`);
  }
  for (const { containerd, runc } of [...RUNTIME_TABLE, { containerd: CONTAINERD, runc: '9.4.0' }]) {
    const file = `containerd-${containerd}-linux-amd64.tar.gz`;
    service.put(
      `github.com/containerd/containerd/releases/download/v${containerd}/${file}.sha256sum`,
      `${'a1'.repeat(32)}  ${file}\n`,
    );
    service.put(runcVersion(containerd), `v${runc}\n`);
  }
  const listed = RUNTIME_TABLE.flatMap(({ minor, support }) =>
    support === undefined ? [] : [`| 1.${minor} | ${support.containerd} | ${support.cri} |`],
  );
  const page = [
    '| Kubernetes Version | containerd Version | CRI Version |',
    '|---|---|---|',
    ...listed,
    `| 1.${MINOR + 1} | ${CONTAINERD}+ | v1 |`,
    '',
  ];
  service.put(RELEASES_PAGE, page.join('\n'));
  service.fail(PLUGINS_PAGE, {
    kind: 'redirect',
    to: 'https://github.com/containernetworking/plugins/releases/tag/v9.9.0',
  });
  return service;
}

/** A checkout with the files that "make tables" writes. */
function checkout(): string {
  const folder = scratchFolder();
  cpSync('src/config/kubernetes', join(folder, 'src/config/kubernetes'), { recursive: true });
  return folder;
}

async function makeTables(service: UpstreamService, cwd: string) {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [resolve('build/scripts/tables.js')], {
    cwd,
    env: { ...inherited, ...service.environment, NO_PROXY: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: child.exitCode, stdout, stderr };
}

function files(folder: string): { kubeadm: string; runtimes: string; networks: string } {
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  return { kubeadm: read(KUBEADM_FILE), runtimes: read(RUNTIME_FILE), networks: read(CNI_FILE) };
}

test('releases that no table has ever heard of become rows, in words too, and a second run changes nothing', async () => {
  const [service, folder] = [await upstream(), checkout()];
  const first = await makeTables(service, folder);
  expect(first).toMatchObject({ status: 0, stderr: '' });
  expect(first.stdout.split('\n')).toEqual(
    expect.arrayContaining([
      `kubeadm ${PATCH}: etcd ${etcd}, coredns ${coredns}, pause ${pause}, as ${KNOWN}`,
      `kubeadm ${FIRST}: etcd 9.8.0-0, coredns v9.15.0, pause 9.11`,
      `kubeadm ${SECOND}: etcd 9.8.1-0, coredns v9.15.0, pause 9.11`,
      `Kubernetes 1.${MINOR}: containerd ${CONTAINERD} in place of ${NEWEST_RUNTIME.containerd}`,
      `Kubernetes 1.${MINOR + 1}: containerd ${CONTAINERD}, runc 9.4.0; supported by upstream: ${CONTAINERD}+`,
      `CNI plugins 9.9.0 in place of ${NEWEST_CNI_PLUGINS}`,
    ]),
  );
  expect(first.stdout).not.toContain(NEXT);
  const written = files(folder);
  expect(written.kubeadm).toContain(
    `  row('${FIRST}', '${FIRST}', '9.8.0-0', 'v9.15.0', '9.11'),\n  row('${SECOND}', '${SECOND}', '9.8.1-0', 'v9.15.0', '9.11'),\n];`,
  );
  expect(written.runtimes).toMatch(
    /^ {2}row\(\d+, listed\('\d{4}-\d{2}-\d{2}', '[\d.]+\+', 'v1'\), '[\d.]+', '9\.4\.0'\),\n\];/m,
  );

  expect(await makeTables(service, folder)).toEqual({
    status: 0,
    stdout: 'The tables are what upstream has.\n',
    stderr: '',
  });
  expect(files(folder)).toEqual(written);
});

test('what the tables know is not asked for', async () => {
  const service = await upstream();
  await makeTables(service, checkout());
  const asked = service.asked().filter((address) => address.includes('/constants.go'));
  expect(asked.toSorted()).toEqual([PATCH, FIRST, SECOND].map(constants).toSorted());
});

test('an image that appears in a list of a network plugin becomes a row, and one that goes is told', async () => {
  const [service, folder] = [await upstream(), checkout()];
  service.networks(NETWORKS);
  const first = await makeTables(service, folder);
  expect(first).toMatchObject({ status: 0, stderr: '' });
  expect(first.stdout.split('\n')).toEqual(
    expect.arrayContaining([
      'flannel v9.2.0: ghcr.io/flannel-io/flannel-extra is new, with v1.0.0 (needed)',
      'calico: quay.io/calico/whisker has gone',
    ]),
  );
  const written = files(folder);
  expect(written.networks).toContain(
    "  row('calico', 'v9.1.0', 'quay.io/calico/node', 'v9.1.0', 'needed'),\n",
  );
  expect(written.networks).not.toContain("'quay.io/calico/whisker'");
  expect(await makeTables(service, folder)).toMatchObject({
    stdout: 'The tables are what upstream has.\n',
  });
  expect(files(folder)).toEqual(written);
});

const HTML: UpstreamFault = { kind: 'content', content: '<!DOCTYPE html><title>Log in</title>' };

describe('nothing is written where upstream answers', () => {
  test.each<[string, string, UpstreamFault, string]>([
    [
      'with constants of other names',
      constants(FIRST),
      { kind: 'content', content: 'package constants\n\nconst EtcdTag = "3.7.3-0"\n' },
      `kubeadm ${FIRST}: kubeadm's constants at kubernetes v${FIRST}: `,
    ],
    [
      'with constants in another file',
      constants(SECOND),
      { kind: 'status', status: 404 },
      `kubeadm ${SECOND}: `,
    ],
    ['with a page of HTML for the newest release', 'dl.k8s.io/release/stable.txt', HTML, 'Kubernetes: '],
    [
      'with an older patch than a known one',
      `dl.k8s.io/release/stable-1.${MINOR}.txt`,
      { kind: 'content', content: `v1.${MINOR}.0\n` },
      `Kubernetes 1.${MINOR}: 1.${MINOR}.0 is older than ${KNOWN}`,
    ],
    [
      'with no release of a known minor',
      `dl.k8s.io/release/stable-1.${MINOR}.txt`,
      { kind: 'status', status: 404 },
      `Kubernetes 1.${MINOR}: upstream has no such release`,
    ],
    [
      "with another table in containerd's RELEASES.md",
      RELEASES_PAGE,
      { kind: 'content', content: '| Kubernetes | containerd |\n|---|---|\n| 1.38 | 2.4 |\n' },
      'containerd: ',
    ],
    ['with a page of HTML for the version of runc', runcVersion(CONTAINERD), HTML, 'runc: '],
    [
      'with a redirect elsewhere for the newest CNI plugins',
      PLUGINS_PAGE,
      { kind: 'redirect', to: 'https://github.com/login' },
      'CNI plugins: ',
    ],
    [
      'with a page of HTML for the values of cilium',
      'raw.githubusercontent.com/cilium/cilium/',
      HTML,
      'cilium: ',
    ],
    [
      'with values of cilium that are no YAML',
      'raw.githubusercontent.com/cilium/cilium/',
      { kind: 'content', content: 'image: {{\n  - x: [' },
      'cilium: ',
    ],
    [
      'with no list of flannel',
      'raw.githubusercontent.com/flannel-io/flannel/',
      { kind: 'status', status: 404 },
      'flannel: ',
    ],
    [
      'with an operator of calico for another release',
      'raw.githubusercontent.com/tigera/operator/',
      { kind: 'content', content: 'Version: "v1.0.0",\n Image: "node",\n' },
      'calico: its operator ',
    ],
    [
      'with a list that is endless',
      'raw.githubusercontent.com/projectcalico/calico/',
      { kind: 'endless' },
      'calico: ',
    ],
    ['with a reset connection', 'dl.k8s.io/release/stable-1.22.txt', { kind: 'reset' }, 'Kubernetes 1.22: '],
  ])('%s', async (_, address, fault, told) => {
    const [service, folder] = [await upstream(), checkout()];
    const before = files(folder);
    service.fail(address, fault);
    const { status, stdout, stderr } = await makeTables(service, folder);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(told);
    expect(stderr).toContain('nothing was written');
    expect(files(folder)).toEqual(before);
  });
});
