import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { milliseconds } from '../../../src/lib/duration.ts';
import { openSqlite } from '../../../src/lib/sqlite.ts';
import { STATE_LIMIT } from '../../../src/sync/state/schema.ts';
import { State } from '../../../src/sync/state/state.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { destinationOf, imagesIn, seenImage, warningKeeper } from '../../support/state-sample.ts';

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
        return imagesIn(state, PAUSE).size;
      });
      expect(opened).toEqual({ result: 1, restored: false, warnings: [] });
      expect(openAnd(file, (state) => imagesIn(state, PAUSE).size)).toEqual({
        result: 1,
        restored: true,
        warnings: [],
      });
    },
  );

  test('is not made by reading only', () => {
    const file = join(scratchFolder(), 'none', 'sync.db');
    expect(openAnd(file, (state) => imagesIn(state, PAUSE).size, { mode: 'read' }).result).toBe(0);
    expect(existsSync(join(file, '..'))).toBe(false);
  });
});

/** More rows and longer texts than a run writes, each in a file that is whole. */
const OVERSIZED: readonly (readonly [string, string])[] = [
  [
    'a million images of one repository',
    numbered(1_000_001, 'image', "1, n, 1, NULL, x'', NULL, 1, 1, 1, 1"),
  ],
  ['a million failures', numbered(1_000_001, 'failure', "1, n, '', 1")],
  ['hints about half a million blobs', numbered(500_001, 'blob', 'CAST(n AS BLOB), 1, 1')],
  ['more repositories than any registry', numbered(100_001, 'repository', "n, '', n")],
  ['more settings than any mirror', numbered(10_001, 'content_options', 'n, n')],
  ['more patterns than any image set', numbered(100_001, 'pattern', "'', n")],
  ['more listings than any source', numbered(100_001, 'listing', "'', n, 1")],
  ['more runs than any file keeps', numbered(10_001, 'run', "n, '', 1, 1, '', 1, 1, 1, 1, 1")],
  ['a long tag', 'UPDATE image SET tag = hex(zeroblob(5000000))'],
  ['a long tag at the source', 'UPDATE image SET source_tag = hex(zeroblob(5000000))'],
  ['a long digest', 'UPDATE image SET source_digest = zeroblob(65)'],
  ['a long digest of what was pushed', 'UPDATE image SET pushed_digest = zeroblob(65)'],
  ['a long host', 'UPDATE repository SET host = hex(zeroblob(5000000))'],
  ['a long path', 'UPDATE repository SET path = hex(zeroblob(5000000)) WHERE id = 1'],
  ['long settings', 'UPDATE content_options SET key = hex(zeroblob(5000000))'],
  ['a long code', "INSERT INTO failure VALUES (1, '1', hex(zeroblob(5000000)), 1)"],
  ['a long digest of a blob', 'INSERT INTO blob VALUES (zeroblob(5000000), 1, 1)'],
  ['a long pattern', "INSERT INTO pattern VALUES ('', hex(zeroblob(5000000)))"],
  ['a long listing', "INSERT INTO listing VALUES ('', hex(zeroblob(5000000)), 1)"],
  ['a long scope', "INSERT INTO run VALUES (1, hex(zeroblob(5000000)), 1, 1, '', 1, 1, 1, 1, 1)"],
  ['a long outcome', "INSERT INTO run VALUES (1, '', 1, 1, hex(zeroblob(5000000)), 1, 1, 1, 1, 1)"],
];

/** Returns SQL that adds rows to a table, in which `n` counts from 1001. */
function numbered(rows: number, table: string, values: string): string {
  return `PRAGMA synchronous = OFF; WITH RECURSIVE counted (n) AS
    (SELECT 1001 UNION ALL SELECT n + 1 FROM counted LIMIT ${rows}) INSERT INTO ${table} SELECT ${values} FROM counted`;
}

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
    const opened = openAnd(file, (state) => imagesIn(state, PAUSE).size);
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
    const opened = openAnd(file, (state) => imagesIn(state, PAUSE).size, { mode: 'read' });
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
    expect(openAnd(file, () => undefined)).toMatchObject({ restored: false, rejected: 'oversized' });
  });

  test.each(OVERSIZED)('is set aside as oversized, and a new one begins: %s', (_, sql) => {
    const folder = scratchFolder();
    const file = join(folder, 'sync.db');
    usableState(file);
    execute(file, sql);
    const opened = openAnd(file, (state) => imagesIn(state, PAUSE).size);
    expect(opened).toMatchObject({ result: 0, restored: false, rejected: 'oversized' });
    expect(opened.warnings).toEqual([
      expect.stringContaining('this holds more than a state may hold; it was set'),
    ]);
    expect(openAnd(file, () => 'again')).toMatchObject({ restored: true, warnings: [] });
  });

  test('is no state of as many images as the largest mirrors have', () => {
    const file = join(scratchFolder(), 'sync.db');
    usableState(file);
    execute(
      file,
      numbered(
        500_000,
        'image',
        "n % 5000, 'v1.' || n || '-eksbuild.1', 1, NULL, randomblob(32), NULL, 1, 5000000, 1800000000, 1800000000",
      ),
    );
    expect(openAnd(file, (state) => imagesIn(state, PAUSE).size > 0)).toMatchObject({
      result: true,
      restored: true,
      warnings: [],
    });
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
        message: 'this is a SQLite database of another program; keel-pkg left it unchanged',
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
    message: 'another process is writing this state file',
  });
  other.exec('COMMIT');
  other.close();
  expect(failureOf(file)).toBe('opened');
});

test('two runs may take turns in one file', () => {
  const open = (path: string) => State.open(path, { ...warningKeeper(), now: () => NOW });
  const file = join(scratchFolder(), 'sync.db');
  const [first, second] = [open(file), open(file)];
  first.record(PAUSE, { images: [seenImage('pause', '3.9')] });
  second.record(PAUSE, { images: [seenImage('pause', '3.10')] });
  expect([...imagesIn(first, PAUSE).keys()].sort()).toEqual(['3.10', '3.9']);
  first.close();
  second.close();
});
