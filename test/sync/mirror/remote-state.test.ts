import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/lib/duration.ts';
import { parseReference } from '../../../src/registry/oci/reference.ts';
import { checkImage } from '../../../src/sync/check/image-check.ts';
import { examine } from '../../../src/sync/doctor/doctor.ts';
import { openRemoteState } from '../../../src/sync/state/remote-state.ts';
import { packState, pullState, pushState, statePlace } from '../../../src/sync/state/state-in-registry.ts';
import { summariseKnownState } from '../../../src/sync/state/state-summary.ts';
import { describeWith } from '../../support/programs.ts';
import { TOKENS } from '../../support/registry/access.ts';
import type { RequestMatch } from '../../support/registry/journal.ts';
import { type Quirks, VENDOR_QUIRKS } from '../../support/registry/quirks.ts';
import { startRegistry } from '../../support/registry/registry.ts';
import { seedImage } from '../../support/registry/seed.ts';
import { Storage } from '../../support/registry/storage.ts';
import { SyncRoute } from '../../support/sync-run.ts';
import { TestClient } from '../../support/test-client.ts';
import { MIRRORED, world as realWorld } from './world.ts';

const SET = { names: ['pause', 'coredns/coredns', 'kube-proxy'] };
const IMAGES = 4;
const STATE: RequestMatch = { path: /keel-state/ };
const REMOTE = { state: 'registry', verify: 'none' } as const;
// https://www.sqlite.org/fileformat.html#the_database_header
const USER_VERSION_OFFSET = 60;
/** Five seconds are promised; a slow machine takes longer, and what does not wind up at all a minute and more. */
const WIND_UP_MILLISECONDS = 30_000;

