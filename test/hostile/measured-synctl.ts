import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type Report, readReport } from '../../src/sync/report.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

/** How a run of the built synctl ended, and what it took. */
export interface MeasuredRun {
  readonly code: number | NodeJS.Signals | null;
  readonly told: string;
  /** The most memory that its process held at once, in MiB. */
  readonly memory: number;
  readonly report: Report | undefined;
}

const PROGRAM = fileURLToPath(new URL('../../build/src/synctl.js', import.meta.url));
/**
 * Writes the peak of the process' memory, in KiB, to its fourth stream. What getrusage tells begins with that of the
 * process that started it.
 */
const TELL_PEAK = `import { readFileSync, writeSync } from 'node:fs';
const peak = () => /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
process.on('exit', () => writeSync(3, peak()));`;

/** Runs `synctl sync` from one registry to another as people do, and measures it. */
export async function measuredSync(
  route: { readonly source: string; readonly destination: string },
  set: object,
  ...flags: readonly string[]
): Promise<MeasuredRun> {
  const folder = scratchFolder();
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('image_set.json'), JSON.stringify(set));
  const line = [
    ...['--import', `data:text/javascript,${encodeURIComponent(TELL_PEAK)}`],
    ...[PROGRAM, 'sync', '--source', route.source, '--push-to', route.destination, '--push-ns', 'keel'],
    ...['--image-set', file('image_set.json'), '--db', file('state'), '--report', file('report.json')],
    ...['--retry', '2', '--retry-interval', '5ms', ...flags],
  ];
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, line, {
    env: { PATH, HOME: folder },
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
  const code = await ended;
  const memory = Number(kibibytes) / 1024;
  return { code, told: out + errors, memory, report: reportIn(file('report.json')) };
}

function reportIn(file: string): Report | undefined {
  try {
    return readReport(file);
  } catch {
    return undefined;
  }
}
