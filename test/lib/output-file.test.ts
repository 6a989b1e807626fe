import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireOutputFile } from '../../src/lib/output-file.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

/** Returns what is wrong with a path for a note, which begins with `note`. */
function refusal(file: string): unknown {
  try {
    const isOne = (path: string) => readFileSync(path, 'utf8').startsWith('note');
    requireOutputFile(file, { what: 'note', isOne });
    return undefined;
  } catch (error) {
    return error;
  }
}

test('takes a path at which nothing is lost', () => {
  const folder = scratchFolder();
  const write = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  expect(refusal(join(folder, 'new'))).toBeUndefined();
  expect(refusal(join(folder, 'no', 'such', 'folder'))).toBeUndefined();
  expect(refusal(write('empty', ''))).toBeUndefined();
  expect(refusal(write('own', 'note of yesterday'))).toBeUndefined();
  symlinkSync('own', join(folder, 'link'));
  expect(refusal(join(folder, 'link'))).toBeUndefined();
  expect(refusal('/dev/stdout')).toBeUndefined();
});

test.each([
  ['this file exists and is not a note; keel-pkg left it unchanged', 'FILE_NOT_OURS', 'other'],
  ['this file exists and is not a note; keel-pkg left it unchanged', 'FILE_NOT_OURS', 'link'],
  ['this is a folder', 'PATH_UNUSABLE', 'folder'],
  ['this is a symbolic link to nothing', 'PATH_UNUSABLE', 'dangling'],
  [expect.stringMatching(/ is not a folder$/), 'PATH_UNUSABLE', 'other/file'],
  ['no file can be written there (ELOOP)', 'PATH_UNUSABLE', 'loop'],
  ['no file can be written there (ELOOP)', 'PATH_UNUSABLE', 'loop/below'],
  ['no file can be written there (ENAMETOOLONG)', 'PATH_UNUSABLE', 'x'.repeat(300)],
])('refuses a path: %s', (message, code, name) => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'other'), 'something else');
  symlinkSync('other', join(folder, 'link'));
  symlinkSync('nothing', join(folder, 'dangling'));
  symlinkSync('loop', join(folder, 'loop'));
  mkdirSync(join(folder, 'folder'));
  const file = join(folder, name);
  expect(refusal(file)).toMatchObject({ code, fault: 'usage', about: file, message });
  expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('something else');
});

test.each(['/proc/version', '/proc/new', '/proc/new/folder/file'])(
  'refuses a path at which nothing can be written: %s',
  (file) => {
    expect(refusal(file)).toMatchObject({
      code: 'PATH_UNUSABLE',
      fault: 'usage',
      about: file,
      message: expect.stringMatching(/^no file can be written there/),
    });
  },
);

test('leaves nothing behind', () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'own'), 'note of yesterday');
  expect(refusal(join(folder, 'own'))).toBeUndefined();
  expect(refusal(join(folder, 'no', 'such', 'folder'))).toBeUndefined();
  expect(readdirSync(folder)).toEqual(['own']);
});
