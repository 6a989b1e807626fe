import { execFile } from 'node:child_process';
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';
import { missingPrograms } from '../test/support/programs.ts';
import { MIRRORERS } from './mirrorer.ts';
import type { Results } from './results.ts';

const OTHERS: readonly (readonly [program: string, ...words: string[]])[] = [
  ['tar', '--version'],
  ['gzip', '--version'],
  ['pigz', '--version'],
  ['curl', '--version'],
  ['docker-registry', '--version'],
];

/** Tells what this machine is, and where what is measured keeps its files. */
export function describeMachine(files: Results['machine']['files']): Results['machine'] {
  return {
    files,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory: totalmem(),
    system: `${type()} ${release()} ${arch()}`,
  };
}

/** Returns the versions of all programs that can take part here. What `go install` built may tell none. */
export async function findVersions(): Promise<Record<string, string>> {
  const mirrorers = MIRRORERS.flatMap(({ program, versionWords }) =>
    program === undefined ? [] : [[program, ...versionWords] as const],
  );
  const found: [string, string][] = [['node', process.versions.node]];
  for (const [program, ...words] of [...mirrorers, ...OTHERS]) {
    if (missingPrograms([program]).length === 0) found.push([program, await versionOf(program, words)]);
  }
  return Object.fromEntries(found);
}

async function versionOf(program: string, words: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(program, [...words]);
  return /\d+\.\d+(?:\.\d+)?/.exec(stdout + stderr)?.[0] ?? 'unknown';
}
