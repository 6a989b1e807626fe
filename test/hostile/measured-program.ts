import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { type Login, loginVariables } from '../support/token-server.ts';

/** How a run of a program ended, and what it took. */
export interface MeasuredProgram {
  readonly code: number | NodeJS.Signals | null;
  readonly told: string;
  /** The most memory that its process held at once, in MiB. */
  readonly memory: number;
}

/**
 * Writes the peak of the process' memory, in KiB, to its fourth stream. What getrusage tells begins with that of the
 * process that started it.
 */
const TELL_PEAK = `import { readFileSync, writeSync } from 'node:fs';
const peak = () => /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
process.on('exit', () => writeSync(3, peak()));`;

/**
 * What is held, and no garbage: how much of that lies about depends on how busy the machine is, where nothing makes Node
 * collect it. A program that holds more than this in its heap ends without memory; what is outside of it, the peak tells.
 */
const HEAP_LIMITS = ['--max-old-space-size=300', '--max-semi-space-size=8'];

/** Runs a compiled program with a folder as its home, and measures it. */
export async function measured(
  program: 'synctl' | 'packer',
  folder: string,
  line: readonly string[],
  login?: Login,
): Promise<MeasuredProgram> {
  const file = fileURLToPath(new URL(`../../build/src/${program}.js`, import.meta.url));
  const peakTold = ['--import', `data:text/javascript,${encodeURIComponent(TELL_PEAK)}`];
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [...HEAP_LIMITS, ...peakTold, file, ...line], {
    env: { PATH, HOME: folder, NODE_EXTRA_CA_CERTS: AUTHORITY_FILE, ...(login && loginVariables(login)) },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [, stdout, stderr, peak] = child.stdio;
  if (stdout === null || stderr === null || !(peak instanceof Object) || !('read' in peak))
    throw new Error('no pipes');
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  const [out, errors, kibibytes] = await Promise.all([text(stdout), text(stderr), text(peak)]);
  return { code: await ended, told: out + errors, memory: Number(kibibytes) / 1024 };
}
