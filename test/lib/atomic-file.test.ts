import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { writeFileWhole } from '../../src/lib/atomic-file.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

function failureOf(file: string): unknown {
  try {
    writeFileWhole(file, 'content');
  } catch (error) {
    return error;
  }
  return 'written';
}

test('writes a new file and the folders above it, and leaves nothing else', () => {
  const folder = join(scratchFolder(), 'a', 'b');
  writeFileWhole(join(folder, 'report.json'), 'first');
  expect(readFileSync(join(folder, 'report.json'), 'utf8')).toBe('first');
  expect(readdirSync(folder)).toEqual(['report.json']);
});

test('replaces content, keeps the mode, and keeps a symbolic link', () => {
  const folder = scratchFolder();
  const file = join(folder, 'report.json');
  const link = join(folder, 'link.json');
  writeFileSync(file, 'a longer first content');
  chmodSync(file, 0o640);
  symlinkSync('report.json', link);
  writeFileWhole(link, Buffer.from('second'));
  expect(readFileSync(file, 'utf8')).toBe('second');
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
});

test('writes to a device rather than replacing it', () => {
  writeFileWhole('/dev/null', 'gone');
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
});

test('says why a file cannot be written, and what to change', () => {
  const folder = scratchFolder();
  mkdirSync(join(folder, 'report.json'));
  expect(failureOf(join(folder, 'report.json'))).toMatchObject({
    code: 'FILE_UNWRITABLE',
    about: join(folder, 'report.json'),
    hint: 'this is a folder: choose the path of a file',
  });
  expect(failureOf('/proc/keel/report.json')).toMatchObject({ code: 'FILE_UNWRITABLE' });
});

test('does not wait for a program that reads a pipe', () => {
  const pipe = join(scratchFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  expect(failureOf(pipe)).toMatchObject({
    code: 'FILE_UNWRITABLE',
    hint: expect.stringContaining('reads this pipe'),
  });
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  writeFileWhole(pipe, 'all of it');
  expect(readFileSync(reader, 'utf8')).toBe('all of it');
  closeSync(reader);
});

test('leaves the old content, and no draft, when the new does not fit', () => {
  const folder = scratchFolder();
  const file = join(folder, 'report.json');
  writeFileSync(file, 'old');
  const writer = fileURLToPath(new URL('../../src/lib/atomic-file.ts', import.meta.url));
  const script = `const { writeFileWhole } = await import(${JSON.stringify(writer)});
    try { writeFileWhole(${JSON.stringify(file)}, 'x'.repeat(100_000)) } catch (error) { console.log(error.code) }`;
  // The limit, in KiB, stands for a full disk.
  const { stdout } = spawnSync(
    'bash',
    ['-c', 'ulimit -f 16; exec "$0" --input-type=module -e "$1"', process.execPath, script],
    {
      encoding: 'utf8',
    },
  );
  expect(stdout.trim()).toBe('FILE_UNWRITABLE');
  expect(readFileSync(file, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['report.json']);
});
