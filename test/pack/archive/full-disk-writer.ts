import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Failure } from '../../../src/lib/failure.ts';
import { bytesEntry } from '../../../src/pack/archive/entry.ts';
import { writeArchive } from '../../../src/pack/archive/write-archive.ts';

// Runs where the folder is a file system too small for this archive, and prints the failure.

const [folder = ''] = process.argv.slice(2);
const entries = [bytesEntry('random', randomBytes(32 * 1024 * 1024))];
try {
  await writeArchive({ entries, output: join(folder, 'a.tar.gz'), signal: new AbortController().signal });
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.log(`${error.code} ${error.about}: ${error.message}`);
}
