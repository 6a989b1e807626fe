import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { openSqlite } from '../../src/lib/sqlite.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { type Night, Nights } from './nights.ts';

/** Returns what is left of a night when nothing was wrong with it but its state. */
function brief({ main, post }: Night) {
  const { copied, failed } = main.outputs;
  const stateLines = [...main.log.text.split('\n'), ...post.log.text.split('\n')].filter((line) =>
    /state:|state /.test(line),
  );
  return {
    codes: [main.exitCode, post.exitCode],
    ...{ copied, failed, restored: main.outputs['state-restored'] },
    annotations: [...main.log.annotations, ...post.log.annotations].map(({ message }) => message),
    said: stateLines.map((line) =>
      line
        .trim()
        .replace(/keel-sync-v2-[0-9a-f]{16}/g, 'KEY')
        .replace(/, \d+ KiB/, ''),
    ),
  };
}

const QUIET = { codes: [0, 0], copied: '0', failed: '0', annotations: [] };

test('a state that is lost costs requests and copies nothing twice', async () => {
  const nights = await Nights.start();
  await nights.night();
  nights.service.caches.length = 0;
  expect(brief(await nights.night())).toEqual({
    ...QUIET,
    restored: 'false',
    said: [
      'state: none in the cache yet; this run checks what the destination has',
      'state: saved in the cache (KEY-1of1-2-1)',
    ],
  });
  expect(brief(await nights.night())).toMatchObject({ ...QUIET, restored: 'true' });
});

test('an entry that is damaged on its way costs a line', async () => {
  const nights = await Nights.start();
  await nights.night();
  nights.service.disturb({ call: 'download', damage: true });
  const night = brief(await nights.night());
  expect(night).toMatchObject({ ...QUIET, restored: 'false' });
  expect(night.said[0]).toMatch(/^state: not restored, .*; this run checks what the destination has$/);
});

test.each([
  ['a text', () => Buffer.from('no state')],
  [
    "another program's database",
    () => {
      const file = path.join(scratchFolder(), 'other.db');
      const database = openSqlite(file);
      database.exec('CREATE TABLE other (text TEXT)');
      database.close();
      return readFileSync(file);
    },
  ],
])('an entry that holds %s costs a warning, and the next night begins well', async (_what, content) => {
  const nights = await Nights.start();
  await nights.night();
  const packing = pack();
  packing.entry({ name: '.keel-sync-state/state.db' }, content());
  packing.finalize();
  for (const { blob } of nights.service.caches) blob.bytes = zstdCompressSync(await buffer(packing));
  const night = brief(await nights.night());
  expect(night).toMatchObject({ ...QUIET, restored: 'false', annotations: [expect.any(String)] });
  expect(night.annotations[0]).toMatch(/^state: not restored, .*it contains no state, and was refused/);
  expect(brief(await nights.night())).toMatchObject({ ...QUIET, restored: 'true' });
});

test('a file that is damaged is set aside, and a new one is saved', async () => {
  const nights = await Nights.start();
  await nights.night();
  const night = brief(
    await nights.night({
      prepare: async (job) => {
        const file = path.join(job.workspace, 'sync.bolt.db');
        await writeFile(file, `SQLite format 3\0${'damage '.repeat(2000)}`);
      },
    }),
  );
  expect(night).toMatchObject({ codes: [0, 0], copied: '0', failed: '0', restored: 'false' });
  expect(night.annotations).toEqual([
    expect.stringMatching(/^sync\.bolt\.db: .*set aside as sync\.bolt\.db\./),
  ]);
  expect(night.said.at(-1)).toBe('state: saved in the cache (KEY-1of1-2-1)');
});

test('a cache that is down costs a line', async () => {
  const nights = await Nights.start();
  await nights.service.hangUp();
  const night = brief(await nights.night());
  expect(night).toMatchObject({ codes: [0, 0], copied: '9', failed: '0', annotations: [] });
  expect(night.said).toEqual([
    expect.stringMatching(
      /^state: not restored, .*the connection was refused.*; this run checks what the destination has/,
    ),
    expect.stringMatching(/^state: not saved, .*; the next run uses an older one$/),
  ]);
});

test('a runner without a cache, or with one of an Enterprise Server, costs a line', async () => {
  const nights = await Nights.start();
  const none = { ACTIONS_RESULTS_URL: '', ACTIONS_CACHE_SERVICE_V2: '' };
  const enterprise = { GITHUB_SERVER_URL: 'https://github.example.com' };
  for (const env of [none, enterprise]) {
    expect(brief(await nights.night({ env }))).toMatchObject({
      codes: [0, 0],
      annotations: [],
      said: [
        'state: not restored, there is no Actions cache here; this run checks what the destination has',
        'state: not saved, there is no Actions cache here; the next run uses an older one',
      ],
    });
  }
});

test('two steps with the same key keep the first state and say so', async () => {
  const nights = await Nights.start();
  const env = { GITHUB_RUN_ID: '7' };
  await nights.night({ env });
  const second = brief(await nights.night({ env }));
  expect(second).toMatchObject({ ...QUIET, restored: 'true' });
  expect(second.said.at(-1)).toMatch(/^state: not saved, .*KEY-1of1-7-1.*; the next run uses an older one$/);
});

test('a state that is kept in the registry needs no cache', async () => {
  const nights = await Nights.start();
  const state = { with: { state: 'registry' } };
  expect(brief(await nights.night(state))).toMatchObject({ codes: [0, 0], copied: '9', restored: 'false' });
  const { said, ...second } = brief(await nights.night(state));
  expect(second).toEqual({ ...QUIET, restored: 'true' });
  expect(said).toEqual([
    expect.stringMatching(/^state: fetched from .*keel-state:[0-9a-f]{16}/),
    expect.stringMatching(/^state: pushed to .*keel-state:[0-9a-f]{16}/),
  ]);
  expect(nights.service.caches).toEqual([]);
});
