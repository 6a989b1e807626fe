import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect } from 'vitest';
import { writeExecutable } from '../../scripts/executable.ts';
import { bundle } from '../../scripts/ncc.ts';
import { processesIn, witnessed } from './processes.ts';
import { fileTimes, findSecrets, findSecretsInFiles, secretVariables } from './secret-search.ts';
import { AUTHORITY_FILE } from './test-authority.ts';

/** What a command said and how it ended. */
export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Makes the one-file packer from the compiled sources (`npm run compile`), as `make build-pack` does, and returns its path.
 * Throws where the bundle has more than one file.
 */
export function buildPacker(folder: string): string {
  const parts = join(folder, 'parts');
  bundle('build/src/packer.js', parts);
  const strays = readdirSync(parts).filter((name) => name !== 'index.js' && name !== 'package.json');
  if (strays.length > 0) throw new Error(`the bundle has ${strays.join(', ')} as well`);
  const file = join(folder, 'packer');
  writeExecutable(file, 'packer', readFileSync(join(parts, 'index.js'), 'utf8'));
  return file;
}

/**
 * Builds packer for the tests of a file, in a folder that goes when they are over. Both paths are there from the first
 * test on.
 */
export function packerOfFile(): { readonly folder: string; readonly program: string } {
  const folder = mkdtempSync(join(tmpdir(), 'keel-packer-'));
  beforeAll(() => void buildPacker(folder));
  afterAll(() => rmSync(folder, { recursive: true }));
  return { folder, program: join(folder, 'packer') };
}

/** Runs a program in a folder with nothing of this machine's user. No secret of its environment may get out of it. */
export async function runIn(
  folder: string,
  program: string,
  line: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const { PATH = '' } = process.env;
  const beside = mkdtempSync(join(tmpdir(), 'keel-processes-'));
  const witness = join(beside, 'processes.txt');
  const before = fileTimes(folder);
  const child = spawn(program, line, {
    cwd: folder,
    env: { PATH, HOME: folder, NODE_EXTRA_CA_CERTS: AUTHORITY_FILE, ...environment, ...witnessed(witness) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const processes = processesIn(witness);
  rmSync(beside, { recursive: true });
  const secrets = secretVariables(environment);
  expect([
    ...findSecrets('its output', `${stdout}${stderr}`, secrets),
    ...findSecrets('the list of processes', processes.join('\n'), secrets),
    ...findSecretsInFiles(folder, secrets, before),
  ]).toEqual([]);
  return { code, stdout, stderr };
}