/** A source and a destination that tell what they were asked, and can be broken. */
async function world(quirks: Quirks = {}) {
  const stack = new AsyncDisposableStack();
  const storage = new Storage();
  seedImage(storage, 'pause', { seed: 'p', tags: ['3.10'] });
  seedImage(storage, 'coredns/coredns', { seed: 'c13', tags: ['v1.13.1'] });
  seedImage(storage, 'coredns/coredns', { seed: 'c14', tags: ['v1.14.2'] });
  seedImage(storage, 'kube-proxy', { seed: 'k', tags: ['v1.36.2'] });
  const source = stack.use(await startRegistry({ frontDoor: true, storage }));
  const destination = stack.use(await startRegistry({ quirks, access: TOKENS }));
  const route = new SyncRoute({ source, destination, set: SET });
  const client = stack.use(new TestClient(destination.host, { login: destination.login }));
  const loseFile = (): void => rmSync(route.database, { force: true });
  const place = statePlace(route.settings());
  /** Puts something in place of the state, in the form of one. */
  const plant = async (file: Buffer): Promise<void> => {
    const packed = await packState(file);
    await pushState(client.registry, place, { ...packed, isOrdinary: false }, client.signal);
  };
  const pull = (tag = place.tag) => pullState(client.registry, place.repository, tag, client.signal);
  const stateTags = (): string[] => [...destination.storage.repository(place.repository).tags.keys()];
  return {
    ...{ source, destination, route, place, loseFile, plant, pull, stateTags },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function stateLines(lines: readonly string[]): string[] {
  return lines
    .filter((line) => line.includes('state:'))
    .map((line) => line.replace(/127\.0\.0\.1:\d+/g, 'HOST'));
}

/** What the doctor finds out about the state. */
async function stateFinding({ route }: Awaited<ReturnType<typeof world>>) {
  const diagnoses = await examine(route.settings(REMOTE), route.parts(), () => undefined);
  const found = diagnoses.find(({ check }) => check === 'state');
  return [found?.outcome, found?.message];
}

describeWith(['docker-registry'], 'a state beside the images of a real registry', () => {
  it('is all that a run from an empty folder needs', async () => {
    await using all = await realWorld('htpasswd');
    const { route, proxy } = all;
    const first = await route.run(REMOTE);
    expect(first.report).toMatchObject({ stateRestored: false, totals: { copied: MIRRORED.length } });
    rmSync(route.database);
    proxy.clear();
    const second = await route.run(REMOTE);
    expect(second.report).toMatchObject({ stateRestored: true, totals: { copied: 0, failed: 0 } });
    const repositories = new Set(MIRRORED.map(([, name]) => name.split(':')[0]));
    const others = proxy.filter({ path: /\/keel\/(?!keel-state)/ });
    // A list a repository, and a question a tag, as this source tells no digests.
    expect(others.length).toBeLessThanOrEqual(repositories.size + MIRRORED.length);
    expect(others.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
    expect(proxy.count(STATE)).toBeLessThanOrEqual(10);
    expect(stateLines(second.lines)).toEqual([
      expect.stringMatching(/^state: fetched from HOST\/keel\/keel-state:[0-9a-f]{16}, \d+ KiB$/),
      expect.stringMatching(/^state: pushed to HOST\/keel\/keel-state:[0-9a-f]{16}, [\d.]+ KiB$/),
    ]);
  });

  it.each([false, true])(
    'is pushed after SIGTERM, within seconds; with a registry that takes none: %s',
    async (isStuck) => {
      await using all = await realWorld('htpasswd');
      const { route, proxy } = all;
      const hold = proxy.hold({ method: 'PUT', path: /keel\/metrics-server\/manifests/ });
      const stuck = isStuck ? proxy.hold({ method: ['POST', 'PUT'], ...STATE }) : undefined;
      const sync = route.start('--state', 'registry');
      await sync.until(hold.reached);
      const asked = performance.now();
      sync.kill('SIGTERM');
      const { code, told } = await sync.end();
      expect(performance.now() - asked).toBeLessThan(WIND_UP_MILLISECONDS);
      expect(code).toBe(143);
      expect(told).toContain(isStuck ? 'state: not pushed' : 'state: pushed');
      hold.release();
      stuck?.release();
      rmSync(route.database);
      const { report } = await route.run(REMOTE);
      expect(report).toMatchObject({ stateRestored: !isStuck, totals: { failed: 0, deferred: 0 } });
    },
  );
});

describe('a state in a registry', () => {
  it('stands on an ordinary configuration where an empty one is refused, and asks for it once', async () => {
    await using all = await world(VENDOR_QUIRKS.aliyun);
    const { route, destination, pull } = all;
    await route.run(REMOTE);
    expect((await pull()).isOrdinary).toBe(true);
    all.loseFile();
    destination.journal.clear();
    const { report, lines } = await route.run(REMOTE);
    expect(report).toMatchObject({ stateRestored: true, totals: { copied: 0, failed: 0 }, warnings: [] });
    expect(stateLines(lines)).toHaveLength(2);
    expect(
      destination.journal.entries.filter(({ status, method }) => method === 'PUT' && status >= 400),
    ).toEqual([]);
  });

  it.each(['junk', 'damaged', 'newer', 'empty', 'another image'])(
    'is told and replaced when it is no good: %s',
    async (kind) => {
      await using all = await world();
      const { route, destination, place, plant, pull } = all;
      await route.run(REMOTE);
      const { bytes } = await pull();
      if (kind === 'junk') await plant(Buffer.from('no state at all'));
      if (kind === 'damaged') await plant(bytes.fill('x', 2000, 9000));
      if (kind === 'newer') {
        bytes.writeUInt32BE(99, USER_VERSION_OFFSET);
        await plant(bytes);
      }
      if (kind === 'empty') await plant(Buffer.alloc(0));
      if (kind === 'another image') seedImage(destination.storage, place.repository, { tags: [place.tag] });
      all.loseFile();
      const second = await route.run(REMOTE);
      expect(second.report).toMatchObject({ stateRestored: false, totals: { copied: 0, failed: 0 } });
      expect(second.report.warnings.map(({ message }) => message)).toEqual([
        expect.stringMatching(
          /^state: not fetched, .*keel-state:.*; this run checks what the destination has$/,
        ),
      ]);
      all.loseFile();
      const third = await route.run(REMOTE);
      expect(third.report).toMatchObject({ stateRestored: true, warnings: [] });
    },
  );

  it('is not believed when its bytes are not those of its digest', async () => {
    await using all = await world();
    await all.route.run(REMOTE);
    all.loseFile();
    const fault = { kind: 'wrong-bytes' } as const;
    const broken = all.destination.fail({
      match: { path: /keel-state\/blobs\/sha256/ },
      times: Number.POSITIVE_INFINITY,
      fault,
    });
    const { report } = await all.route.run(REMOTE);
    expect(broken.hits).toBeGreaterThan(0);
    expect(report).toMatchObject({ stateRestored: false, totals: { copied: 0, failed: 0 } });
    expect(report.warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('does not have this digest'),
    ]);
  });

  it('is not said to be missing when only its layer is', async () => {
    await using all = await world();
    await all.route.run(REMOTE);
    all.loseFile();
    all.destination.fail({
      match: { kind: 'blob-get', path: /keel-state\/blobs\/sha256/ },
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status: 404 },
    });
    const { report } = await all.route.run(REMOTE);
    expect(report.warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('its layer no longer exists'),
    ]);
  });

  it.each([{ kind: 'status', status: 500 }, { kind: 'reset' }, { kind: 'status', status: 403 }] as const)(
    'costs a line where it cannot be reached: %o',
    async (fault) => {
      await using all = await world();
      all.destination.fail({ match: STATE, times: Number.POSITIVE_INFINITY, fault });
      const { report, lines } = await all.route.run(REMOTE);
      expect(report).toMatchObject({ stateRestored: false, totals: { copied: IMAGES, failed: 0 } });
      expect(stateLines(lines)).toEqual([
        expect.stringMatching(
          /^(?:warning: state: not fetched|state: there is none, or it cannot be read)[,:] /,
        ),
        expect.stringMatching(/^warning: state: not pushed, .*; the next run uses an older one$/),
      ]);
    },
  );

  it('is kept for each shard, which begins with that of the whole', async () => {
    await using all = await world();
    const { route, stateTags, place } = all;
    await route.run(REMOTE);
    for (const stateRestored of [true, true]) {
      for (const index of [1, 2]) {
        all.loseFile();
        const { report } = await route.run({ ...REMOTE, shard: { index, count: 2 } });
        expect(report).toMatchObject({ stateRestored, totals: { copied: 0, failed: 0 } });
      }
    }
    expect(stateTags().toSorted()).toEqual([place.tag, `${place.tag}-1of2`, `${place.tag}-2of2`]);
  });

  it('is used by a dry run, which changes nothing here or there', async () => {
    await using all = await world();
    const { route, destination } = all;
    await route.run(REMOTE);
    all.loseFile();
    destination.journal.clear();
    const { report } = await route.run({ ...REMOTE, dryRun: true });
    expect(report).toMatchObject({ stateRestored: true, totals: { copied: 0, failed: 0 } });
    expect(destination.journal.entries.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual(
      [],
    );
    expect(route.hasState()).toBe(false);
    const others = destination.journal.count({ path: /\/keel\/(?!keel-state)/ });
    expect(others).toBeLessThanOrEqual(2 * SET.names.length);
  });

  it('is what check, sum and doctor look into, and leave as it is', async () => {
    await using all = await world();
    const { route, destination, place } = all;
    const name = `${destination.host}/${place.repository}:${place.tag}`;
    await expect(summariseKnownState(route.settings(REMOTE), route.parts())).rejects.toMatchObject({
      code: 'STATE_MISSING',
      about: name,
      message: 'there is no state that can be read',
    });
    expect(await stateFinding(all)).toEqual([
      'ok',
      `${name} does not exist yet; the first run checks everything`,
    ]);
    await route.run(REMOTE);
    all.loseFile();
    destination.journal.clear();
    const settings = route.settings(REMOTE);
    const image = parseReference(`${destination.host}/keel/coredns:v1.14.2`);
    const { tags } = await checkImage(image, settings, route.parts());
    expect(tags).toMatchObject([{ verdict: 'mirrored', recorded: { tag: 'v1.14.2' } }]);
    const sum = await summariseKnownState(settings, route.parts());
    expect(sum).toMatchObject({ file: name, repositories: [{ tags: 2 }, { tags: 1 }, { tags: 1 }] });
    expect(destination.journal.entries.every(({ method }) => method === 'GET' || method === 'HEAD')).toBe(
      true,
    );
    expect(await stateFinding(all)).toEqual(['ok', `${name} records 4 tags`]);
    expect(route.hasState()).toBe(false);
  });

  it('may not be left everywhere, which the doctor tells before a run does', async () => {
    await using all = await world();
    const { destination } = all;
    destination.fail({
      match: { ...STATE, when: ({ method }) => method === 'POST' },
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status: 403 },
    });
    expect(await stateFinding(all)).toEqual([
      'warning',
      expect.stringMatching(/^the state cannot be stored at .*keel-state:.*403/),
    ]);
  });

  it('gives way to a file that is as new, and replaces one that is older', async () => {
    await using all = await world();
    const { route } = all;
    await route.run({ ...REMOTE, now: new Date('2026-01-01T00:00:00Z') });
    const same = await route.run({ ...REMOTE, now: new Date('2026-01-02T00:00:00Z') });
    expect(stateLines(same.lines)[0]).toMatch(/sync\.bolt\.db is as new as/);
    all.loseFile();
    await route.run({ now: new Date('2026-01-01T12:00:00Z') });
    const older = await route.run({ ...REMOTE, now: new Date('2026-01-03T00:00:00Z') });
    expect(stateLines(older.lines)[0]).toMatch(/^state: fetched from/);
  });

  it('is not pushed when nothing changed in it', async () => {
    await using all = await world();
    const { route, destination } = all;
    await route.run(REMOTE);
    all.loseFile();
    destination.journal.clear();
    using client = new TestClient(destination.host, { login: destination.login });
    const lines: string[] = [];
    const parts = route.parts();
    const reporter = { ...parts.reporter, line: (text: string) => void lines.push(text) };
    const settings = route.settings(REMOTE);
    using remote = openRemoteState(settings, {
      ...parts,
      reporter,
      scope: '',
      warning: (text) => void lines.push(text),
      isReadOnly: false,
    });
    await remote?.fetching(client.registries, client.signal)();
    await remote?.push(client.signal);
    expect(lines).toEqual([
      expect.stringMatching(/^state: fetched/),
      'state: unchanged, so it was not pushed',
    ]);
    expect(destination.journal.entries.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('is replaced by the last of two runs, which says so', async () => {
    await using all = await world();
    const { route, destination, plant } = all;
    await route.run(REMOTE);
    const { promise, resolve } = Promise.withResolvers<void>();
    const listing = destination.fail({
      match: { path: /pause\/tags\/list/ },
      fault: { kind: 'hold', until: promise },
    });
    const run = route.run({ ...REMOTE, commandTimeout: seconds(120) });
    await destination.journal.next({ path: /pause\/tags\/list/ });
    await plant(Buffer.from('of another run'));
    resolve();
    const { report } = await run;
    expect(listing.hits).toBe(1);
    expect(report.warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^state: another run pushed to .*during this run; the state of this run replaces that one$/,
      ),
    ]);
    all.loseFile();
    expect((await route.run(REMOTE)).report).toMatchObject({ stateRestored: true, warnings: [] });
  });
});

it('an undivided run after shards goes on from what all of them left in the registry', async () => {
  await using all = await world();
  const { route, destination } = all;
  for (const index of [1, 2, 3]) {
    await route.run({ ...REMOTE, shard: { index, count: 3 } });
    all.loseFile();
  }
  destination.journal.clear();
  const { report, lines } = await route.run({ ...REMOTE });
  expect(report).toMatchObject({ stateRestored: true, totals: { copied: 0, failed: 0, total: IMAGES } });
  expect(report.images.filter(({ reason }) => reason?.code === 'NOT_IN_STATE')).toEqual([]);
  expect(stateLines(lines)).toEqual([
    expect.stringMatching(
      /^state: fetched from HOST\/keel\/keel-state:[0-9a-f]{16}-…, joined from 3 shards, /,
    ),
    expect.stringMatching(/^state: pushed to HOST\/keel\/keel-state:[0-9a-f]{16}, /),
  ]);
  all.loseFile();
  expect(stateLines((await route.run(REMOTE)).lines)[0]).toMatch(/^state: fetched from /);
});
