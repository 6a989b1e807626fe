import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { textOfImageFile } from '../../../src/config/images/image-text.ts';

const TAR = Buffer.alloc(1024);
TAR.write('ustar', 257);
const TEXTS = 'use a list of images, a manifest or a compose file';

test.each([
  ['a gzip file', gzipSync('nginx'), 'it is compressed with gzip', 'unpack it: '],
  ['a zstd file', zstdCompressSync('nginx'), 'it is compressed with zstd', 'unpack it with unzstd'],
  [
    'a zip archive',
    Buffer.from('PK\x03\x04abc'),
    'it is a zip archive',
    'unpack it, and name the files in it',
  ],
  ['a program', Buffer.from('\x7fELF\x02\x01'), 'it is a program', TEXTS],
  ['a tar archive', TAR, 'it is a tar archive', 'use a list of images; '],
  ['a text with a zero byte', Buffer.from('nginx:1\nredis\0:8\n'), 'it is not a text', TEXTS],
  ['nothing', Buffer.alloc(0), 'it is empty', 'check the command that writes it'],
  ['empty lines', Buffer.from('\ufeff\n \r\n'), 'it is empty', 'check the command that writes it'],
])('%s is refused', (_name, bytes, message, hint) => {
  expect(() => textOfImageFile('a', bytes)).toThrow(
    expect.objectContaining({
      code: 'IMAGES_UNREADABLE',
      about: 'a',
      message,
      hint: expect.stringContaining(hint),
    }),
  );
});
