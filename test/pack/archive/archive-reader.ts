import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';

const { CI } = process.env;

/** Runs a program, throws with what it said when it fails, and returns its output. */
export function run(program: string, ...argumentList: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, argumentList, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  if (error !== undefined) throw error;
  if (status !== 0 || stderr !== '')
    throw new Error(`${program} ${argumentList.join(' ')}: ${status} ${stderr}`);
  return stdout;
}

/** Returns whether a program is there; where CI is set it has to be. */
export function has(program: string): boolean {
  const found = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  if (!found && CI !== undefined) throw new Error(`${program} must be installed for these tests`);
  return found;
}

export interface ReadEntry {
  readonly header: Header;
  readonly content: Buffer;
}

/** Reads an archive with Node's gunzip and tar-stream. */
export async function readArchive(path: string): Promise<ReadEntry[]> {
  const entries: ReadEntry[] = [];
  const reader = extract();
  const whole = pipeline(createReadStream(path), createGunzip(), reader);
  for await (const entry of reader) {
    const pieces: Uint8Array[] = [];
    for await (const piece of entry) {
      if (piece instanceof Uint8Array) pieces.push(piece);
    }
    entries.push({ header: entry.header, content: Buffer.concat(pieces) });
  }
  await whole;
  return entries;
}
