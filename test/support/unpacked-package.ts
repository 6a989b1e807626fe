import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { scratchFolder } from './scratch-folder.ts';

export const PAUSE = 'registry.k8s.io/pause:3.10.2';
export const PROXY = 'registry.k8s.io/kube-proxy:v1.37.1';
const machine = execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim() === 'x86_64' ? 'amd64' : 'arm64';

/**
 * In place of ctr: it keeps what it imports in $KEEL_TEST_STATE. $KEEL_TEST_CTR tells how it fails: `silent` imports
 * nothing without --local, `broken` never imports.
 */
const CTR = `#!/bin/sh
printf '%s\\n' "$*" >>"$KEEL_TEST_STATE/calls"
case "$*" in
  *"images import --local -") [ "$KEEL_TEST_CTR" != broken ] || { cat >/dev/null; echo 'no space left' >&2; exit 1; } ;;
  *"images import -")
    [ "$KEEL_TEST_CTR" != broken ] || { cat >/dev/null; echo 'no space left' >&2; exit 1; }
    [ "$KEEL_TEST_CTR" != silent ] || { cat >/dev/null; exit 0; }
    ;;
  *"images ls -q") cat "$KEEL_TEST_STATE/images" 2>/dev/null; exit 0 ;;
  *) exit 0 ;;
esac
tar -xOf - ./index.json | grep -o '"registry[^"]*"' | tr -d '"' >"$KEEL_TEST_STATE/images"
`;

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

  constructor() {
    for (const folder of [this.folder, this.root, this.state]) mkdirSync(folder);
    cpSync('package', this.folder, { recursive: true });
    this.write('kubernetes/conf/package.env', `ARCH=${machine}\nPAUSE_IMAGE=${PAUSE}\n`);
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
    const manifests = names.map((name) => `{"annotations":{"io.containerd.image.name":"${name}"}}`);
    this.write('images/index.json', `{"manifests":[${manifests.join(',')}]}`);
  }

  /** Writes the list of all files. */
  seal(): void {
    const files = readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path !== 'SHA256SUMS' && statSync(join(this.folder, path)).isFile())
      .sort();
    writeFileSync(join(this.folder, 'SHA256SUMS'), '');
    for (const path of files) this.list(path, readFileSync(join(this.folder, path)));
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
        ...environment,
      },
    });
    if (error !== undefined) throw error;
    return { status, stdout, stderr };
  }
}
