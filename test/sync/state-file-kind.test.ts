import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqlite } from '../../src/lib/sqlite.ts';
import { State } from '../../src/sync/state/state.ts';
import { hasSmallSchema, inspectFile } from '../../src/sync/state/state-file-kind.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { warningKeeper } from '../support/state-sample.ts';

function bolt(at: number): Buffer {
  const file = Buffer.alloc(8192, 0x11);
  file.writeUInt32LE(0xed0cdaed, at);
  return file;
}

test.each([
  ['empty', ''],
  ['sqlite', `SQLite format 3\0${'\u0001'.repeat(100)}`],
  ['damaged', `SQLite format 3\0${'?'.repeat(100)}`],
  ['bolt', bolt(16)],
  ['bolt', bolt(4096 + 16)],
  ['damaged', 'SQLite for'],
  ['damaged', Buffer.alloc(5000)],
  ['damaged', '\0'],
  ['other', '{"images": []}'],
  ['other', 'SQLite format 4\0'],
  ['other', bolt(17)],
])('a file is %s', (kind, content) => {
  const file = join(scratchFolder(), 'sync.db');
  expect(inspectFile(file)).toBe('missing');
  writeFileSync(file, content);
  expect(inspectFile(file)).toBe(kind);
});

test.each([
  ['the state cannot be kept in a folder', () => scratchFolder()],
  ['this is not an ordinary file', () => '/dev/null'],
  [
    'the state file cannot be read (ELOOP: ',
    () => {
      const file = join(scratchFolder(), 'sync.db');
      symlinkSync(file, file);
      return file;
    },
  ],
])('%s', (message, make) => {
  const file = make();
  expect(() => inspectFile(file)).toThrow(
    expect.objectContaining({
      code: 'PATH_UNUSABLE',
      about: file,
      message: expect.stringContaining(message),
    }),
  );
});

test.each([
  ['of a state is', '', true],
  ['with one more table is', 'CREATE TABLE a (a)', true],
  [
    'with hundreds of tables is not',
    Array.from({ length: 300 }, (_, n) => `CREATE TABLE t${n} (a)`).join(';'),
    false,
  ],
  ['with a table that is long to read is not', `CREATE TABLE a (a /* ${'a'.repeat(5000)} */)`, false],
  ['with larger pages is not', 'PRAGMA page_size = 65536; VACUUM', false],
])('a schema %s small', (_, sql, isSmall) => {
  const file = join(scratchFolder(), 'sync.db');
  State.open(file, warningKeeper()).close();
  const database = openSqlite(file);
  database.exec(`BEGIN; COMMIT; ${sql}`);
  database.close();
  expect(hasSmallSchema(file)).toBe(isSmall);
});
