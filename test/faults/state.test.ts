import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { LOGIN, loginVariables } from '../support/token-server.ts';
import { brokenTags } from './wholeness.ts';

const SYNCTL = fileURLToPath(new URL('../../src/synctl.ts', import.meta.url));
const NAMES = ['app', 'tool', 'thing'];
const WRITES: readonly RequestKind[] = ['manifest-put', 'mount', 'upload-start', 'upload-put'];

async function world() {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ frontDoor: true }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  for (const name of NAMES) {
    for (const tag of ['v1.0.0', 'v1.1.0'])
      seedIndex(source.storage, name, { seed: `${name} ${tag}`, tags: [tag] });
  }
  const route = new SyncRoute({ source, destination, set: { names: NAMES } });
  const expectSame = (): void => {
    expect(brokenTags(destination.storage)).toEqual([]);
    for (const name of NAMES) {
      expect(destination.storage.repository(`keel/${name}`).tags).toEqual(
        source.storage.repository(name).tags,
      );
    }
  };
  return { source, destination, route, expectSame, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it('goes on from the destination when the state was cut at any byte', async () => {
  await using here = await world();
  const { destination, route } = here;
  await route.run();
  const whole = readFileSync(route.database);
  const lengths = [0, 16, 17, 50, 99, 100, 101, 512, 1000, 4095, 4096, 4097, 8192, 20_000, whole.length - 1];
  destination.journal.clear();
  for (const length of lengths.filter((each) => each < whole.length)) {
    writeFileSync(route.database, whole.subarray(0, length));
    const { report } = await route.run();
    expect(report.totals, `cut at ${length}`).toMatchObject({ total: 6, copied: 0, skipped: 6, failed: 0 });
  }
  expect(destination.journal.filter({ kind: WRITES })).toEqual([]);
  here.expectSame();
});

it('goes on from the destination when bytes of the state are wrong', async () => {
  await using here = await world();
  const { destination, route } = here;
  await route.run();
  const whole = readFileSync(route.database);
  destination.journal.clear();
  for (let at = 20; at < whole.length; at += Math.ceil(whole.length / 12)) {
    const damaged = Buffer.from(whole);
    damaged.fill(0xa5, at, at + 64);
    writeFileSync(route.database, damaged);
    const { report } = await route.run();
    expect(report.totals, `damaged at ${at}`).toMatchObject({ total: 6, copied: 0, failed: 0 });
  }
  expect(destination.journal.filter({ kind: WRITES })).toEqual([]);
  here.expectSame();
});

it('is not misled by the state of an earlier night', async () => {
  await using here = await world();
  const { source, destination, route } = here;
  await route.run();
  const earlier = join(route.folder, 'earlier');
  copyFileSync(route.database, earlier);
  seedIndex(source.storage, 'app', { seed: 'moved', tags: ['v1.0.0'] });
  seedImage(source.storage, 'tool', { seed: 'new', tags: ['v1.2.0'] });
  await route.run();
  copyFileSync(earlier, route.database);
  destination.journal.clear();
  const { report } = await route.run();
  expect(report.totals).toMatchObject({ total: 7, failed: 0 });
  expect(destination.journal.count('upload-put')).toBe(0);
  here.expectSame();
});

it('mirrors on when the state cannot be written any more, and says so once', async () => {
  await using here = await world();
  const { destination, route } = here;
  let other: DatabaseSync | undefined;
  const lock = (): boolean => {
    if (other === undefined) {
      other = new DatabaseSync(route.database);
      other.exec('BEGIN IMMEDIATE');
    }
    return false;
  };
  destination.fail({ match: { kind: 'upload-put', when: lock }, fault: { kind: 'reset' } });
  const { report, lines } = await route.run();
  other?.exec('ROLLBACK');
  other?.close();
  destination.heal();
  expect(report.totals).toMatchObject({ total: 6, copied: 6, failed: 0 });
  expect(lines.filter((line) => line.startsWith('warning: '))).toHaveLength(1);
  expect(lines.join('\n')).toContain('the state cannot be written');
  here.expectSame();
  destination.journal.clear();
  const second = await route.run();
  expect(second.report.totals).toMatchObject({ copied: 0, skipped: 6, failed: 0 });
  expect(destination.journal.filter({ kind: WRITES })).toEqual([]);
});

it.each([
  [
    'before it can keep a state',
    16,
    0,
    1,
    /sync\.bolt\.db: the state file cannot be opened and written.*free some space/,
  ],
  ['on its way', 96, 300, 0, /warning: .*sync\.bolt\.db: the state cannot be written/],
])('says so when the disk is full %s', async (_, blocks, count, expected, words) => {
  await using here = await world();
  const { source, destination, route } = here;
  const images = Array.from({ length: count }, (_, patch) => `v2.0.${patch}`);
  for (const tag of images) seedImage(source.storage, 'app', { seed: tag, tags: [tag], layers: [10] });
  const files = ['--image-set', join(route.folder, 'image_set.json'), '--db', route.database];
  const where = [
    '--source',
    source.host,
    '--push-to',
    destination.host,
    '--push-ns',
    'keel',
    '--ca-file',
    AUTHORITY_FILE,
  ];
  const { PATH = '' } = process.env;
  // No file may grow beyond so many blocks of 512 bytes, and who tries is told so instead of being killed.
  const limited = `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`;
  const line = ['-c', limited, 'sh', process.execPath, SYNCTL, 'sync', ...where, ...files];
  const env = { PATH, HOME: route.folder, ...loginVariables(LOGIN) };
  const child = spawn('sh', line, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const told = Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect((await told).join('\n')).toMatch(words);
  expect(code).toBe(expected);
  if (code === 0) here.expectSame();
  const { report } = await route.run();
  expect(report.totals).toMatchObject({ total: 6 + images.length, failed: 0 });
  here.expectSame();
});
