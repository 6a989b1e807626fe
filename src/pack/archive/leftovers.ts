import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failureCode } from '../../lib/failure.ts';

/**
 * Drafts touched within this time stay: several machines may share the folder, and a process that is unknown here may
 * still run on another one.
 */
const UNTOUCHED_MILLISECONDS = 60_000;

/** Returns the path at which this process writes an archive until it is complete. */
export function draftOf(output: string): string {
  const random = randomBytes(6).toString('hex');
  return join(dirname(output), `.${basename(output)}.${process.pid}-${random}.partial`);
}

/** Removes the unfinished archives that killed runs left. */
export async function removeLeftovers(output: string): Promise<void> {
  const folder = dirname(output);
  const start = `.${basename(output)}.`;
  for (const name of await readdir(folder)) {
    const writer = name.startsWith(start) ? /^(\d+)-\w+\.partial$/.exec(name.slice(start.length)) : null;
    if (writer === null || isAlive(Number(writer[1]))) continue;
    const file = join(folder, name);
    const touched = (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;
    // A leftover that cannot be removed does no harm.
    if (Date.now() - touched > UNTOUCHED_MILLISECONDS) await rm(file, { force: true }).catch(() => undefined);
  }
}

function isAlive(writer: number): boolean {
  try {
    return process.kill(writer, 0);
  } catch (error) {
    return failureCode(error) !== 'ESRCH';
  }
}
