import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failureCode } from '../../src/lib/failure.ts';
import { makeFolder } from '../../src/lib/folder.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

function codeOf(path: string): string {
  try {
    makeFolder(path);
  } catch (error) {
    return failureCode(error);
  }
  return 'made';
}

test('makes what is missing and leaves what is there', () => {
  const folder = scratchFolder();
  makeFolder(join(folder, 'a', 'b', 'c'));
  makeFolder(join(folder, 'a', 'b'));
  expect(statSync(join(folder, 'a', 'b', 'c')).isDirectory()).toBe(true);
});

test('gives the system error where a folder cannot be, and always returns', () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'plain'), '');
  expect(codeOf(join(folder, 'plain', 'below'))).toBe('ENOTDIR');
  expect(codeOf('/proc/keel/below')).toBe('ENOENT');
});
