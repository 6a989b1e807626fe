import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { scratchFolder } from './scratch-folder.ts';

export const PAUSE = 'registry.k8s.io/pause:3.10.2';
export const PROXY = 'registry.k8s.io/kube-proxy:v1.37.1';
const machine = execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim() === 'x86_64' ? 'amd64' : 'arm64';

const CTR = readFileSync('test/support/stand-in-ctr.sh', 'utf8');
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

function digestOf(content: string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

const PROGRAM_PLACES = {
  'kubernetes/bin': '/usr/local/bin',
  'kubernetes/cni': '/opt/cni/bin',
  'runtime/containerd/bin': '/usr/local/bin',
};

/** The part, source and place of each file that is no program. */
const CONFIGURATION: readonly (readonly [part: string, source: string, place: string])[] = [
  ['crictl', 'runtime/containerd/conf/crictl.yaml', '/etc/crictl.yaml'],
  ['settings', 'kubernetes/conf/sysctl.conf', '/etc/sysctl.d/99-zz-keel-kubernetes.conf'],
  ['settings', 'kubernetes/conf/modules.conf', '/etc/modules-load.d/keel-kubernetes.conf'],
  ['containerd', 'runtime/containerd/conf/config.toml', '/etc/containerd/config.toml'],
  ['containerd', 'runtime/containerd/conf/containerd.service', '/etc/systemd/system/containerd.service'],
  ['kubelet', 'kubernetes/conf/kubelet.service', '/etc/systemd/system/kubelet.service'],
  ['kubelet', 'kubernetes/conf/10-kubeadm.conf', '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf'],
  ['bridge-network', 'kubernetes/conf/cni/10-bridge.conflist', '/etc/cni/net.d/10-bridge.conflist'],
];

function partOf(folder: string, name: string): string {
  if (folder === 'kubernetes/cni') return 'cni';
  if (['kubelet', 'kubeadm', 'kubectl', 'runc', 'crictl'].includes(name)) return name;
  return folder === 'kubernetes/bin' ? 'program' : 'containerd';
}

interface Installation {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Circumstances {
  /** What the script is started with; by itself where this is left out. */
  readonly before?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly input?: string | undefined;
}

/** Writes a file and the folders above it. */
export function writeFile(path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
}

/** Returns every file below a folder, with mode and content. */
export function treeOf(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    paths.map((path) => {
      const at = join(folder, path);
      const { mode } = statSync(at);
      return [
        path,
        statSync(at).isFile() ? `${(mode & 0o7777).toString(8)} ${readFileSync(at, 'utf8')}` : 'folder',
      ];
    }),
  );
}

/** A small package, unpacked, and an empty tree to install it into. It lasts as long as the test. */
export class UnpackedPackage {
  readonly workplace = scratchFolder();
  // Spaces, because people unpack anywhere.
  readonly folder = join(this.workplace, 'my package');
  readonly root = join(this.workplace, 'the root');
  /** Where the stand-in of ctr keeps what it was told. */
  readonly state = join(this.workplace, 'state');
  /** The names of the images, each with its archive or `-`. */
  #images: readonly (readonly [name: string, file: string])[] = [];

  constructor() {
    for (const folder of [this.folder, this.root, this.state]) mkdirSync(folder);
    cpSync('package', this.folder, { recursive: true });
    this.write('install/package.env', `ARCH=${machine}\nPAUSE_IMAGE=${PAUSE}\n`);
    this.write('runtime/containerd/conf/config.toml', 'version = 3\n');
    this.write('kubernetes/bin/kubelet', 'kubelet', 0o755);
    this.write('kubernetes/cni/bridge', 'bridge', 0o755);
    this.write('kubernetes/cni/LICENSE', 'licence');
    this.write('runtime/containerd/bin/containerd', 'containerd', 0o755);
    this.write('runtime/containerd/bin/ctr', CTR, 0o755);
    this.writeImages([PAUSE, PROXY]);
    this.seal();
  }

  /** Writes a file of the package. It is not in the list before `seal`. */
  write(path: string, content: string, mode = 0o644): void {
    writeFile(join(this.folder, path), content, mode);
  }

  writeImages(names: readonly string[]): void {
    this.#images = names.map((name) => [name, '-']);
    const manifests = names.map((name) => {
      const config = `a configuration of ${name}`;
      const content = JSON.stringify({ mediaType: DOCKER_MANIFEST, config: { digest: digestOf(config) } });
      for (const blob of [content, config])
        this.write(`images/blobs/${digestOf(blob).replace(':', '/')}`, blob);
      const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name };
      return { mediaType: DOCKER_MANIFEST, digest: digestOf(content), size: content.length, annotations };
    });
    this.write('images/index.json', JSON.stringify({ schemaVersion: 2, manifests }));
  }

  /** Writes images as `docker save` archives them, in place of the layout: each name with its archive. */
  writeArchives(archives: Readonly<Record<string, string>>): void {
    rmSync(join(this.folder, 'images'), { recursive: true });
    this.#images = Object.entries(archives);
    for (const [name, file] of this.#images) {
      const folder = scratchFolder();
      const config = `${digestOf(`a configuration of ${name}`).slice('sha256:'.length)}.json`;
      writeFile(
        join(folder, 'manifest.json'),
        JSON.stringify([{ Config: config, RepoTags: [name], Layers: [] }]),
      );
      writeFile(join(folder, config), `a configuration of ${name}`);
      mkdirSync(join(this.folder, 'images'), { recursive: true });
      execFileSync('tar', ['-C', folder, '-cf', join(this.folder, file), 'manifest.json', config]);
    }
  }

  /** Writes the lists of what goes where, as packer does, and of all files. */
  seal(): void {
    this.write('install/files', this.#rows().sort().join(''));
    this.write('install/images', this.#images.map((row) => `${row.join('\t')}\n`).join(''));
    const files = readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path !== 'SHA256SUMS' && statSync(join(this.folder, path)).isFile())
      .sort();
    writeFileSync(join(this.folder, 'SHA256SUMS'), '');
    for (const path of files) this.list(path, readFileSync(join(this.folder, path)));
  }

  #rows(): string[] {
    const programs = Object.entries(PROGRAM_PLACES).flatMap(([folder, place]) => {
      const at = join(this.folder, folder);
      const names = existsSync(at) ? readdirSync(at) : [];
      const isProgram = (name: string) => (statSync(join(at, name)).mode & 0o100) !== 0;
      const row = (name: string) => `0755\t${partOf(folder, name)}\t${folder}/${name}\t${place}/${name}\n`;
      return names.filter(isProgram).map(row);
    });
    const configuration = CONFIGURATION.filter(([, source]) => existsSync(join(this.folder, source)));
    const manifests = 'd0755\tkubelet\t-\t/etc/kubernetes/manifests\n';
    return [manifests, ...programs, ...configuration.map((row) => `0644\t${row.join('\t')}\n`)];
  }

  /** Adds a name to the list, with the sum of a content. */
  list(name: string, content: string | Buffer): void {
    this.addLine(`${createHash('sha256').update(content).digest('hex')}  ${name}`);
  }

  addLine(line: string): void {
    appendFileSync(join(this.folder, 'SHA256SUMS'), `${line}\n`);
  }

  install(
    options: readonly string[] = [],
    { before = [], environment, input }: Circumstances = {},
  ): Installation {
    const [program = '', ...rest] = [
      ...before,
      join(this.folder, 'install.sh'),
      '--root',
      this.root,
      ...options,
    ];
    const { error, status, stdout, stderr } = spawnSync(program, rest, {
      encoding: 'utf8',
      // Where it hangs it is ended, which is thrown.
      timeout: 60_000,
      killSignal: 'SIGKILL',
      input,
      env: {
        ...process.env,
        TMPDIR: this.workplace,
        KEEL_TEST_STATE: this.state,
        KEEL_TEST_CTR: '',
        KEEL_TEST_LOCK: join(this.root, 'var/lib/keel/lock'),
        ...environment,
      },
    });
    // What ends at once does not read its input.
    if (error !== undefined && !('code' in error && error.code === 'EPIPE')) throw error;
    return { status, stdout, stderr };
  }
}
