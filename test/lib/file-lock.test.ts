import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeFileLock } from '../../src/lib/file-lock.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

test('a lock is taken once, until it is given back, and then nothing is left', () => {
  const folder = scratchFolder();
  const lock = join(folder, 'file.lock');
  for (let round = 0; round < 2; round += 1) {
    const taken = takeFileLock(lock);
    expect(taken).toBeDefined();
    expect(takeFileLock(lock)).toBeUndefined();
    expect(takeFileLock(join(folder, 'other.lock'))?.[Symbol.dispose]()).toBeUndefined();
    taken?.[Symbol.dispose]();
  }
  expect(readdirSync(folder)).toEqual([]);
});

test('what a killed process left is taken over', () => {
  const lock = join(scratchFolder(), 'file.lock');
  writeFileSync(lock, '');
  using taken = takeFileLock(lock);
  expect(taken).toBeDefined();
});

test('a file with content is nobody’s lock, and stays', () => {
  const folder = scratchFolder();
  const lock = join(folder, 'file.lock');
  writeFileSync(lock, 'something of the user');
  expect(() => takeFileLock(lock)).toThrow();
  expect(readdirSync(folder)).toEqual(['file.lock']);
});

test('a folder that is not there has no lock', () => {
  expect(() => takeFileLock(join(scratchFolder(), 'missing', 'file.lock'))).toThrow('ENOENT');
});
