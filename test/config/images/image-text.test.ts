import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { textOfImageFile } from '../../../src/config/images/image-text.ts';

const TAR = Buffer.alloc(1024);
TAR.write('ustar', 257);

test.each([
  ['a gzip file', gzipSync('nginx'), 'it is compressed with gzip'],
  ['a zstd file', zstdCompressSync('nginx'), 'it is compressed with zstd'],
  ['a zip archive', Buffer.from('PK\x03\x04abc'), 'it is a zip archive'],
  ['a program', Buffer.from('\x7fELF\x02\x01'), 'it is a program'],
  ['a tar archive', TAR, 'it is a tar archive'],
  ['a text with a zero byte', Buffer.from('nginx:1\nredis\0:8\n'), 'it is not a text'],
  ['nothing', Buffer.alloc(0), 'it is empty'],
  ['empty lines', Buffer.from('\ufeff\n \r\n'), 'it is empty'],
])('%s is refused', (_name, bytes, message) => {
  expect(() => textOfImageFile('a', bytes)).toThrow(
    expect.objectContaining({
      code: 'IMAGES_UNREADABLE',
      about: 'a',
      message,
      hint: expect.stringMatching(/./),
    }),
  );
});
