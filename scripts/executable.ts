import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * Writes an executable: the shell preamble that finds a Node 24, followed by the module `program`. Runs at the root.
 */
export function writeExecutable(file: string, name: string, program: string): void {
  const preamble = readFileSync('scripts/cli-preamble.sh', 'utf8').replaceAll('@NAME@', name);
  // Renamed into place, so that a running tool keeps its file.
  writeFileSync(`${file}.new`, `${preamble}\n${program}`);
  chmodSync(`${file}.new`, 0o755);
  renameSync(`${file}.new`, file);
}
