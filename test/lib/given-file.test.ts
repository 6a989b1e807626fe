import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { readGivenFile } from '../../src/lib/given-file.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const calm = new AbortController().signal;

function pipeIn(folder: string): string {
  const file = join(folder, 'pipe');
  execFileSync('mkfifo', [file]);
  return file;
}

it('an ordinary file is read, of whatever size', async () => {
  const file = join(scratchFolder(), 'file');
  const content = Buffer.alloc(3_000_000, 'a');
  writeFileSync(file, content);
  expect((await readGivenFile(file, calm)).equals(content)).toBe(true);
  expect((await readGivenFile('/dev/null', calm)).length).toBe(0);
});

it('a pipe is waited for until something writes into it, and read to its end', async () => {
  const file = pipeIn(scratchFolder());
  const content = Buffer.alloc(3_000_000, 'a');
  const reading = readGivenFile(file, calm);
  await writeFile(file, content);
  expect((await reading).equals(content)).toBe(true);
});

it('a pipe that nobody writes into is waited for until the run ends', async () => {
  const file = pipeIn(scratchFolder());
  const stop = new AbortController();
  const reading = readGivenFile(file, stop.signal);
  stop.abort(new Error('the run is over'));
  await expect(reading).rejects.toThrow('the run is over');
  await expect(readGivenFile(file, stop.signal)).rejects.toThrow('the run is over');
});

it('content without end is refused', async () => {
  await expect(readGivenFile('/dev/zero', calm)).rejects.toThrow('it is larger than 256 MiB');
});

it.each([
  ['a missing file', 'nothing/here', 'ENOENT'],
  ['a folder', '.', 'EISDIR'],
])('%s is an error of the system', async (_name, path, code) => {
  await expect(readGivenFile(join(scratchFolder(), path), calm)).rejects.toMatchObject({ code });
});

const module = new URL('../../build/src/lib/given-file.js', import.meta.url).href;
// The thread that reads files, of which there is one, has had its turn when it has told of the second.
const program = `const { readGivenFile } = await import('${module}');
  const { stat } = await import('node:fs/promises');
  const content = readGivenFile(process.argv[1], new AbortController().signal);
  content.catch(() => {});
  await stat('/');
  await stat('/');
  process.stdout.write('reading;');
  process.stdout.write(await content);`;
const env = { ...process.env, UV_THREADPOOL_SIZE: '1', NODE: process.execPath, PROGRAM: program };

it('what a shell makes of <(…) is read', async () => {
  const command = `exec "$NODE" --input-type=module -e "$PROGRAM" <(read line < "$0"; printf '%s' "said: $line")`;
  const pipe = pipeIn(scratchFolder());
  const running = promisify(execFile)('bash', ['-c', command, pipe], { env });
  await writeFile(pipe, 'later\n');
  expect((await running).stdout).toBe('reading;said: later');
});

it('what someone types is waited for, and read to its end', async () => {
  const command = `"$NODE" --input-type=module -e "$PROGRAM" /dev/stdin`;
  const running = promisify(execFile)('script', ['-qec', `stty -echo; ${command}`, '/dev/null'], { env });
  running.child.stdout?.once('data', () => running.child.stdin?.end('typed\r\u0004'));
  expect((await running).stdout.trim()).toBe('reading;typed');
});
