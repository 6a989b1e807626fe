import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { type Login, loginVariables } from '../support/token-server.ts';

/** How a run of a program ended, and what it took. */
export interface ProgramCost {
  readonly code: number | NodeJS.Signals | null;
  readonly told: string;
  /** The most memory that its process held at once, in MiB. */
  readonly memory: number;
  /** The longest time in milliseconds for which nothing else could be done, from its first request on. */
  readonly hold: number;
  readonly milliseconds: number;
}

/**
 * Writes the peak of the process' memory, in KiB, and its longest hold to its fourth stream. What getrusage tells
 * begins with that of the process that started it. Before the first request, a program is read; and while others have
 * the processor, nothing is held.
 */
const TELL_COST = `import { readFileSync, writeSync } from 'node:fs';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
let hold = 0;
let at = performance.now();
let used = process.cpuUsage();
setInterval(() => {
  const { user, system } = process.cpuUsage(used);
  hold = Math.max(hold, Math.min(performance.now() - at, (user + system) / 1000));
  at = performance.now();
  used = process.cpuUsage();
}, 2).unref();
const first = () => { unsubscribe('http.client.request.start', first); hold = 0; };
subscribe('http.client.request.start', first);
const peak = () => /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
process.on('exit', () => writeSync(3, peak() + ' ' + hold));`;

export interface CostOptions {
  /** A folder that is its home. */
  readonly folder: string;
  readonly login?: Login | undefined;
  /**
   * What may be held in its heap, in MiB. Garbage is not held: how much of that lies about depends on how busy the machine
   * is, where nothing makes Node collect it. A program that holds more ends without memory.
   */
  readonly heap: number;
  /** Kills it. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a compiled program from the root of the repository, and measures it. */
export async function programCost(
  program: 'synctl' | 'packer',
  line: readonly string[],
  { folder, login, heap, signal }: CostOptions,
): Promise<ProgramCost> {
  const limits = [`--max-old-space-size=${heap}`, '--max-semi-space-size=8'];
  const costTold = ['--import', `data:text/javascript,${encodeURIComponent(TELL_COST)}`];
  const { PATH = '' } = process.env;
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    [...limits, ...costTold, resolve(`build/src/${program}.js`), ...line],
    {
      env: { PATH, HOME: folder, NODE_EXTRA_CA_CERTS: AUTHORITY_FILE, ...(login && loginVariables(login)) },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    },
  );
  signal?.addEventListener('abort', () => child.kill('SIGKILL'));
  const [, stdout, stderr, cost] = child.stdio;
  if (stdout === null || stderr === null || !(cost instanceof Object) || !('read' in cost)) {
    throw new Error('no pipes');
  }
  const ended = new Promise<number | NodeJS.Signals | null>((settle) => {
    child.once('close', (code, killed) => settle(code ?? killed));
  });
  const [out, errors, numbers] = await Promise.all([text(stdout), text(stderr), text(cost)]);
  const code = await ended;
  const [kibibytes = Number.NaN, hold = Number.NaN] = numbers.split(' ').map(Number);
  const milliseconds = performance.now() - begun;
  return { code, told: out + errors, memory: kibibytes / 1024, hold, milliseconds };
}
