import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { describeWith } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { UnpackedPackage, writeFile } from '../support/unpacked-package.ts';

const isRoot = process.getuid?.() === 0;

/** Reads the library by itself, and sets what the options and the package would have set. */
const LIBRARY = `set -eu
LC_ALL=C
for file in package/install/*.sh; do . "./$file"; done
root= action=check config= node_ip= join_line= role=control-plane member=no kubernetes=1.37.1 plan= wants_images=no
`;

type Files = Readonly<Record<string, string>>;
type Row = readonly [kind: string, what: string];

interface Trial {
  readonly name: string;
  readonly check: string;
  readonly files?: Files;
  readonly settings?: string;
  readonly rows: readonly Row[];
}

/** Returns what each check says of a machine that has its files, each row as kind, text and what mends it. */
function rowsOfAll(shell: string, trials: readonly Omit<Trial, 'name' | 'rows'>[]): string[][][] {
  const scripts = trials.map(({ check, files = {}, settings = '' }) => {
    const machine = scratchFolder();
    for (const [path, content] of Object.entries(files)) writeFile(join(machine, path), content);
    return `(machine='${machine}' here=$machine/package\n${settings}\nrun_check ${check})\necho =\n`;
  });
  const [program = '', ...rest] = shell.split(' ');
  const { stdout, stderr } = spawnSync(program, [...rest, '-c', LIBRARY + scripts.join('')], {
    encoding: 'utf8',
    // Without a level, bash takes a pipe of Node for the one of a remote shell, and reads what its user has for those.
    env: { PATH: process.env['PATH'], SHLVL: '1' },
  });
  expect(stderr).toBe('');
  const answers = stdout.split('=\n').slice(0, -1);
  return answers.map((text) => text.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')])));
}

function rowsOf(shell: string, trial: Omit<Trial, 'name' | 'rows'>): string[][] {
  return rowsOfAll(shell, [trial])[0] ?? [];
}

const SWAPS = 'Filename\tType\tSize\tUsed\tPriority\n';
const OPTIONS =
  'NAMESPACES NET_NS PID_NS IPC_NS UTS_NS CPUSETS MEMCG INET EXT4_FS PROC_FS FAIR_GROUP_SCHED CGROUPS CGROUP_PIDS CGROUP_SCHED NETFILTER_XT_MATCH_COMMENT';
const kernel = (release: string, without = ''): Files => ({
  'proc/sys/kernel/osrelease': `${release}\n`,
  [`boot/config-${release}`]: OPTIONS.split(' ')
    .filter((name) => name !== without)
    .map((name) => `CONFIG_${name}=y\n`)
    .join(''),
});
const cgroup2 = (controllers: string): Files => ({
  'proc/mounts': 'proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
  'sys/fs/cgroup/cgroup.controllers': `${controllers}\n`,
});
const CGROUP1 = {
  'proc/mounts': 'tmpfs /sys/fs/cgroup tmpfs ro 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n',
};
/** A package that has a list of modules, on a machine with a kernel that has these files. */
const modules = (names: string, files: Files): Files => ({
  'package/kubernetes/conf/modules.conf': names,
  'proc/sys/kernel/osrelease': '6.1.0-18-amd64\n',
  ...files,
});
const MODULES_PLAN = `plan="0644\${tab}settings\${tab}kubernetes/conf/modules.conf\${tab}/etc/modules-load.d/keel-kubernetes.conf\${newline}"`;
const listening = (...ports: string[]): string =>
  `  sl  local_address rem_address   st\n${ports.map((port, index) => `   ${index}: 00000000:${port} 00000000:0000 0A\n`).join('')}`;
const host = (name: string, hosts = `127.0.1.1 ${name.toLowerCase()}\n`): Files => ({
  'proc/sys/kernel/hostname': `${name}\n`,
  'etc/hosts': hosts,
});

/** A kubeadm in the package that says this of a configuration. */
const kubeadm = (says: string, status: number): Pick<Trial, 'files' | 'settings' | 'check'> => ({
  check: 'kubeadm_rows',
  files: {
    'package/kubernetes/bin/kubeadm': `#!/bin/sh
case $1 in version) echo v1.37.1; exit ;; esac
[ "$(cat)" = 'of 10.0.0.1' ] || exit 3
printf '${says}' >&2
exit ${status}
`,
  },
  settings: `me=0 address=/nowhere; chmod +x "$here/kubernetes/bin/kubeadm"
    find_address() { node_address=10.0.0.1; }
    init_configuration() { echo "of $node_address"; echo; }`,
});

/** What df says of a file system with so many kilobytes, of which so many are free, or so many files. */
const disk = (all: number, free: number, mount = '/'): string =>
  `df() { echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'; echo '/dev/a disk  ${all}  1  ${free}  50% ${mount}'; }`;
const needs = (files: string, images: string): string => `file_needs='${files}'; image_needs='${images}'`;
const ON_DISK = needs('1024\t/usr/local/bin\n1024\t/opt/cni/bin', '8192\t/var/lib/containerd');

const TRIALS: readonly Trial[] = [
  {
    name: 'that there is room for all together',
    check: 'room_rows',
    settings: `${ON_DISK}; ${disk(99_999, 10_240)}`,
    rows: [['ok', '/ needs 10 MB and has 10 MB free']],
  },
  {
    name: 'that there is room for each, but not for all together',
    check: 'room_rows',
    settings: `${ON_DISK}; ${disk(99_999, 10_239, '/mnt/a disk')}`,
    rows: [['FAIL', '/mnt/a disk needs 10 MB and has 9 MB free']],
  },
  {
    name: 'that nothing is needed where all is there',
    check: 'room_rows',
    settings: `${needs('', '')}; ${disk(99_999, 1)}`,
    rows: [],
  },
  {
    name: 'that there are too few inodes',
    check: 'inode_rows',
    settings: `${ON_DISK}; ${disk(1000, 127)}`,
    rows: [['FAIL', '/ has room for 127 files, but the images have up to 128']],
  },
  {
    name: 'nothing of inodes where a file system makes them as they are needed',
    check: 'inode_rows',
    settings: `${ON_DISK}; ${disk(0, 0)}`,
    rows: [],
  },
  {
    name: 'that the kubelet would find the disk too full',
    check: 'eviction_rows',
    settings: `${ON_DISK}; ${disk(100_000_000, 10_010_239)}; role=worker`,
    rows: [
      ['WARN', 'less than 15 % of / will be free, so the kubelet will remove images and evict pods'],
      ['WARN', 'less than 10 % of / will be free, so the kubelet will accept no pods'],
    ],
  },
  {
    name: 'that etcd would have little room',
    check: 'eviction_rows',
    settings: `${ON_DISK}; ${disk(2_200_000, 2_100_000)}`,
    rows: [['WARN', '2040 MB will be free on /, but etcd may need 2048']],
  },
  {
    name: 'mounts on which no program runs',
    check: 'mount_rows',
    files: {
      'proc/mounts': '/dev/a / ext4 rw 0 0\n/dev/b /usr ext4 rw,noexec 0 0\n/dev/c /opt ext4 ro 0 0\n',
    },
    settings: `df() { case $4 in *usr*) set -- /usr ;; *opt*) set -- /opt ;; *) set -- / ;; esac; echo "/dev/x 9 9 9 9% $1"; }
      mkdir -p "$machine/usr/local" "$machine/opt/cni"`,
    rows: [
      ['FAIL', '/usr is mounted with noexec, so programs in /usr/local/bin cannot run'],
      ['FAIL', '/opt is mounted read-only, so nothing can be installed in /opt/cni/bin'],
    ],
  },
  {
    name: 'nothing of images on a disk with noexec, as programs of containers run from an overlay',
    check: 'mount_rows',
    files: { 'proc/mounts': '/dev/a / ext4 rw 0 0\n/dev/b /var ext4 rw,noexec 0 0\n' },
    settings: `df() { case $4 in *var*) set -- /var ;; *) set -- / ;; esac; echo "/dev/x 9 9 9 9% $1"; }
      mkdir -p "$machine/var/lib"`,
    rows: [],
  },
  {
    name: 'what kubeadm itself says, but not what is told already or is installed later',
    ...kubeadm(
      '[preflight] Running\\n\\t[WARNING Swap]: told\\n\\t[WARNING New]: look at this\\n\\t[ERROR CRI]: later\\n' +
        '\\t[ERROR Other]: and this\\n\\t[ERROR SystemVerification]: missing required cgroups: memory\\n',
      1,
    ),
    rows: [
      ['WARN', 'kubeadm reports New: look at this'],
      ['FAIL', 'kubeadm reports Other: and this'],
    ],
  },
  {
    name: 'a kubeadm that is content',
    ...kubeadm('', 0),
    rows: [['ok', 'kubeadm 1.37.1 itself finds no errors']],
  },
  {
    name: 'a configuration that kubeadm refuses',
    ...kubeadm('error: invalid configuration\\n', 1),
    rows: [['FAIL', 'kubeadm reports: invalid configuration']],
  },
  {
    name: 'a kubeadm that cannot be run',
    check: 'kubeadm_rows',
    settings: 'me=0',
    rows: [
      [
        'ok',
        'the checks of kubeadm itself are skipped, because kubeadm cannot run from the folder of the package',
      ],
    ],
  },
  { name: 'no swap', check: 'swap_rows', files: { 'proc/swaps': SWAPS }, rows: [['ok', 'swap is off']] },
  {
    name: 'swap that is on',
    check: 'swap_rows',
    files: { 'proc/swaps': `${SWAPS}/dev/sda2 partition 1 0 -2\n/swap.img file 1 0 -3\n` },
    rows: [['FAIL', 'swap is on (/dev/sda2 /swap.img), and the kubelet does not start with swap on']],
  },
  {
    name: 'swap that the configuration allows',
    check: 'swap_rows',
    files: {
      'proc/swaps': `${SWAPS}/dev/sda2 partition 1 0 -2\n`,
      own: 'kind: KubeletConfiguration\nfailSwapOn: false\n',
    },
    settings: 'config=$machine/own',
    rows: [['ok', 'swap is on (/dev/sda2), which the configuration allows']],
  },
  {
    name: 'swap that comes back at boot',
    check: 'swap_at_boot_rows',
    files: {
      'etc/fstab':
        '# /dev/sdb none swap sw 0 0\nUUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n/x none swap noauto 0 0\n',
      'etc/systemd/system/data-swap.swap': '[Swap]\n',
      'run/systemd/generator.late/dev-sda3.swap': '[Swap]\n',
      'etc/systemd/system/multi-user.target.wants/dphys-swapfile.service': '',
      'usr/lib/systemd/zram-generator.conf': '[zram0]\n',
      'usr/lib/systemd/system-generators/zram-generator': '',
    },
    rows: [
      ['FAIL', '/etc/fstab turns the swap UUID=2 on at each boot'],
      ['FAIL', 'the unit data-swap.swap turns swap on at each boot'],
      ['FAIL', 'the unit dev-sda3.swap turns swap on at each boot'],
      ['FAIL', 'the service dphys-swapfile turns swap on at each boot'],
      ['FAIL', 'zram-generator turns swap on at each boot'],
    ],
  },
  {
    name: 'a zram-generator that is turned off',
    check: 'swap_at_boot_rows',
    files: {
      'etc/systemd/zram-generator.conf': '',
      'usr/lib/systemd/zram-generator.conf': '[zram0]\n',
      'usr/lib/systemd/system-generators/zram-generator': '',
    },
    rows: [],
  },
  {
    name: 'cgroup v2',
    check: 'cgroup_rows',
    files: cgroup2('cpuset cpu io memory hugetlb pids'),
    rows: [['ok', 'cgroup v2 has every controller that the kubelet needs']],
  },
  {
    name: 'cgroup v2 without memory, as on a Raspberry Pi',
    check: 'cgroup_rows',
    files: cgroup2('cpuset cpu io pids'),
    rows: [['FAIL', 'cgroup v2 lacks memory']],
  },
  {
    name: 'cgroup v1 and 1.35',
    check: 'cgroup_rows',
    files: CGROUP1,
    settings: 'kubernetes=1.35.0',
    rows: [['FAIL', 'this machine has cgroup v1, and the kubelet of 1.35.0 requires cgroup v2']],
  },
  {
    name: 'cgroup v1 and 1.34',
    check: 'cgroup_rows',
    files: CGROUP1,
    settings: 'kubernetes=1.34.9',
    rows: [['WARN', 'this machine has cgroup v1, which Kubernetes 1.35 and later refuse']],
  },
  { name: 'no cgroups', check: 'cgroup_rows', rows: [['FAIL', 'no cgroups are mounted at /sys/fs/cgroup']] },
  { name: 'a kernel of today', check: 'kernel_rows', files: kernel('6.1.0'), rows: [['ok', 'kernel 6.1.0']] },
  {
    name: 'an old kernel',
    check: 'kernel_rows',
    files: kernel('4.18.0-553.el8'),
    rows: [
      [
        'WARN',
        'kernel 4.18.0-553.el8 is older than the kernels that kubeadm supports: 5.4, 5.10, 5.15, 6 and later',
      ],
    ],
  },
  {
    name: 'a kernel that lacks an option',
    check: 'kernel_rows',
    files: kernel('6.1.0', 'CPUSETS'),
    rows: [
      ['ok', 'kernel 6.1.0'],
      ['FAIL', 'the kernel was built without CPUSETS, which kubeadm requires'],
    ],
  },
  {
    name: 'a kernel of which nothing is written down',
    check: 'kernel_rows',
    files: { 'proc/sys/kernel/osrelease': '6.1.0\n' },
    rows: [
      ['ok', 'kernel 6.1.0'],
      ['FAIL', 'kubeadm finds no file with the build configuration of the kernel'],
    ],
  },
  {
    name: 'modules that run, are built in, or are files',
    check: 'module_rows',
    files: modules('# for pods\noverlay\nbr_netfilter\nnf_conntrack\nxt_comment\n', {
      'proc/filesystems': 'nodev\toverlay\n',
      'lib/modules/6.1.0-18-amd64/modules.builtin': 'kernel/net/netfilter/nf_conntrack.ko\n',
      'lib/modules/6.1.0-18-amd64/modules.dep':
        'kernel/net/bridge/br-netfilter.ko.xz: kernel/net/bridge/bridge.ko.xz\nkernel/net/xt_comment.ko.zst:\n',
    }),
    settings: MODULES_PLAN,
    rows: [
      ['ok', 'the kernel has overlay'],
      ['ok', 'the kernel has br_netfilter'],
      ['ok', 'the kernel has nf_conntrack'],
      ['ok', 'the kernel has xt_comment'],
    ],
  },
  {
    name: 'a module that the kernel does not have, and one that only another needs',
    check: 'module_rows',
    files: modules('br_netfilter\nnf_conntrack\n', {
      'lib/modules/6.1.0-18-amd64/modules.dep':
        'kernel/net/nft_ct.ko: kernel/net/netfilter/nf_conntrack.ko\n',
    }),
    settings: MODULES_PLAN,
    rows: [
      ['FAIL', 'the kernel 6.1.0-18-amd64 has no module br_netfilter, which pods need'],
      ['FAIL', 'the kernel 6.1.0-18-amd64 has no module nf_conntrack, which pods need'],
    ],
  },
  {
    name: 'the module that a packed add-on needs, whatever it is called',
    check: 'module_rows',
    files: modules('', {
      'package/install/addons':
        'flannel\tkubernetes/addons/flannel.yaml\t10.244.0.0/16\nnet\tkubernetes/addons/net.yaml\t10.244.0.0/16\n',
      'package/kubernetes/addons/flannel.yaml': 'net-conf.json: {"Backend": {"Type": "host-gw"}}\n',
      'package/kubernetes/addons/net.yaml': 'net-conf.json: {"Backend": {"Type": "vxlan"}}\n',
      'package/SHA256SUMS': `${'0'.repeat(64)}  install/addons\n`,
      'lib/modules/6.1.0-18-amd64/modules.dep': 'kernel/fs/overlayfs/overlay.ko:\n',
    }),
    settings: MODULES_PLAN,
    rows: [['FAIL', 'the kernel 6.1.0-18-amd64 has no module vxlan, which pods need']],
  },
  {
    name: 'no module of flannel where it is told to use another way',
    check: 'module_rows',
    files: modules('', {
      'package/install/addons': 'flannel\tkubernetes/addons/flannel.yaml\t10.244.0.0/16\n',
      'package/kubernetes/addons/flannel.yaml': 'net-conf.json: {"Backend": {"Type": "host-gw"}}\n',
      'package/SHA256SUMS': `${'0'.repeat(64)}  install/addons\n`,
      'lib/modules/6.1.0-18-amd64/modules.dep': 'kernel/fs/overlayfs/overlay.ko:\n',
    }),
    settings: MODULES_PLAN,
    rows: [],
  },
  {
    name: 'modules of a kernel that an update removed',
    check: 'module_rows',
    files: modules('overlay\n', {
      'lib/modules/6.1.0-19-amd64/modules.dep': 'kernel/fs/overlayfs/overlay.ko:\n',
    }),
    settings: MODULES_PLAN,
    rows: [
      [
        'FAIL',
        'the module overlay is required, but the modules of the running kernel 6.1.0-18-amd64 are gone, as after an update',
      ],
    ],
  },
  {
    name: 'modules that a rule forbids, as on hardened machines',
    check: 'module_rows',
    files: modules('overlay\nbr_netfilter\nnf_conntrack\n', {
      'sys/module/overlay/x': '',
      'sys/module/br_netfilter/x': '',
      'sys/module/nf_conntrack/x': '',
      'etc/modprobe.d/cis.conf': '# install nf_conntrack /bin/true\ninstall overlay /bin/false\n',
      'usr/lib/modprobe.d/net.conf': 'blacklist br_netfilter\nblacklist nf_conntrack_ftp\n',
    }),
    settings: MODULES_PLAN,
    rows: [
      ['FAIL', '/etc/modprobe.d/cis.conf prevents the module overlay from loading'],
      ['FAIL', '/usr/lib/modprobe.d/net.conf prevents the module br_netfilter from loading'],
      ['ok', 'the kernel has nf_conntrack'],
    ],
  },
  { name: 'a clock that is right', check: 'clock_rows 2026 yes', rows: [['ok', 'the year is 2026']] },
  {
    name: 'a clock without a battery',
    check: 'clock_rows 1970 no',
    rows: [
      [
        'FAIL',
        'the clock shows the year 1970, before Kubernetes 1.37.1 existed: no certificate would be valid',
      ],
    ],
  },
  {
    name: 'a clock of the year before',
    check: 'clock_rows 2025 yes',
    rows: [
      [
        'FAIL',
        'the clock shows the year 2025, before Kubernetes 1.37.1 existed: no certificate would be valid',
      ],
    ],
  },
  {
    name: 'a clock of the year of an older Kubernetes',
    check: 'clock_rows 2025 ""',
    settings: 'kubernetes=1.35.0',
    rows: [['ok', 'the year is 2025']],
  },
  {
    name: 'a clock that nothing sets',
    check: 'clock_rows 2026 no',
    rows: [['WARN', 'no time server sets the clock; a machine whose clock is minutes off cannot join']],
  },
  {
    name: 'a small machine',
    check: 'size_rows',
    files: {
      'proc/meminfo': 'MemTotal:        1740799 kB\nMemFree: 1 kB\n',
      'proc/cpuinfo': 'processor\t: 0\n',
    },
    rows: [
      ['FAIL', 'this machine has 1699 MB of memory; a control plane needs 1700'],
      ['FAIL', 'this machine has 1 processor; a control plane needs 2'],
    ],
  },
  {
    name: 'a machine that is just large enough',
    check: 'size_rows',
    files: {
      'proc/meminfo': 'MemTotal:        1740800 kB\n',
      'proc/cpuinfo': 'processor\t: 0\n\nprocessor\t: 1\n',
    },
    rows: [
      ['ok', '1700 MB of memory'],
      ['ok', '2 processors'],
    ],
  },
  { name: 'a small worker', check: 'size_rows', settings: 'role=worker', rows: [] },
  {
    name: 'free ports',
    check: 'port_rows',
    files: { 'proc/net/tcp': listening('0016') },
    rows: [['ok', 'free ports: 6443 2379 2380 10250 10257 10259']],
  },
  {
    name: 'taken ports, over IPv6 too, but not those of connections',
    check: 'port_rows',
    files: {
      'proc/net/tcp': `${listening('192B')}   9: 00000000:280A 00000000:0000 01\n`,
      'proc/net/tcp6': listening('094B').replace('00000000:094B', `${'0'.repeat(32)}:094B`),
    },
    rows: [
      ['FAIL', 'port 6443, which kube-apiserver needs, is in use'],
      ['FAIL', 'port 2379, which etcd needs, is in use'],
      ['ok', 'free ports: 2380 10250 10257 10259'],
    ],
  },
  {
    name: 'the ports of a worker',
    check: 'port_rows',
    files: { 'proc/net/tcp': listening('192B', '280A') },
    settings: 'role=worker',
    rows: [['FAIL', 'port 10250, which kubelet needs, is in use']],
  },
  {
    name: 'the ports of a machine that is in a cluster',
    check: 'port_rows',
    files: { 'proc/net/tcp': listening('192B', '280A') },
    settings: 'member=yes',
    rows: [],
  },
  {
    name: 'a name for a node',
    check: 'host_rows',
    files: host('cp-1.lan'),
    rows: [['ok', 'the host name is cp-1.lan; no other machine of the cluster may use it']],
  },
  {
    name: 'a name with capitals',
    check: 'host_rows',
    files: host('CP1'),
    rows: [['WARN', 'the host name CP1 has capitals; the node will be called cp1']],
  },
  {
    name: 'a name that no node may have',
    check: 'host_rows',
    files: host('web_1'),
    rows: [
      ['FAIL', 'the host name "web_1" is not valid for a node: it may contain letters, digits, "-" and "."'],
    ],
  },
  {
    name: 'a name that is too long',
    check: 'host_rows',
    files: host('a'.repeat(64)),
    rows: [
      ['FAIL', `the host name ${'a'.repeat(64)} is longer than 63 characters, the limit for a node label`],
    ],
  },
  {
    name: 'the name of a machine that got none',
    check: 'host_rows',
    files: host('localhost'),
    rows: [
      [
        'WARN',
        'the host name is localhost, the default of machines without a name; in a cluster each machine needs its own',
      ],
    ],
  },
  {
    name: 'a name that is known to nobody',
    check: 'host_rows',
    files: host('cp1', '127.0.0.1 localhost\n# 10.0.0.1 cp1\n10.0.0.2 cp10\n'),
    rows: [
      ['ok', 'the host name is cp1; no other machine of the cluster may use it'],
      [
        'WARN',
        '/etc/hosts does not contain cp1, so kubeadm waits for a name server that may not have it either',
      ],
    ],
  },
  {
    name: 'a default route',
    check: 'route_rows',
    files: {
      'proc/net/route':
        'Iface\tDestination\tGateway\neth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n',
    },
    rows: [['ok', 'there is a default route']],
  },
  {
    name: 'a default route of IPv6 only',
    check: 'route_rows',
    files: { 'proc/net/ipv6_route': `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe80 00000400 1 0 3 eth0\n` },
    rows: [['ok', 'there is a default route']],
  },
  {
    name: 'a network without a default route',
    check: 'route_rows',
    files: {
      'proc/net/route':
        'Iface\tDestination\tGateway\neth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n',
      'proc/net/ipv6_route': `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} ffffffff 1 0 00200200 lo\n`,
    },
    rows: [
      ['WARN', 'there is no default route; --init and --join work without one, kubeadm on its own does not'],
    ],
  },
  {
    name: 'a network without a default route, on a machine of a cluster',
    check: 'route_rows',
    settings: 'member=yes',
    rows: [],
  },
  {
    name: 'a network without a default route, for --init',
    check: 'route_rows',
    settings: 'action=init',
    rows: [],
  },
  {
    name: 'name servers',
    check: 'resolver_rows',
    files: { 'etc/resolv.conf': 'search lan\nnameserver 10.0.0.1\n  nameserver 10.0.0.2\n' },
    rows: [['ok', 'name servers: 10.0.0.1 10.0.0.2']],
  },
  {
    name: 'a name server on the machine itself',
    check: 'resolver_rows',
    files: { 'etc/resolv.conf': 'nameserver 127.0.0.1\n' },
    rows: [
      [
        'FAIL',
        '/etc/resolv.conf contains a name server on this machine itself (127.0.0.1): CoreDNS would query itself, and stop with "Loop detected"',
      ],
    ],
  },
  {
    name: 'systemd-resolved, whose own list the kubelet reads',
    check: 'resolver_rows',
    files: {
      'etc/resolv.conf': 'nameserver 127.0.0.53\n',
      'run/systemd/resolve/resolv.conf': 'nameserver 10.0.0.1\n',
    },
    rows: [['ok', 'name servers: 10.0.0.1']],
  },
  {
    name: 'no name server',
    check: 'resolver_rows',
    files: { 'etc/resolv.conf': '# none\n' },
    rows: [
      [
        'WARN',
        '/etc/resolv.conf contains no name server, so CoreDNS resolves no names outside the cluster, and some versions do not start',
      ],
    ],
  },
  {
    name: 'no resolv.conf',
    check: 'resolver_rows',
    rows: [['FAIL', '/etc/resolv.conf is missing; without it no pod starts']],
  },
  { name: 'no proxy', check: 'proxy_rows', rows: [] },
  {
    name: 'a proxy',
    check: 'proxy_rows',
    settings: 'https_proxy=http://proxy:3128',
    rows: [['WARN', 'a proxy is set in the environment, and kubeadm passes it to the control plane']],
  },
  { name: 'no firewall', check: 'firewall_rows ""', rows: [] },
  {
    name: 'a firewall',
    check: 'firewall_rows "firewalld "',
    settings: 'role=worker',
    rows: [
      [
        'WARN',
        'the firewall firewalld runs; machines and pods must reach each other, at 10250 8472/udp and other ports',
      ],
    ],
  },
  {
    name: 'systemd',
    check: 'init_rows',
    files: { 'proc/1/comm': 'systemd\n' },
    rows: [['ok', 'systemd runs']],
  },
  {
    name: 'another process 1, as in a container',
    check: 'init_rows',
    files: { 'proc/1/comm': 'sleep\n' },
    rows: [['FAIL', 'process 1 is sleep, not systemd, so nothing would start containerd and the kubelet']],
  },
  {
    name: 'SELinux that is permissive',
    check: 'security_rows',
    files: { 'sys/fs/selinux/enforce': '0' },
    rows: [],
  },
  {
    name: 'SELinux that is enforcing',
    check: 'security_rows',
    files: { 'sys/fs/selinux/enforce': '1' },
    rows: [
      [
        'WARN',
        'SELinux is enforcing and has no rules for containers, so pods may be unable to read their files',
      ],
    ],
  },
  {
    name: 'SELinux that is enforcing, with rules for containers',
    check: 'security_rows',
    files: { 'sys/fs/selinux/enforce': '1', 'usr/share/containers/selinux/contexts': '' },
    rows: [['ok', 'SELinux is enforcing and has rules for containers']],
  },
  {
    name: 'a machine that was in no cluster',
    check: 'cluster_rows',
    files: { 'etc/kubernetes/manifests/.keep': '' },
    rows: [['ok', '/etc/kubernetes contains no files of another cluster']],
  },
  {
    name: 'what another cluster has left',
    check: 'cluster_rows',
    files: {
      'etc/kubernetes/admin.conf': '',
      'etc/kubernetes/manifests/etcd.yaml': '',
      'etc/kubernetes/pki/ca.crt': '',
      'var/lib/etcd/member/x': '',
      'etc/cni/net.d/05-cilium.conflist': '',
      'etc/cni/net.d/10-flannel.conflist': '',
    },
    rows: [
      [
        'FAIL',
        'files of another cluster remain: /etc/kubernetes/admin.conf /etc/kubernetes/manifests/etcd.yaml /etc/kubernetes/pki/ca.crt',
      ],
      ['FAIL', '/var/lib/etcd is not empty: member'],
      [
        'WARN',
        '/etc/cni/net.d/05-cilium.conflist configures another pod network, and containerd uses the first file by name',
      ],
    ],
  },
  {
    name: 'a control plane with a pod of its own that gives it an address, and certificates that were copied to it',
    check: 'cluster_rows',
    settings: 'action=join',
    files: { 'etc/kubernetes/manifests/kube-vip.yaml': '', 'etc/kubernetes/pki/ca.crt': '' },
    rows: [
      [
        'WARN',
        '/etc/kubernetes/manifests/kube-vip.yaml is a pod that the kubelet will start; kubeadm reset, also before a second attempt, removes it',
      ],
      ['ok', '/etc/kubernetes contains no files of another cluster'],
    ],
  },
  {
    name: 'a worker with what only a control plane has',
    check: 'cluster_rows',
    settings: 'action=join role=worker',
    files: { 'etc/kubernetes/manifests/own.yaml': '', 'etc/kubernetes/pki/ca.crt': '' },
    rows: [
      [
        'FAIL',
        'files of another cluster remain: /etc/kubernetes/manifests/own.yaml /etc/kubernetes/pki/ca.crt',
      ],
    ],
  },
  {
    name: 'a disk of its own for etcd',
    check: 'cluster_rows',
    files: { 'var/lib/etcd/lost+found/x': '' },
    rows: [
      ['ok', '/etc/kubernetes contains no files of another cluster'],
      ['FAIL', '/var/lib/etcd is not empty: lost+found'],
    ],
  },
  {
    name: 'a machine of a cluster',
    check: 'cluster_rows',
    files: { 'etc/kubernetes/kubelet.conf': '', 'var/lib/etcd/member/x': '' },
    settings: 'member=yes',
    rows: [['WARN', 'this machine is part of a cluster already']],
  },
  { name: 'no runtime', check: 'runtime_rows', rows: [] },
  {
    name: 'runtimes of other makers',
    check: 'runtime_rows',
    files: {
      'usr/bin/containerd': '',
      'usr/bin/dockerd': '',
      'etc/containerd/config.toml': 'disabled_plugins = ["cri"]\n',
    },
    rows: [
      [
        'FAIL',
        '/etc/containerd/config.toml disables "cri", which the kubelet needs; packages of Docker do this',
      ],
      ['WARN', '/usr/bin/containerd is from another package; the service will run the one from this package'],
      [
        'WARN',
        'Docker is installed; it shares the containerd service, and its containers stop briefly when that service is replaced',
      ],
    ],
  },
  {
    name: 'nothing of a file of Docker that the one of the package takes the place of',
    check: 'runtime_rows',
    settings: `plan="0644\${tab}containerd\${tab}x\${tab}/etc/containerd/config.toml\${newline}" state=$machine/none`,
    files: { 'etc/containerd/config.toml': 'disabled_plugins = ["cri"]\n' },
    rows: [],
  },
  {
    name: 'a file of containerd that turns off something else',
    check: 'runtime_rows',
    files: { 'etc/containerd/config.toml': 'disabled_plugins = ["io.containerd.snapshotter.v1.zfs"]\n' },
    rows: [],
  },
];

describeWith(['dash'], 'a check of the machine', () => {
  test.each(TRIALS)('tells $name', ({ rows, ...trial }) => {
    const said = rowsOf('dash', trial);
    expect(said.map(([kind, what]) => [kind, what])).toEqual(rows);
    // What is wrong comes with what mends it.
    for (const [kind, what = '', mend = ''] of said)
      if (!what.startsWith('kubeadm reports')) expect(mend === '').toBe(kind === 'ok');
  });

  it('tells a socket of another runtime', async () => {
    const machine = scratchFolder();
    mkdirSync(join(machine, 'run/crio'), { recursive: true });
    const server = createServer().listen(join(machine, 'run/crio/crio.sock'));
    await new Promise((resolve) => server.once('listening', resolve));
    const said = rowsOf('dash', { check: 'runtime_rows', settings: `machine=${machine}` });
    await new Promise((resolve) => server.close(resolve));
    expect(said[0]?.[1]).toBe(
      '/run/crio/crio.sock belongs to another runtime, and kubeadm does not choose between two',
    );
  });

  it('tells that it could not be made', () => {
    expect(rowsOf('dash', { check: 'false' })).toEqual([
      ['FAIL', 'the check false failed to run', 'report this to the authors of keel-pkg'],
    ]);
  });
});

describe.each(['bash', 'busybox sh'])('a check of the machine, in %s', (shell) => {
  describeWith(shell.split(' ').slice(0, 1), 'tells', () => {
    it('the same of all of them', () => {
      const answers = rowsOfAll(shell, TRIALS);
      const said = TRIALS.map(({ name }, index) => [name, answers[index]?.map((row) => row.slice(0, 2))]);
      expect(said).toEqual(TRIALS.map(({ name, rows }) => [name, rows]));
    });
  });
});

describe('what a failure ends', () => {
  const told = (action: string) => {
    const script = `${LIBRARY}
      read_machine() { :; }; read_needs() { :; }; rows_of_installation() { :; }
      rows_of_cluster() { row ok well; row FAIL 'it is broken' 'sh mend'; }
      action=${action}; check_machine; echo placing`;
    const { status, stdout, stderr } = spawnSync('dash', ['-c', script], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };

  test.each(['init', 'join'])('is --%s, before anything is placed', (action) => {
    expect(told(action)).toEqual({
      status: 1,
      stdout: '',
      stderr:
        'install.sh: FAIL: it is broken; fix: sh mend\n' +
        'install.sh: fix the 1 error above first; nothing was changed\n',
    });
  });

  test.each(['install', 'upgrade', 'images-only'])('is no %s', (action) => {
    expect(told(action)).toEqual({
      status: 0,
      stdout: 'placing\n',
      stderr: 'install.sh: WARN: it is broken; fix: sh mend\n',
    });
  });
});

describe('the programs that a cluster needs', () => {
  const NEWEST = ['FAIL mount', 'FAIL ip', 'FAIL losetup', 'FAIL cp'];
  const UP_TO_1_32 = [
    'FAIL mount',
    'FAIL ip',
    'FAIL iptables',
    'FAIL nsenter',
    'WARN ethtool',
    'WARN tc',
    'WARN touch',
  ];
  const UP_TO_1_30 = [...UP_TO_1_32, 'FAIL conntrack', 'WARN socat', 'WARN ebtables', 'FAIL crictl'];

  test.each([
    ['1.37.1', NEWEST],
    ['1.33.0', NEWEST],
    ['1.32.4', UP_TO_1_32],
    ['1.31.0', [...UP_TO_1_32, 'FAIL conntrack']],
    ['1.30.14', UP_TO_1_30],
  ])('are those of its version: %s', (version, wanted) => {
    const said = rowsOf('dash', { check: 'wanted_programs', settings: `kubernetes=${version}` });
    expect(said.map(([line = '']) => line.replace(/ \S+$/, ''))).toEqual(wanted);
  });

  it('are told with the package that has them', () => {
    const settings =
      'kubernetes=1.31.0; mkdir "$machine/bin"; for p in sed cat expr; do ln -s "$(command -v $p)" "$machine/bin"; done; PATH=$machine/bin';
    const said = rowsOf('dash', { check: 'program_rows', settings });
    expect(said).toContainEqual([
      'FAIL',
      'the program conntrack is missing; a cluster of 1.31.0 needs it',
      'apk add conntrack',
    ]);
  });
});

describe('install.sh --check', () => {
  const FACTS = 'PAUSE_IMAGE=x\nKUBERNETES_VERSION=1.37.1\nIMAGES_SIZE=100\n';

  function packed(): UnpackedPackage {
    const pack = new UnpackedPackage();
    pack.write('install/package.env', FACTS);
    pack.seal();
    return pack;
  }

  it('fails where a tree has what kubeadm refuses, and places nothing', () => {
    const pack = packed();
    expect(pack.install(['--check'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('this machine is ready for the package; nothing was changed'),
      stderr: '',
    });
    writeFile(join(pack.root, 'etc/fstab'), '/dev/sda2 none swap sw 0 0\n');
    const { status, stdout, stderr } = pack.install(['--check']);
    expect([status, stderr]).toEqual([1, 'install.sh: fix the 1 error above first; nothing was changed\n']);
    expect(stdout).toContain('FAIL  /etc/fstab turns the swap /dev/sda2 on at each boot; fix: sed -i ');
    expect(readdirSync(pack.root)).toEqual(['etc']);
  });

  it.runIf(isRoot && existsSync('/usr/bin/unshare'))('asks for room before it places anything', () => {
    const pack = packed();
    pack.write('kubernetes/bin/kubelet', 'k'.repeat(3_000_000), 0o755);
    pack.seal();
    mkdirSync(join(pack.root, 'usr/local/bin'), { recursive: true });
    const mount = `mount -t tmpfs -o size=1m,mode=755 tmpfs '${pack.root}/usr/local/bin' && exec "$@"`;
    const { status, stdout, stderr } = pack.install([], {
      before: ['unshare', '--mount', 'sh', '-c', mount, 'sh'],
    });
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/FAIL: \S.*\/usr\/local\/bin needs 3 MB and has 1 MB free/),
    ]);
    expect(stdout).not.toContain('placed');
    expect(readdirSync(join(pack.root, 'usr/local/bin'))).toEqual([]);
  });

  it('is part of each installation, which goes on where only a cluster would fail', () => {
    const pack = packed();
    writeFile(join(pack.root, 'etc/fstab'), '/dev/sda2 none swap sw 0 0\n');
    const { status, stdout, stderr } = pack.install();
    expect([status, stdout.includes('done')]).toEqual([0, true]);
    expect(stderr).toMatch(
      /^install\.sh: WARN: \/etc\/fstab turns the swap \S+ on at each boot; fix: [^\n]*\n$/,
    );
  });

  it('tells places that are not safe with all else', () => {
    const pack = packed();
    mkdirSync(join(pack.root, 'opt'));
    chmodSync(join(pack.root, 'opt'), 0o777);
    writeFile(join(pack.root, 'etc/kubernetes/admin.conf'), '');
    const { status, stdout } = pack.install(['--check']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}\S.*\/opt is not safe: every user may write to it/m);
    expect(stdout).toMatch(/^FAIL {2}files of another cluster remain: \/etc\/kubernetes\/admin\.conf/m);
  });

  it('reads no pipe that lies where a file of the machine would', () => {
    const pack = packed();
    mkdirSync(join(pack.root, 'etc/containerd'), { recursive: true });
    for (const name of ['fstab', 'containerd/config.toml'])
      execFileSync('mkfifo', [join(pack.root, 'etc', name)]);
    expect(pack.install(['--check'])).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('config.toml is neither a file nor a link'),
    });
  });

  it.runIf(isRoot && existsSync('/usr/bin/busybox') && existsSync('/usr/sbin/chroot'))(
    'tells of a machine that has nothing but busybox, and changes nothing there',
    () => {
      const pack = packed();
      const { root } = pack;
      const libraries = execFileSync('ldd', ['/usr/bin/busybox'], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
      for (const file of ['/usr/bin/busybox', ...libraries])
        execFileSync('cp', ['-L', '--parents', file, root]);
      for (const folder of ['bin', 'etc', 'tmp', 'dev', 'proc'])
        mkdirSync(join(root, folder), { recursive: true });
      for (const name of execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n'))
        symlinkSync('/usr/bin/busybox', join(root, 'bin', name));
      execFileSync('mknod', [join(root, 'dev/null'), 'c', '1', '3']);
      execFileSync('cp', ['-r', pack.folder, join(root, 'package')]);
      writeFile(join(root, 'proc/swaps'), `${SWAPS}/dev/sda2 partition 1 0 -2\n`);
      writeFile(
        join(root, 'proc/mounts'),
        '/dev/root / ext4 rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
      );
      const before = readdirSync(root, { recursive: true }).toSorted();
      const { status, stdout, stderr } = spawnSync(
        '/usr/sbin/chroot',
        [root, '/bin/sh', '/package/install.sh', '--check'],
        { encoding: 'utf8', timeout: 60_000, env: { PATH: '/bin' } },
      );
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(/^install\.sh: fix the \d+ errors? above first/),
      ]);
      expect(stdout).toContain('FAIL  swap is on (/dev/sda2)');
      expect(stdout).toContain('FAIL  cgroup v2 lacks cpu cpuset memory pids');
      expect(stdout).not.toContain('failed to run');
      rmSync(join(root, 'proc/swaps'));
      expect(readdirSync(root, { recursive: true }).toSorted()).toEqual(
        before.filter((path) => path !== 'proc/swaps'),
      );
    },
  );
});
