import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';

const SUMS = 'SHA256SUMS';

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Returns the files of a small package, with nothing of the project's own reading. Throws where it is no whole tar.gz. */
export async function filesOf(file: string): Promise<Map<string, Buffer>> {
  const unpacked = extract();
  unpacked.end(gunzipSync(readFileSync(file)));
  const files = new Map<string, Buffer>();
  for await (const entry of unpacked) {
    if (entry.header.type === 'file') files.set(entry.header.name, await buffer(entry));
    else entry.resume();
  }
  return files;
}

/** Finds everything in a package that is not what it says, or that lacks; each as a line. `expected` is sha256 by path. */
export async function brokenFiles(
  file: string,
  expected: ReadonlyMap<string, string> = new Map(),
): Promise<string[]> {
  const faults: string[] = [];
  const files = await filesOf(file).catch((error: unknown) => void faults.push(`${file}: ${String(error)}`));
  if (files === undefined) return faults;
  const lines = files.get(SUMS)?.toString('utf8').trim().split('\n') ?? [];
  const sums = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
  if (sums.size === 0) faults.push(`${SUMS} is missing`);
  for (const [path, bytes] of files) {
    if (path !== SUMS && sums.get(path) !== sha256(bytes)) faults.push(`${path} has other bytes`);
  }
  for (const path of sums.keys()) if (!files.has(path)) faults.push(`${path} is missing`);
  for (const [path, digest] of expected) {
    const bytes = files.get(path);
    if (bytes === undefined) faults.push(`${path} is missing`);
    else if (sha256(bytes) !== digest) faults.push(`${path} has other bytes`);
  }
  return faults;
}
