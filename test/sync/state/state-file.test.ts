import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { milliseconds } from '../../../src/lib/duration.ts';
import { openSqlite } from '../../../src/lib/sqlite.ts';
import { STATE_LIMIT } from '../../../src/sync/state/schema.ts';
import { State } from '../../../src/sync/state/state.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { destinationOf, seenImage, warningKeeper } from '../../support/state-sample.ts';

const PAUSE = destinationOf('pause');
const NOW = new Date('2026-03-01T02:03:04.567Z');

/** A BoltDB's first pages: page header of 16 bytes, then the meta page's magic; page 0, page 1 or both. */
function boltFile(metaPages: readonly (0 | 1)[]): Buffer {
  const file = Buffer.alloc(16_384, 0x11);
  for (const page of metaPages) file.writeUInt32LE(0xed0cdaed, page * 4096 + 16);
  return file;
}

function usableState(file: string): void {
  const state = State.open(file, { ...warningKeeper(), now: () => NOW });
  state.record(PAUSE, { images: [seenImage('pause', '3.10')] });
  state.close();
}

function execute(file: string, sql: string): void {
  const database = openSqlite(file);
  database.exec(sql);
  database.close();
}

function openAnd<T>(
  file: string,
  use: (state: State) => T,
  more: Partial<Parameters<typeof State.open>[1]> = {},
) {
  const keeper = warningKeeper();
  const state = State.open(file, { ...keeper, now: () => NOW, ...more });
  try {
    const { restored, rejected } = state;
    return { result: use(state), restored, rejected, warnings: keeper.warnings };
  } finally {
    state.close();
  }
}

const failureOf = (file: string, more: Partial<Parameters<typeof State.open>[1]> = {}): unknown => {
  try {
    openAnd(file, () => 'opened', more);
  } catch (error) {
    return error;
  }
  return 'opened';
};

describe('a new state', () => {
  test.each(['missing', 'empty', 'empty with the journal of a file that is gone'])(
    'starts where the file is %s',
    (kind) => {
      const file = join(scratchFolder(), 'sync.db');
      if (kind !== 'missing') writeFileSync(file, '');
      if (kind.includes('journal')) writeFileSync(`${file}-journal`, Buffer.alloc(4096, 0xd9));
      const opened = openAnd(file, (state) => {
        state.record(PAUSE, { images: [seenImage('pause', '3.10')] });
        return state.images(PAUSE).size;
      });
      expect(opened).toEqual({ result: 1, restored: false, warnings: [] });
      expect(openAnd(file, (state) => state.images(PAUSE).size)).toEqual({
        result: 1,
        restored: true,
        warnings: [],
      });
    },
  );

  test('is not made by reading only', () => {
    const file = join(scratchFolder(), 'none', 'sync.db');
    expect(openAnd(file, (state) => state.images(PAUSE).size, { mode: 'read' }).result).toBe(0);
    expect(existsSync(join(file, '..'))).toBe(false);
  });
});

