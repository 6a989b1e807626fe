import { readFileSync } from 'node:fs';
import { mkdir, mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSqlite } from '../../src/lib/sqlite.ts';
import { Job } from '../support/action-runner.ts';
import { ActionsService } from '../support/actions-service/service.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const STATE = path.resolve('test/fixtures/actions/state');
const KEY = /keel-sync-v2-[0-9a-f]{16}-/g;

/** Starts a cache service, and returns a function that is one nightly run on a fresh machine. */
async function nights() {
  const service = await ActionsService.start();
  onTestFinished(() => service[Symbol.asyncDispose]());
  let count = 0;
  const night = async (options: {
    inputs?: Record<string, string>;
    env?: Record<string, string>;
    prepare?: (job: Job) => Promise<void>;
  }) => {
    count += 1;
    await using folder = await mkdtempDisposable(path.join(tmpdir(), 'keel-state-'));
    const env = { ...service.environment(), GITHUB_RUN_ID: String(count), ...options.env };
    const job = await Job.start({ folder: folder.path, env });
    await options.prepare?.(job);
    const main = await job.step({ action: STATE, ...(options.inputs && { with: options.inputs }) });
    const [post] = await job.finish();
    const file = path.join(job.workspace, options.inputs?.['db'] ?? 'sync.bolt.db');
    return {
      restored: main.outputs['restored'],
      main: main.log.text.replace(KEY, 'KEY-'),
      post: post?.log.text.replace(KEY, 'KEY-'),
      annotations: [...main.log.annotations, ...(post?.log.annotations ?? [])],
      failed: main.exitCode !== 0 || post?.exitCode !== 0,
      text: await readFile(file, 'utf8').catch(() => undefined),
      left: await readdir(job.workspace),
    };
  };
  return { service, night };
}

test('each night goes on from the state of the one before', async () => {
  const { night } = await nights();
  expect(await night({ inputs: { write: 'a' } })).toEqual({
    restored: 'false',
    main: 'state: none in the cache yet; this run checks what the destination has\n',
    post: 'state: saved in the cache, 1 B (KEY-1of1-1-1)\n',
    annotations: [],
    failed: false,
    text: 'a',
    left: ['sync.bolt.db'],
  });
  expect(await night({ inputs: { write: 'b', db: 'kept/elsewhere.db' } })).toMatchObject({
    restored: 'true',
    main: 'state: restored from the cache, 1 B (KEY-1of1-1-1)\n',
    post: 'state: saved in the cache, 2 B (KEY-1of1-2-1)\n',
    text: 'ab',
  });
  expect(await night({})).toMatchObject({ main: expect.stringContaining('KEY-1of1-2-1'), text: 'ab' });
});

test('a re-run, another route and each shard have keys of their own', async () => {
  const { service, night } = await nights();
  await night({ inputs: { write: 'a' } });
  const again = await night({ inputs: { write: 'b' }, env: { GITHUB_RUN_ID: '1', GITHUB_RUN_ATTEMPT: '2' } });
  expect(again.text).toBe('ab');
  expect((await night({ inputs: { 'push-ns': 'other' } })).restored).toBe('false');
  const first = await night({ inputs: { shard: '1/2', write: '1' } });
  expect(first.text).toBe('ab1');
  const second = await night({ inputs: { shard: '2/2', write: '2' } });
  expect((await night({ inputs: { shard: '1/2' } })).text).toBe('ab1');
  expect(second.post).toContain('saved');
  expect(new Set(service.caches.map(({ key }) => key)).size).toBe(service.caches.length);
});

test('what a killed writer left unfinished is undone before the file is saved', async () => {
  const { night } = await nights();
  const unfinished = await night({
    prepare: async ({ workspace }) => {
      const { file, journal } = killedWriter();
      await writeFile(path.join(workspace, 'sync.bolt.db'), file);
      await writeFile(path.join(workspace, 'sync.bolt.db-journal'), journal);
    },
  });
  expect(unfinished.left).toEqual(['sync.bolt.db']);
  const next = await night({});
  expect(next.left).toEqual(['sync.bolt.db']);
  expect(next.text).toContain('of before');
  expect(next.text).not.toContain('unfinished');
});

/** Returns a database in the middle of a transaction, and its journal. */
function killedWriter(): { readonly file: Buffer; readonly journal: Buffer } {
  const file = path.join(scratchFolder(), 'killed.db');
  const database = openSqlite(file);
  // Without room for pages in memory, they are in the file before the transaction ends.
  database.exec(`CREATE TABLE kept (text TEXT); INSERT INTO kept VALUES ('of before'); PRAGMA cache_size = 1;
PRAGMA secure_delete = ON; BEGIN; UPDATE kept SET text = 'unfinished'; CREATE TABLE more (text TEXT)`);
  for (let count = 0; count < 200; count += 1) {
    database.exec(`INSERT INTO more VALUES ('unfinished ${'x'.repeat(500)}')`);
  }
  const killed = { file: readFileSync(file), journal: readFileSync(`${file}-journal`) };
  database.close();
  return killed;
}

