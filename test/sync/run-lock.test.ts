import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failureCode } from '../../src/lib/failure.ts';
import { takeRunLock } from '../../src/sync/state/run-lock.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

/** Returns the code of the failure to take a file; undefined if it can be taken. */
function refusal(file: string): string | undefined {
  try {
    takeRunLock(file)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return failureCode(error);
  }
}

test('a file is taken once, in a folder that need not be there, and nothing is left', () => {
  const folder = join(scratchFolder(), 'new', 'folder');
  const file = join(folder, 'sync.db');
  const lock = takeRunLock(file);
  expect(refusal(file)).toBe('STATE_BUSY');
  lock[Symbol.dispose]();
  expect(refusal(file)).toBeUndefined();
  expect(readdirSync(folder)).toEqual([]);
});

test('a file that is reached by two names is one', () => {
  const folder = scratchFolder();
  mkdirSync(join(folder, 'real'));
  symlinkSync('real', join(folder, 'other'));
  const [file, same] = ['real', 'other'].map((name) => join(folder, name, 'sync.db'));
  if (file === undefined || same === undefined) throw new Error('two names');
  const absent = takeRunLock(file);
  expect(refusal(same)).toBe('STATE_BUSY');
  absent[Symbol.dispose]();
  writeFileSync(file, '');
  symlinkSync('real/sync.db', join(folder, 'link.db'));
  using _there = takeRunLock(file);
  expect(refusal(same)).toBe('STATE_BUSY');
  expect(refusal(join(folder, 'link.db'))).toBe('STATE_BUSY');
});

test('what a killed run left is taken over', () => {
  const file = join(scratchFolder(), 'sync.db');
  writeFileSync(`${file}.lock`, '');
  expect(refusal(file)).toBeUndefined();
});

test.each([
  ['a folder', (folder: string) => folder],
  ['no ordinary file', () => '/dev/null'],
  ['below a file', (folder: string) => join(folder, 'file', 'sync.db')],
])('%s cannot be taken', (_, name) => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'file'), '');
  expect(refusal(name(folder))).toBe('PATH_UNUSABLE');
});