const UNUSABLE: readonly { name: string; reason: string; make: (file: string) => void }[] = [
  { name: 'a BoltDB', reason: 'bolt', make: (file) => writeFileSync(file, boltFile([0, 1])) },
  {
    name: 'a BoltDB whose first page is broken',
    reason: 'bolt',
    make: (file) => writeFileSync(file, boltFile([1])),
  },
  { name: 'a cut-off SQLite header', reason: 'damaged', make: (file) => writeFileSync(file, 'SQLite for') },
  { name: 'a file of zeroes', reason: 'damaged', make: (file) => writeFileSync(file, Buffer.alloc(8192)) },
  {
    name: 'a SQLite header with nothing sensible behind it',
    reason: 'damaged',
    make: (file) => writeFileSync(file, `SQLite format 3\0${'?'.repeat(9000)}`),
  },
  {
    name: 'a state of a newer format',
    reason: 'newer',
    make: (file) => {
      usableState(file);
      execute(file, 'PRAGMA user_version = 3; CREATE TABLE later (id INTEGER)');
    },
  },
  {
    name: 'a state without a format number',
    reason: 'older',
    make: (file) => {
      usableState(file);
      execute(file, 'PRAGMA user_version = 0');
    },
  },
  {
    name: 'a state of the first format, which kept the times of runs in seconds',
    reason: 'older',
    make: (file) => {
      usableState(file);
      execute(file, 'PRAGMA user_version = 1');
    },
  },
  {
    name: 'a state that lacks a table',
    reason: 'damaged',
    make: (file) => {
      usableState(file);
      execute(file, 'DROP TABLE blob');
    },
  },
  {
    name: 'a state into which someone put a trigger',
    reason: 'damaged',
    make: (file) => {
      usableState(file);
      execute(file, 'CREATE TRIGGER sly AFTER INSERT ON image BEGIN DELETE FROM run; END');
    },
  },
  {
    name: 'a state whose header forbids SQLite to write it',
    reason: 'damaged',
    make: (file) => {
      usableState(file);
      const bytes = readFileSync(file);
      bytes.writeUInt8(3, 18);
      writeFileSync(file, bytes);
    },
  },
  {
    name: 'a state into which someone put a view',
    reason: 'damaged',
    make: (file) => {
      usableState(file);
      execute(file, 'CREATE VIEW sly AS SELECT * FROM run');
    },
  },
  {
    name: 'a state with a write-ahead log',
    reason: 'damaged',
    make: (file) => {
      usableState(file);
      execute(file, 'PRAGMA journal_mode = WAL');
    },
  },
  {
    name: 'a state whose header lost its mark',
    reason: 'damaged',
    make: (file) => {
      usableState(file);
      execute(file, 'PRAGMA application_id = 0');
    },
  },
  {
    name: "another program's SQLite database that is cut off",
    reason: 'damaged',
    make: (file) => {
      execute(file, 'CREATE TABLE note (text TEXT); INSERT INTO note VALUES (hex(zeroblob(9000)))');
      truncateSync(file, 8192);
    },
  },
];

describe('a file that cannot be used', () => {
  test.each(UNUSABLE)('is set aside as $reason: $name', ({ reason, make }) => {
    const folder = scratchFolder();
    const file = join(folder, 'sync.bolt.db');
    make(file);
    const content = readFileSync(file);
    const aside = `${file}.${reason}-20260301T020304Z`;
    const opened = openAnd(file, (state) => state.images(PAUSE).size);
    expect(opened).toMatchObject({ result: 0, restored: false, rejected: reason });
    expect(opened.warnings).toHaveLength(1);
    expect(opened.warnings[0]).toContain(`${file}: this `);
    expect(opened.warnings[0]).toContain(`set aside as ${aside}`);
    expect(readFileSync(aside).equals(content)).toBe(true);
    expect(openAnd(file, () => 'again')).toMatchObject({
      restored: true,
      rejected: undefined,
      warnings: [],
    });
  });

  test.each(UNUSABLE)('stays where it is when only read: $name', ({ reason, make }) => {
    const folder = scratchFolder();
    const file = join(folder, 'sync.db');
    make(file);
    const content = readFileSync(file);
    const opened = openAnd(file, (state) => state.images(PAUSE).size, { mode: 'read' });
    expect(opened).toMatchObject({ result: 0, restored: false, rejected: reason });
    expect(opened.warnings).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['sync.db']);
    expect(readFileSync(file).equals(content)).toBe(true);
  });

  test('is set aside unread: a state of more pages than any state has', () => {
    const file = join(scratchFolder(), 'sync.db');
    usableState(file);
    const bytes = readFileSync(file);
    const pageSize = bytes.readUInt16BE(16);
    const pages = STATE_LIMIT / pageSize + 1;
    bytes.writeUInt32BE(pages, 28);
    writeFileSync(file, bytes);
    truncateSync(file, pages * pageSize);
    expect(openAnd(file, () => undefined)).toMatchObject({ restored: false, rejected: 'damaged' });
  });

  test('never takes the place of another that was set aside, and takes its journal along', () => {
    const folder = scratchFolder();
    const file = join(folder, 'sync.db');
    writeFileSync(`${file}.bolt-20260301T020304Z`, 'earlier');
    writeFileSync(file, boltFile([0]));
    writeFileSync(`${file}-journal`, 'of the old file');
    openAnd(file, (state) => state.record(PAUSE, { images: [seenImage('pause', '3.10')] }));
    expect(readFileSync(`${file}.bolt-20260301T020304Z`, 'utf8')).toBe('earlier');
    expect(readFileSync(`${file}.bolt-20260301T020304Z-2`).equals(boltFile([0]))).toBe(true);
    expect(readFileSync(`${file}.bolt-20260301T020304Z-2-journal`, 'utf8')).toBe('of the old file');
  });
});

