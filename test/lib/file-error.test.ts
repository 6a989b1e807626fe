import { expect, test } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import { explainFileError } from '../../src/lib/file-error.ts';

test.each<[what: string, error: unknown, text: string]>([
  ['a file that is not there', Object.assign(new Error('open'), { code: 'ENOENT' }), 'there is no such file'],
  [
    'one that may not be read',
    Object.assign(new Error('open'), { code: 'EACCES' }),
    'it cannot be read: EACCES',
  ],
  ['a folder', Object.assign(new Error('read'), { code: 'EISDIR' }), 'it cannot be read: EISDIR'],
  ['what is wrong with its content', new Error('it contains no certificate'), 'it contains no certificate'],
  [
    'a failure of ours',
    new Failure({ code: 'DISK_FULL', about: 'a', message: 'no' }),
    'it cannot be read: DISK_FULL',
  ],
  ['what is no error', 'oops', 'it cannot be read: UNEXPECTED'],
])('%s', (_what, error, text) => {
  expect(explainFileError(error)).toBe(text);
});
