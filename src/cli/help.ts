import type { Command } from 'commander';
import { nearestName } from '../lib/text/nearest.ts';
import { EXIT_CODES } from '../process/exit-code.ts';

const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}`).join('\n');

/** Returns the end of a command's help: examples and exit codes. */
export function helpEnding(examples: readonly string[], exitCodes = EXIT_CODES): string {
  const codes = exitCodes.map(({ codes, meaning }) => `${codes.padEnd(10)}${meaning}`);
  const parts = [
    ...(examples.length === 0 ? [] : [`\nExamples:\n${indented(examples)}`]),
    `\nExit codes:\n${indented(codes)}`,
  ];
  return parts.join('\n');
}

/** Reports an unknown command with the nearest known one. Throws `CommanderError`. */
export function refuseUnknownCommand(program: Command, word: string): never {
  const names = program.commands.map((command) => command.name());
  const nearest = nearestName(word, names);
  const more = nearest === undefined ? `Known: ${names.join(', ')}` : `Did you mean ${nearest}?`;
  program.error(`error: unknown command '${word}'\n(${more})`);
}

/** Throws `CommanderError` for `help nosuch`, for which commander would show the help of the whole program. */
export function requireKnownHelp(program: Command, [first, word]: readonly string[]): void {
  if (first !== 'help' || word === undefined || word.startsWith('-') || word === 'help') return;
  if (!program.commands.some((command) => command.name() === word)) refuseUnknownCommand(program, word);
}

export const EXAMPLES = {
  synctl: [
    'synctl doctor --push-to registry.example.com --push-ns mirror',
    'synctl sync --push-to registry.example.com --push-ns mirror --dry-run',
  ],
  sync: [
    'synctl sync nginx:1.29 quay.io/coreos/etcd:v3.6.1 --push-to registry.example.com --push-ns mirror',
    'kubeadm config images list | synctl sync --images - --push-to registry.example.com --push-ns mirror',
    'synctl sync -u robot --password-stdin --push-to registry.example.com --push-ns mirror < secret.txt',
    'synctl sync --platform linux/amd64,linux/arm64 --report report.json',
    'synctl sync --shard 2/4              # the second of four jobs that share the work',
    'synctl sync --dry-run --json         # the plan as JSON',
  ],
  check: [
    'synctl check kube-apiserver:v1.36.1',
    'synctl check quay.io/coreos/etcd:v3.6.1 --json',
    'synctl check --kubernetes 1.37.1 --arch arm64 --push-to registry.example.com --push-ns mirror',
  ],
  doctor: ['synctl doctor -u robot --password-stdin --push-to registry.example.com < secret.txt'],
  images: [
    'synctl images images.txt',
    'helm template mychart | synctl images -',
    'synctl images deploy/*.yaml compose.yaml --json > image_set.json',
  ],
  sum: ['synctl sum', 'synctl sum /var/lib/keel/sync.bolt.db --json'],
  packer: [
    'packer --dry-run                     # what would be fetched, and how it is verified',
    'packer --kube-version 1.37.1 --arch arm64 --image-source upstream',
    'packer -u robot --password-stdin --registry registry.example.com --namespace kube < secret.txt',
    'packer --images apps.txt             # also the images of an application',
    'packer --lock keel.lock.json         # the first run writes it, later runs pack what it lists',
  ],
  push: [
    'packer push --pkg-uri kube-1.37.1-amd64.tar.gz --bucket keel',
    'packer push --pkg-uri kube-1.37.1-amd64.tar.gz --repo dockerhub,release',
    'packer push --pkg-uri kube-1.37.1-amd64.tar.gz --images-to registry.example.com/mirror',
  ],
  merge: ['synctl merge shard-*.json --report report.json'],
} as const;