describe('refused and left as it is', () => {
  test.each([
    ['JSON', '{"images": {}}'],
    ['text', 'registry.k8s.io/pause:3.10'],
    ['one letter', 'x'],
    ['an archive', Buffer.from('1f8b08000000000000ff', 'hex')],
  ])('%s', (_name, content) => {
    const folder = scratchFolder();
    const file = join(folder, 'image_set.json');
    writeFileSync(file, content);
    for (const mode of ['write', 'read'] as const) {
      expect(failureOf(file, { mode })).toMatchObject({ code: 'STATE_NOT_OURS', about: file });
    }
    expect(readFileSync(file)).toEqual(Buffer.from(content));
    expect(readdirSync(folder)).toEqual(['image_set.json']);
  });

  test.each(['PRAGMA application_id = 7;', ''])("another program's SQLite database (%s)", (mark) => {
    const folder = scratchFolder();
    const file = join(folder, 'places.sqlite');
    execute(file, `${mark} CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('mine')`);
    const content = readFileSync(file);
    for (const mode of ['write', 'read'] as const) {
      expect(failureOf(file, { mode })).toMatchObject({
        code: 'STATE_NOT_OURS',
        about: file,
        message: 'this is a SQLite database of another program; it was left as it is',
      });
    }
    expect(readFileSync(file).equals(content)).toBe(true);
    expect(readdirSync(folder)).toEqual(['places.sqlite']);
  });

  test('a folder, a device, a path through a file', () => {
    const folder = scratchFolder();
    mkdirSync(join(folder, 'inner'));
    writeFileSync(join(folder, 'plain'), 'x');
    expect(failureOf(join(folder, 'inner'))).toMatchObject({
      code: 'PATH_UNUSABLE',
      about: join(folder, 'inner'),
    });
    expect(failureOf('/dev/null')).toMatchObject({ code: 'PATH_UNUSABLE', about: '/dev/null' });
    expect(failureOf(join(folder, 'plain', 'sync.db'))).toMatchObject({ code: 'STATE_UNUSABLE' });
    expect(failureOf(join('/proc', 'keel', 'sync.db'))).toMatchObject({ code: 'STATE_UNUSABLE' });
  });
});

test('a file that another process is writing is named after the waiting time', () => {
  const file = join(scratchFolder(), 'sync.db');
  usableState(file);
  const other = openSqlite(file);
  other.exec('BEGIN EXCLUSIVE');
  expect(failureOf(file, { busyTimeout: milliseconds(20) })).toMatchObject({
    code: 'STATE_BUSY',
    about: file,
  });
  other.exec('COMMIT');
  other.close();
  expect(failureOf(file)).toBe('opened');
});

test('two runs may take turns in one file', () => {
  const file = join(scratchFolder(), 'sync.db');
  const [first, second] = [1, 2].map(() => State.open(file, { ...warningKeeper(), now: () => NOW }));
  first?.record(PAUSE, { images: [seenImage('pause', '3.9')] });
  second?.record(PAUSE, { images: [seenImage('pause', '3.10')] });
  expect([...(first?.images(PAUSE).keys() ?? [])].sort()).toEqual(['3.10', '3.9']);
  first?.close();
  second?.close();
});
