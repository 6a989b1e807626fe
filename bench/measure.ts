import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { machineSeconds, processSeconds } from './processor-time.ts';
import type { Sample } from './sample.ts';

/** Processes that work for the one that is measured, by what they are to it. */
export type Servers = Readonly<Record<string, number>>;

function secondsOf(servers: Servers): Record<string, number> {
  return Object.fromEntries(Object.entries(servers).map(([name, pid]) => [name, processSeconds(pid)]));
}

/**
 * Runs a command of bash under GNU time and returns what it cost, what its servers used meanwhile, and what was left of
 * the machine's time by others. Throws when it fails, with what it said.
 */
export async function measure(command: string, servers: Servers = {}): Promise<Sample & { stdout: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'keel-bench-time-'));
  const report = join(folder, 'time');
  const load = loadavg()[0] ?? 0;
  const before = { machine: machineSeconds(), servers: secondsOf(servers), own: process.cpuUsage() };
  const started = performance.now();
  const time = ['-f', '%U %S %M', '-o', report, 'bash', '-c', `set -o pipefail; ${command}`];
  const child = spawn('/usr/bin/time', time, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const seconds = (performance.now() - started) / 1000;
  const after = secondsOf(servers);
  const machine = machineSeconds() - before.machine;
  const own = process.cpuUsage(before.own);
  try {
    if (code !== 0)
      throw new Error(`exit code ${String(code)}: ${command}\n${stderr.slice(-2000)}${stdout.slice(-2000)}`);
    const [user = 0, system = 0, kilobytes = 0] = (await readFile(report, 'utf8'))
      .trim()
      .split(' ')
      .map(Number);
    const spent = Object.fromEntries(
      Object.entries(after).map(([name, total]) => [name, total - (before.servers[name] ?? 0)]),
    );
    const known = user + system + (own.user + own.system) / 1e6 + sum(Object.values(spent));
    return {
      seconds,
      cpuSeconds: user + system,
      memory: kilobytes / 1024,
      servers: spent,
      otherCpuSeconds: Math.max(0, machine - known),
      load,
      stdout,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
