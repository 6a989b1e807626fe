import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates a folder and its missing parents. Throws Node's system errors.
 *
 * It creates one level at a time: `mkdirSync` with `recursive` never returns if the system answers ENOENT below a
 * folder that exists, as /proc does (seen with Node 24.21).
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have created it meanwhile.
    if (!existsSync(path)) throw error;
  }
}
