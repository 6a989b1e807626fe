import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesEntry, type FileEntry } from '../../src/pack/archive/entry.ts';
import { installLists } from '../../src/pack/contents/install-lists.ts';
import { describeWith } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const SETTINGS = {
  kubernetes: '1.37.1',
  arch: 'amd64',
  pauseImage: 'registry.k8s.io/pause:3.10.2',
  kubeadmImages: new Map([['kube-apiserver', 'registry.example/k8s/kube-apiserver:v1.37.1']]),
  containerd: 'v2.3.4',
  imagesSize: 1234,
};

function program(path: string): FileEntry {
  return bytesEntry(path, 'program', 0o755);
}

function data(path: string): FileEntry {
  return bytesEntry(path, 'data');
}

function lists(
  files: readonly FileEntry[],
  images: [string, string | undefined][] = [],
  settings: Partial<typeof SETTINGS> | { readonly containerd: undefined } = {},
): Record<string, string> {
  const given = { files, images: new Map(images), addons: [], settings: { ...SETTINGS, ...settings } };
  return Object.fromEntries(installLists(given));
}

/** The rows of install/files, each as its fields. */
function rows(files: readonly FileEntry[]): string[][] {
  const text = lists(files)['install/files'] ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

describe('install/files', () => {
  it.each([
    ['kubernetes/bin/kubelet', 'kubelet', '/usr/local/bin/kubelet'],
    ['kubernetes/bin/kubeadm', 'kubeadm', '/usr/local/bin/kubeadm'],
    ['kubernetes/bin/kubectl', 'kubectl', '/usr/local/bin/kubectl'],
    ['kubernetes/bin/helm', 'program', '/usr/local/bin/helm'],
    ['kubernetes/cni/bridge', 'cni', '/opt/cni/bin/bridge'],
    ['runtime/containerd/bin/containerd', 'containerd', '/usr/local/bin/containerd'],
    [
      'runtime/containerd/bin/containerd-shim-runc-v2',
      'containerd',
      '/usr/local/bin/containerd-shim-runc-v2',
    ],
    ['runtime/containerd/bin/ctr', 'containerd', '/usr/local/bin/ctr'],
    ['runtime/containerd/bin/runc', 'runc', '/usr/local/bin/runc'],
    ['runtime/containerd/bin/crictl', 'crictl', '/usr/local/bin/crictl'],
    ['runtime/containerd/bin/nerdctl', 'program', '/usr/local/bin/nerdctl'],
  ])('has the part and place of the program %s', (path, part, place) => {
    expect(rows([program(path)])).toContainEqual(['0755', part, path, place]);
  });

  it.each([
    ['a file that cannot be run', data('kubernetes/cni/LICENSE')],
    ['a program below a folder of programs', program('kubernetes/bin/more/tool')],
    ['a program elsewhere', program('tools/tool')],
    ['a program beside the configuration', program('kubernetes/conf/tool')],
  ])('leaves out %s', (_, file) => {
    expect(rows([file])).toEqual([]);
  });

  const CONF = [
    'kubernetes/conf/kubelet.service',
    'kubernetes/conf/10-kubeadm.conf',
    'kubernetes/conf/sysctl.conf',
    'kubernetes/conf/modules.conf',
    'kubernetes/conf/cni/10-bridge.conflist',
    'runtime/containerd/conf/config.toml',
    'runtime/containerd/conf/containerd.service',
    'runtime/containerd/conf/crictl.yaml',
  ].map(data);

  it('has configuration for the programs that are packed, and folders that they need', () => {
    const places = rows([
      ...CONF,
      program('kubernetes/bin/kubelet'),
      program('runtime/containerd/bin/containerd'),
    ]);
    expect(
      places.filter(([mode]) => mode !== '0755').map(([mode, part, , place]) => [mode, part, place]),
    ).toEqual([
      ['0644', 'bridge-network', '/etc/cni/net.d/10-bridge.conflist'],
      ['d0755', 'containerd', '/etc/containerd/conf.d'],
      ['0644', 'containerd', '/etc/containerd/config.toml'],
      ['0644', 'crictl', '/etc/crictl.yaml'],
      ['d0755', 'kubelet', '/etc/kubernetes/manifests'],
      ['0644', 'settings', '/etc/modules-load.d/keel-kubernetes.conf'],
      ['0644', 'settings', '/etc/sysctl.d/99-zz-keel-kubernetes.conf'],
      ['0644', 'containerd', '/etc/systemd/system/containerd.service'],
      ['0644', 'kubelet', '/etc/systemd/system/kubelet.service'],
      ['0644', 'kubelet', '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf'],
    ]);
  });

  it('has none for programs that are not', () => {
    expect(new Set(rows(CONF).map(([, part]) => part))).toEqual(
      new Set(['bridge-network', 'crictl', 'settings']),
    );
  });

  it('is the same in whatever order the files come', () => {
    const files = [...CONF, program('kubernetes/bin/kubelet'), program('kubernetes/bin/helm')];
    expect(rows(files.toReversed())).toEqual(rows(files));
  });

  it('has one file for each place', () => {
    const twice = ['kubernetes/bin/tool', 'runtime/containerd/bin/tool'].map(program);
    expect(() => lists(twice)).toThrow(
      expect.objectContaining({
        code: 'PLACE_TAKEN',
        about: '/usr/local/bin/tool',
        message: expect.stringContaining('would both be installed at this path'),
      }),
    );
  });
});

describeWith(['systemd-analyze'], 'the settings of the kernel', () => {
  // Debian has a link to /etc/sysctl.conf, in which many write `net.ipv4.ip_forward = 0`.
  it('are read behind those of the machine, so that the next boot keeps them', () => {
    const root = scratchFolder();
    const folder = join(root, 'etc/sysctl.d');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(root, 'etc/sysctl.conf'), 'net.ipv4.ip_forward = 0\n');
    symlinkSync('../sysctl.conf', join(folder, '99-sysctl.conf'));
    for (const name of ['10-network-security', '60-hardening', '99-cloudimg-ipv6', '99-user']) {
      writeFileSync(join(folder, `${name}.conf`), '\n');
    }
    const [row] = rows([data('kubernetes/conf/sysctl.conf')]);
    const place = join(root, row?.[3] ?? '');
    writeFileSync(place, 'net.ipv4.ip_forward = 1\n');
    const shown = execFileSync(
      'systemd-analyze',
      ['cat-config', `--root=${root}`, '--no-pager', 'sysctl.d'],
      {
        encoding: 'utf8',
      },
    );
    const order = shown.split('\n').filter((line) => line.startsWith('# /'));
    expect(order).toHaveLength(6);
    expect(order.at(-1)).toBe(`# ${place}`);
  });
});

