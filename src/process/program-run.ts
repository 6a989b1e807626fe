import { spawn } from 'node:child_process';
import { type Duration, milliseconds } from '../lib/duration.ts';

/** What a program may use, and which variables it gets. */
interface ProgramLimits {
  readonly patience: Duration;
  /** In bytes, of its output. */
  readonly output: number;
  /** Ends the program when it aborts. */
  readonly signal: AbortSignal;
  /** The variables that it gets; those of this process if undefined. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** How a program ended: by itself, or by one of its limits. */
type ProgramEnd =
  | { readonly by: 'itself'; readonly code: number | undefined; readonly output: string }
  | { readonly by: 'patience' | 'output' | 'signal' };

/** How long to wait for a program that was ended: what left its group can hold its output open, a broken disk itself. */
const REMAINDER = milliseconds(1000);

// Windows has no groups; only the program itself is ended there.
const HAS_GROUPS = process.platform !== 'win32';

/** Ends the running programs. A second Ctrl-C ends this process at once, and the terminal sends it to no other group. */
const RUNNING = new Set<() => void>();

function endAll(): void {
  for (const end of RUNNING) end();
}

/**
 * Runs a program with `input`, and returns how it ended. All that it started ends with it, so that nothing holds its
 * output, or this process: it has a process group of its own, and therefore no terminal. Throws errors of the system.
 */
export async function runProgram(
  [program, ...line]: readonly [string, ...string[]],
  input: string,
  { patience, output: limit, signal, environment: env }: ProgramLimits,
): Promise<ProgramEnd> {
  const stdio: ['pipe', 'pipe', 'ignore'] = ['pipe', 'pipe', 'ignore'];
  const child = spawn(program, line, { stdio, detached: HAS_GROUPS, windowsHide: true, env });
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const parts: Buffer[] = [];
  let length = 0;
  let by: ProgramEnd['by'] = 'itself';
  let remainder: NodeJS.Timeout | undefined;
  const killAll = (): void => killGroup(child.pid);
  if (RUNNING.size === 0) process.on('exit', endAll);
  RUNNING.add(killAll);
  const leave = (): void => {
    child.stdout.destroy();
    child.unref();
    resolve();
  };
  const stop = (reason: ProgramEnd['by']) => (): void => {
    if (by !== 'itself') return;
    by = reason;
    killAll();
    child.stdout.destroy();
    remainder ??= setTimeout(leave, REMAINDER);
  };
  const stopByOutput = stop('output');
  const stopBySignal = stop('signal');
  child.once('error', reject);
  child.once('close', () => resolve());
  child.once('exit', () => {
    killAll();
    remainder ??= setTimeout(leave, REMAINDER);
  });
  child.stdout.on('error', () => undefined);
  child.stdout.on('data', (bytes: Buffer) => {
    length += bytes.length;
    if (length > limit) stopByOutput();
    else parts.push(bytes);
  });
  // A program that does not read its input closes the pipe. Its exit code is more useful than that error.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const timer = setTimeout(stop('patience'), patience);
  signal.addEventListener('abort', stopBySignal, { once: true });
  try {
    await ended;
  } finally {
    clearTimeout(timer);
    clearTimeout(remainder);
    signal.removeEventListener('abort', stopBySignal);
    RUNNING.delete(killAll);
    if (RUNNING.size === 0) process.off('exit', endAll);
    child.stdin.destroy();
  }
  if (by !== 'itself') return { by };
  return { by, code: child.exitCode ?? undefined, output: Buffer.concat(parts).toString('utf8') };
}

/** Ends a program that was started, and what it started, as far as that is still in its group. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(HAS_GROUPS ? -pid : pid, 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}
