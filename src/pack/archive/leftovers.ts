import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failureCode } from '../../lib/failure.ts';

/** On a folder that machines share, a process that is not known here may be another one's, and at work. */
const UNTOUCHED_MILLISECONDS = 60_000;

/** Returns the name under which this process writes an archive until it is whole. */
export function draftOf(output: string): string {
  const random = randomBytes(6).toString('hex');
  return join(dirname(output), `.${basename(output)}.${process.pid}-${random}.partial`);
}

/** Removes what runs left of an archive that were killed while they wrote it. */
export async function removeLeftovers(output: string): Promise<void> {
  const folder = dirname(output);
  const start = `.${basename(output)}.`;
  for (const name of await readdir(folder)) {
    const writer = name.startsWith(start) ? /^(\d+)-\w+\.partial$/.exec(name.slice(start.length)) : null;
    if (writer === null || isAlive(Number(writer[1]))) continue;
    const file = join(folder, name);
    const touched = (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;
    // What cannot be removed is in nobody's way.
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
