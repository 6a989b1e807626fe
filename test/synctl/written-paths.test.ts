import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSqlite } from '../../src/lib/sqlite.ts';
import { Desk } from '../support/built-synctl.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { LOGIN } from '../support/token-server.ts';

/** A folder with files of the user's, and a run that would mirror one image. */
async function world() {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
  const desk = new Desk(LOGIN);
  desk.write('image_set.json', { names: ['pause'] });
  desk.write('notes.txt', 'not to be lost');
  mkdirSync(join(desk.folder, 'folder'));
  symlinkSync('notes.txt', join(desk.folder, 'link'));
  symlinkSync('nothing', join(desk.folder, 'dangling'));
  symlinkSync('loop', join(desk.folder, 'loop'));
  openSqlite(join(desk.folder, 'other.db')).exec('CREATE TABLE mine (id INTEGER)');
  const flags = ['--source', source.host, '--push-to', destination.host, '--push-ns', 'keel'];
  const run = (command: string, ...line: string[]) => desk.run(command, ...flags, ...line);
  const read = (name: string) => readFileSync(join(desk.folder, name), 'utf8');
  return { desk, destination, run, read, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it.each([
  ['--report', 'image_set.json', 'this command uses the file for something else'],
  ['--report', 'sync.bolt.db', 'this command uses the file for something else'],
  ['--report', 'notes.txt', 'this file exists and is not a report; keel-pkg left it unchanged'],
  ['--report', 'link', 'this file exists and is not a report; keel-pkg left it unchanged'],
  ['--report', 'dangling', 'this is a symbolic link to nothing'],
  ['--report', 'folder', 'this is a folder'],
  ['--report', 'loop', 'no file can be written there (ELOOP)'],
  ['--report', '/proc/version', 'no file can be written there'],
  ['--db', 'image_set.json', 'this file exists and is not a state of synctl; keel-pkg left it unchanged'],
  ['--db', 'other.db', 'this is a SQLite database of another program; keel-pkg left it unchanged'],
  ['--db', 'link', 'this file exists and is not a state of synctl; keel-pkg left it unchanged'],
  ['--db', 'folder', 'the state cannot be kept in a folder'],
  ['--db', '/dev/null', 'this is not an ordinary file'],
  ['--db', 'notes.txt/state', 'the state file cannot be locked for this run (ENOTDIR'],
  ['--db', 'loop', 'the state file cannot be read (ELOOP'],
])('%s %s is looked at before it is written, and before anything is done', async (flag, name, message) => {
  await using all = await world();
  const { code, stderr } = await all.run('sync', flag, name);
  expect(stderr).toContain(`error: ${name}: ${message}`);
  expect(code).toBe(2);
  expect(all.destination.journal.entries).toEqual([]);
  expect(all.read('notes.txt')).toBe('not to be lost');
  expect(JSON.parse(all.read('image_set.json'))).toEqual({ names: ['pause'] });
});

it('--report replaces a report, and merge none of those that it joins', async () => {
  await using all = await world();
  for (const outcome of ['copied', 'checked']) {
    expect((await all.run('sync', '--report', 'report.json', '--shard', '1/1')).code).toBe(0);
    expect(JSON.parse(all.read('report.json')).images).toMatchObject([{ outcome }]);
  }
  const before = all.read('report.json');
  const refused = await all.desk.run('merge', 'report.json', '--report', './report.json');
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('uses the file for something else'),
  });
  expect(all.read('report.json')).toBe(before);
  expect((await all.desk.run('merge', 'report.json', '--report', 'notes.txt')).code).toBe(2);
  expect(all.read('notes.txt')).toBe('not to be lost');
  expect((await all.desk.run('merge', 'report.json', '--report', 'joined.json')).code).toBe(0);
  expect((await all.desk.run('merge', 'report.json', '--report', 'joined.json')).code).toBe(0);
  writeFileSync(join(all.desk.folder, 'empty.json'), '');
  expect((await all.desk.run('merge', 'report.json', '--report', 'empty.json')).code).toBe(0);
});
