import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates a folder and those above it, as far as they are missing. Throws Node's system errors.
 *
 * `mkdirSync` with `recursive` never returns where the system answers ENOENT below a folder that is there, as
 * /proc does (seen with Node 24.21), so each level is made by itself.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been quicker.
    if (!existsSync(path)) throw error;
  }
}
