import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readImageFile } from '../../../src/config/images/image-file.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const signal = new AbortController().signal;

test('a file is read under its own name', async () => {
  const file = join(scratchFolder(), 'images.txt');
  writeFileSync(file, 'nginx:1.29\n');
  const { images } = await readImageFile(file, signal);
  expect(images.map(({ places }) => places)).toEqual([[{ file, line: 1, column: 1 }]]);
});

test.each([
  ['nothing', () => undefined, 'there is no such file'],
  ['a directory', (path: string) => mkdirSync(path), 'it is a directory'],
  [
    'bytes that are no text',
    (path: string) => writeFileSync(path, Buffer.from([0x41, 0xff, 0x80, 0x0a])),
    'it is neither UTF-8 nor UTF-16: byte 2, on line 1, is invalid; save it as UTF-8',
  ],
])('%s is refused', async (_name, make, message) => {
  const file = join(scratchFolder(), 'images');
  make(file);
  await expect(readImageFile(file, signal)).rejects.toMatchObject({
    code: 'IMAGES_UNREADABLE',
    fault: 'usage',
    about: file,
    message,
  });
});

test('a web address is no file, and its login is not shown', async () => {
  await expect(readImageFile('https://me:secret@example.com/list.txt', signal)).rejects.toMatchObject({
    about: 'https://example.com/list.txt',
    message: 'it is a web address, and not a file',
    hint: 'download it first',
  });
});