describe('install/images', () => {
  it('has each name with its archive, or a dash for the layout', () => {
    const images: [string, string | undefined][] = [
      ['registry.k8s.io/pause:3.10.2', undefined],
      ['docker.io/library/app:1', 'images/app-1.tar'],
    ];
    expect(lists([], images)['install/images']).toBe(
      'docker.io/library/app:1\timages/app-1.tar\nregistry.k8s.io/pause:3.10.2\t-\n',
    );
  });
});

describe('install/package.env', () => {
  it('has versions without "v", and the bytes of images', () => {
    const files = [
      program('kubernetes/bin/kubelet'),
      data('tools/other'),
      data('kubernetes/conf/sysctl.conf'),
    ];
    expect(lists(files)['install/package.env']).toBe(
      [
        'KUBERNETES_VERSION=1.37.1',
        'ARCH=amd64',
        'PAUSE_IMAGE=registry.k8s.io/pause:3.10.2',
        'KUBE_APISERVER_IMAGE=registry.example/k8s/kube-apiserver:v1.37.1',
        'CONTAINERD_VERSION=2.3.4',
        'IMAGES_SIZE=1234\n',
      ].join('\n'),
    );
  });

  it('has no version of a containerd that is not packed', () => {
    expect(lists([], [], { containerd: undefined })['install/package.env']).toContain(
      'CONTAINERD_VERSION=\n',
    );
  });
});
