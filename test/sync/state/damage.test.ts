import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { State } from '../../../src/sync/state/state.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { destinationOf, imagesIn, seenImage, warningKeeper } from '../../support/state-sample.ts';

const WRITER = fileURLToPath(new URL('../../support/state-writer.ts', import.meta.url));
const PAGE = 4096;

function writeState(file: string, repositories: number): void {
  const state = State.open(file, warningKeeper());
  for (let number = 0; number < repositories; number += 1) {
    const images = Array.from({ length: 60 }, (_, tag) => seenImage(`component-${number}`, `v1.${tag}`));
    state.record(destinationOf(`component-${number}`), {
      images,
      blobs: images.map(({ sourceDigest }) => sourceDigest),
    });
  }
  state.close();
}

/** Does with a state what a run does, and returns how many images it knew. */
function useState(state: State, repositories: number): number {
  let known = 0;
  for (let number = 0; number < repositories; number += 1) {
    known += imagesIn(state, destinationOf(`component-${number}`)).size;
  }
  const pause = seenImage('pause', '3.10');
  state.record(destinationOf('pause'), { images: [pause], blobs: [pause.sourceDigest] });
  expect(imagesIn(state, destinationOf('pause')).size).toBe(1);
  return known;
}

function offsetsToCut(size: number): number[] {
  const nearHead = [1, 2, 8, 15, 16, 17, 18, 60, 64, 68, 72, 99, 100, 101, 511, 512, 1024, 4000];
  const atPages = Array.from({ length: Math.floor(size / PAGE) }, (_, page) => page * PAGE).flatMap((at) => [
    at,
    at + 1,
    at + 777,
    at - 1,
  ]);
  return [...nearHead, ...atPages, size - 1].filter((at) => at > 0 && at < size);
}

