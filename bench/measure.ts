import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What one run of a command cost. */
export interface Cost {
  readonly seconds: number;
  /** User and system time of the command and its children. */
  readonly cpuSeconds: number;
  /** The largest resident set of any one of its processes, in MiB. */
  readonly memory: number;
}

/** Runs a shell command under GNU time and gives its cost. Throws when it fails. */
export async function measure(command: string): Promise<Cost> {
  const report = join(tmpdir(), `keel-bench-${process.pid}.time`);
  const started = performance.now();
  const code = await new Promise((resolve, reject) => {
    const child = spawn(
      '/usr/bin/time',
      ['-f', '%U %S %M', '-o', report, 'bash', '-c', `set -o pipefail; ${command}`],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    child.once('error', reject);
    child.once('close', resolve);
  });
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`exit code ${String(code)}: ${command}`);
  const [user, system, kilobytes] = (await readFile(report, 'utf8')).trim().split(' ').map(Number);
  await rm(report);
  return { seconds, cpuSeconds: (user ?? 0) + (system ?? 0), memory: (kilobytes ?? 0) / 1024 };
}

/** Gives the middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
