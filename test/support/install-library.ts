import { spawnSync } from 'node:child_process';

/** The shells that functions of install.sh are tried in. */
export const SHELLS: readonly string[] = ['dash', 'bash', 'busybox sh'];

/** Reads the functions of install.sh, and sets what its options and the package would have set. */
const LIBRARY = `set -eu
LC_ALL=C
newline='
'
tab=$(printf '\\t')
for file in package/install/*.sh; do . "./$file"; done
root= action=init config= node_ip= join_line= address=/run/containerd/containerd.sock node_address=10.0.0.11
wants_images=yes bridge_network=no addons=yes version=1.37.1
`;

interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Returns what a script says that uses functions of install.sh. Its words are `$1` and so on. */
export function runLibrary(
  shell: string,
  script: string,
  words: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Answer {
  const [program = '', ...rest] = shell.split(' ');
  const { status, stdout, stderr } = spawnSync(program, [...rest, '-c', LIBRARY + script, 'sh', ...words], {
    encoding: 'utf8',
    // Without a level, bash takes a pipe of Node for the one of a remote shell, and reads what its user has for those.
    env: { PATH: process.env['PATH'], SHLVL: '1', ...environment },
  });
  return { status, stdout, stderr };
}