test('a file that is there already is used, and saved', async () => {
  const { night } = await nights();
  await night({ inputs: { write: 'a' } });
  const own = await night({
    prepare: async ({ workspace }) => writeFile(path.join(workspace, 'sync.bolt.db'), 'own'),
  });
  expect(own).toMatchObject({
    restored: 'true',
    main: 'state: sync.bolt.db exists, so the cache is not used\n',
    text: 'own',
  });
  expect((await night({})).text).toBe('own');
});

test('the same key twice keeps the first and says so', async () => {
  const { night } = await nights();
  const env = { GITHUB_RUN_ID: '7' };
  await night({ inputs: { write: 'a' }, env });
  const second = await night({ inputs: { write: 'b' }, env });
  expect(second.post).toMatch(/^state: not saved, .*another job may be creating this cache.*\n$/);
  expect(second).toMatchObject({ annotations: [], failed: false });
  expect((await night({})).text).toBe('a');
});

test.each([
  {
    what: 'read-only',
    scopes: [{ branch: 'refs/heads/main', access: 'read' as const }],
    main: /^state: restored/,
    post: /^state: not saved, .*cache write denied/,
  },
  {
    what: 'denied',
    scopes: [],
    main: /^state: not restored, .*cache read denied/,
    post: /^state: not saved, .*cache write denied/,
  },
])('a cache that is $what costs a line', async ({ scopes, main, post }) => {
  const { service, night } = await nights();
  await night({ inputs: { write: 'a' } });
  const denied = await night({ inputs: { write: 'b' }, env: service.environment({ scopes }) });
  expect(denied.main).toMatch(main);
  expect(denied.post).toMatch(post);
  expect(denied).toMatchObject({ annotations: [], failed: false });
});

test('a cache that is down, cut off, slow, broken or absent costs a line and no annotation', async () => {
  const { service, night } = await nights();
  await night({ inputs: { write: 'a' } });
  // Long enough for a first answer on a slow machine, and shorter than the toolkit goes on asking.
  const patient = { 'time-limit': '8000' };
  const cases = [
    {
      fault: { call: 'download', times: 1, damage: true } as const,
      says: /not restored, the archive in the cache: it is damaged/,
    },
    {
      fault: { call: 'GetCacheEntryDownloadURL', times: 9, cut: true } as const,
      says: /not restored, .*ECONNRESET/,
    },
    {
      fault: { call: 'GetCacheEntryDownloadURL', times: 1, delay: 60_000 } as const,
      says: /did not answer within 1.5 s/,
      inputs: { 'time-limit': '1500' },
    },
    {
      fault: { call: 'GetCacheEntryDownloadURL', times: 9, status: 503 } as const,
      says: /not restored, .*answered with status 503: disturbed by the test/,
    },
    {
      fault: { call: 'CreateCacheEntry', times: 9, status: 500 } as const,
      says: /not saved, .*within 8.0 s .*500/,
      inputs: patient,
    },
  ];
  for (const { fault, says, inputs = {} } of cases) {
    service.faults.clear();
    service.disturb(fault);
    const run = await night({ inputs });
    expect(`${run.main}${run.post}`).toMatch(says);
    expect(run).toMatchObject({ annotations: [], failed: false });
    expect(run.left.filter((name) => name !== 'sync.bolt.db')).toEqual([]);
  }
  await service.hangUp();
  const down = await night({ inputs: { write: 'b' } });
  expect(down.main).toMatch(/^state: not restored, .*the connection was refused/);
  expect(down.post).toMatch(/^state: not saved, /);
  const absent = await night({
    inputs: { write: 'b' },
    env: { ACTIONS_RESULTS_URL: '', ACTIONS_CACHE_SERVICE_V2: '' },
  });
  expect(absent.main).toMatch(/^state: not restored, there is no Actions cache here;/);
  expect([...down.annotations, ...absent.annotations]).toEqual([]);
}, 600_000);

test('a run that is stopped does not wait for the cache', async () => {
  const { service, night } = await nights();
  await night({ inputs: { write: 'a' } });
  service.disturb({ call: 'GetCacheEntryDownloadURL', times: 1, delay: 60_000 });
  const stopped = await night({ inputs: { 'stop-at-once': 'true' } });
  expect(stopped.main).toMatch(/^state: not restored, the run was stopped;/);
});

test('an unusable place for the state costs a line', async () => {
  const { night } = await nights();
  await night({ inputs: { write: 'a' } });
  const run = await night({
    inputs: { db: 'in-the-way/state.db' },
    prepare: async ({ workspace }) => {
      await mkdir(workspace, { recursive: true });
      await writeFile(path.join(workspace, 'in-the-way'), 'a file');
    },
  });
  expect(run.main).toMatch(/^state: not restored, /);
  expect(run.post).toBe('state: nothing to save\n');
  expect(run.failed).toBe(false);
});