describe('a damaged file', () => {
  test('cut off anywhere is set aside, and a new one is usable', () => {
    const folder = scratchFolder();
    const whole = join(folder, 'whole.db');
    writeState(whole, 12);
    const size = statSync(whole).size;
    const offsets = offsetsToCut(size);
    expect(offsets.length).toBeGreaterThan(60);
    for (const offset of offsets) {
      const file = join(folder, `cut-${offset}.db`);
      copyFileSync(whole, file);
      truncateSync(file, offset);
      const keeper = warningKeeper();
      const state = State.open(file, keeper);
      expect({ offset, restored: state.restored, warnings: keeper.warnings.length }).toEqual({
        offset,
        restored: false,
        warnings: 1,
      });
      expect(useState(state, 12)).toBe(0);
      state.close();
      expect(readdirSync(folder).some((name) => name.startsWith(`cut-${offset}.db.damaged-`))).toBe(true);
    }
  });

  test('overwritten in any one page is set aside, or used as far as it can be read', () => {
    const folder = scratchFolder();
    const whole = join(folder, 'whole.db');
    writeState(whole, 12);
    const pages = statSync(whole).size / PAGE;
    let aside = 0;
    for (let page = 0; page < pages; page += 1) {
      for (const [fill, at] of [
        [0xff, 0],
        [0, 0],
        [0x5a, 1500],
      ] as const) {
        const file = join(folder, `page-${page}-${fill}.db`);
        const content = readFileSync(whole);
        // The first 100 bytes of the file say what it is; without them it is simply not ours (opening.test.ts).
        content.fill(fill, page * PAGE + (page === 0 ? 100 : at), page * PAGE + 2500);
        writeFileSync(file, content);
        const state = State.open(file, warningKeeper());
        useState(state, 12);
        state.close();
        if (!state.restored) aside += 1;
      }
    }
    // Cut content inside a page can look like other content; a broken page structure cannot.
    expect(aside).toBeGreaterThanOrEqual(pages * 2);
  });

  test('that breaks during the run gives one warning and nothing known, never an error', () => {
    const file = join(scratchFolder(), 'sync.db');
    writeState(file, 30);
    const keeper = warningKeeper();
    const state = State.open(file, keeper);
    const descriptor = openSync(file, 'r+');
    const size = statSync(file).size;
    // SQLite keeps pages it has read for as long as the change counter (byte 24 of the file) stays the same.
    writeSync(descriptor, Buffer.alloc(4, 0x77), 0, 4, 24);
    for (let at = PAGE; at < size; at += PAGE) writeSync(descriptor, Buffer.alloc(PAGE, 0xa5), 0, PAGE, at);
    closeSync(descriptor);
    expect(imagesIn(state, destinationOf('component-3'))).toEqual(new Map());
    expect(
      state.blobHolders(destinationOf('component-3').host, seenImage('component-3', 'v1.1').sourceDigest),
    ).toEqual([]);
    expect(state.failures(destinationOf('component-3'))).toEqual(new Map());
    expect(keeper.warnings).toEqual([
      expect.stringMatching(/^\S+sync\.db: part of the state cannot be read \(.*malformed/),
    ]);
    state.record(destinationOf('pause'), { images: [seenImage('pause', '3.10')] });
    state.record(destinationOf('etcd'), { images: [seenImage('etcd', '3.5')] });
    expect(keeper.warnings).toHaveLength(2);
    expect(keeper.warnings[1]).toContain('the state cannot be written');
    state.close();
  });

  test('row by row: what is not what it should be counts as unknown', async () => {
    const file = join(scratchFolder(), 'sync.db');
    writeState(file, 1);
    const { openSqlite } = await import('../../../src/lib/sqlite.ts');
    const database = openSqlite(file);
    database.exec(`UPDATE image SET tag = '/../' WHERE tag = 'v1.1';
UPDATE image SET source_digest = x'00' WHERE tag = 'v1.2';
UPDATE image SET pushed = ${2 ** 52} WHERE tag = 'v1.3'`);
    database.close();
    const keeper = warningKeeper();
    const state = State.open(file, keeper);
    const tags = [...imagesIn(state, destinationOf('component-0')).keys()];
    expect(tags).toHaveLength(57);
    expect(tags).not.toContain('v1.2');
    expect(keeper.warnings).toEqual([]);
    state.close();
  });
});

describe('a process that is killed', () => {
  test.each([1, 2, 3, 5, 8, 13])(
    'after recording %i repositories leaves all it had recorded',
    async (enough) => {
      const file = join(scratchFolder(), 'sync.db');
      const writer = spawn(process.execPath, [WRITER, file, '100000'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise((resolve) => writer.once('exit', (_code, signal) => resolve(signal)));
      let told = -1;
      for await (const line of createInterface({ input: writer.stdout })) {
        if (line.startsWith('recorded ')) told = Number(line.slice('recorded '.length));
        if (told >= enough) writer.kill('SIGKILL');
      }
      expect(await ended).toBe('SIGKILL');
      const keeper = warningKeeper();
      const state = State.open(file, keeper);
      expect({ restored: state.restored, warnings: keeper.warnings }).toEqual({
        restored: true,
        warnings: [],
      });
      const sizes = state.repositories().map(({ tags }) => tags);
      expect(sizes.length).toBeGreaterThan(told);
      expect(sizes.every((size) => size === 40)).toBe(true);
      state.close();
    },
  );

  test('in the middle of a transaction leaves a journal that brings the file back', () => {
    const folder = scratchFolder();
    const file = join(folder, 'sync.db');
    writeState(file, 3);
    // A cache this small makes SQLite write to the file itself before the transaction ends.
    const script = `
      const database = new (process.getBuiltinModule('node:sqlite').DatabaseSync)(${JSON.stringify(file)});
      database.exec('PRAGMA cache_size = 1; BEGIN IMMEDIATE; DELETE FROM image');
      database.exec("INSERT INTO run (scope, started, ended, outcome, copied, skipped, failed, deferred, bytes) VALUES (hex(zeroblob(200000)), 1, 1, '', 1, 1, 1, 1, 1)");
      process.kill(process.pid, 'SIGKILL');`;
    expect(spawnSync(process.execPath, ['-e', script]).signal).toBe('SIGKILL');
    expect(readdirSync(folder)).toContain('sync.db-journal');
    const keeper = warningKeeper();
    const state = State.open(file, { ...keeper, mode: 'read' });
    expect(useCount(state)).toBe(180);
    expect(keeper.warnings).toEqual([]);
    state.close();
  });
});

function useCount(state: State): number {
  return state.repositories().reduce((sum, { tags }) => sum + tags, 0);
}

describe('a disk or folder that takes nothing more', () => {
  test('gives one warning during the run, which goes on', () => {
    const file = join(scratchFolder(), 'sync.db');
    writeState(file, 1);
    // ulimit counts in KiB: room for the file and little more; the write beyond it fails as on a full disk.
    const limit = Math.ceil(statSync(file).size / 1024) + 40;
    const command = `ulimit -f ${limit}; exec "$0" "$1" "$2" 60`;
    const { stdout, status } = spawnSync('bash', ['-c', command, process.execPath, WRITER, file], {
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines.filter((line) => line.startsWith('warning '))).toEqual([
      expect.stringMatching(/sync\.db: the state cannot be written \(.+\); the run continues without it/),
    ]);
    expect(lines.slice(-2)).toEqual(['recorded 59', 'closed']);
    const keeper = warningKeeper();
    const state = State.open(file, keeper);
    expect({ restored: state.restored, warnings: keeper.warnings }).toEqual({ restored: true, warnings: [] });
    state.close();
  });

  test.runIf(process.getuid?.() === 0)('is told at the start: a file or folder of someone else', () => {
    const folder = scratchFolder();
    const file = join(folder, 'sync.db');
    writeState(file, 1);
    chmodSync(folder, 0o755);
    chmodSync(file, 0o644);
    chownSync(file, 0, 0);
    const run = (path: string) =>
      spawnSync(process.execPath, [WRITER, path, '1'], { encoding: 'utf8', uid: 65_534, gid: 65_534 }).stderr;
    expect(run(file)).toContain('STATE_UNUSABLE');
    expect(run(join(folder, 'new.db'))).toContain('STATE_UNUSABLE');
    expect(run(join(folder, 'new', 'sync.db'))).toContain('STATE_UNUSABLE');
  });
});
