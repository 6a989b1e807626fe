import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { wouldWork } from '../../src/sync/doctor/diagnosis.ts';
import { examine } from '../../src/sync/doctor/doctor.ts';
import { type Access, PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';

it.each(['source', 'destination'] as const)(
  'ends at --command-timeout where the %s is silent',
  async (side) => {
    await using source = await startRegistry({ access: PUBLIC_TOKENS });
    await using destination = await startRegistry({ access: TOKENS });
    seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
    const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
    const silent = side === 'source' ? source : destination;
    silent.fail({ times: Number.POSITIVE_INFINITY, fault: { kind: 'silence' } });
    const settings = route.settings({ commandTimeout: milliseconds(100) });
    await expect(examine(settings, route.parts(), () => undefined)).rejects.toMatchObject({
      code: 'COMMAND_TIMED_OUT',
      message: 'the time limit of 100 ms is over',
    });
  },
);

it.each([undefined, 'basic', 'bearer'] as const)(
  'deletes what it pushed where it is stopped in the middle (access: %s)',
  async (mode) => {
    await using source = await startRegistry({ access: PUBLIC_TOKENS });
    const login = { username: 'keel', password: 'secret' };
    const access: Access = { mode: mode ?? 'none', users: { keel: 'secret' } };
    await using destination = await startRegistry({ access });
    seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
    const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
    const stop = new AbortController();
    let pushed = 0;
    destination.fail({
      match: {
        kind: 'manifest-put',
        when: () => {
          pushed += 1;
          // The third manifest is on its way when someone presses Ctrl-C.
          if (pushed === 3) stop.abort(new Error('stopped'));
          return false;
        },
      },
      fault: { kind: 'status', status: 500 },
    });
    const settings = route.settings(mode === undefined ? {} : login);
    const examining = examine(settings, { ...route.parts(), signal: stop.signal }, () => undefined);
    await expect(examining).rejects.toThrow('stopped');
    expect(pushed).toBeGreaterThanOrEqual(3);
    const left = [...destination.storage.repositories].flatMap(([, { manifests, blobs }]) => [
      ...manifests.keys(),
      ...blobs,
    ]);
    expect(left).toEqual([]);
  },
);

it.each<[outcome: string, message: string, access: Access]>([
  ['failed', 'cannot log in, the registry answered 400', { mode: 'bearer', users: {}, wrongPassword: 400 }],
  [
    'warning',
    'shows whether the login of keel',
    {
      mode: 'bearer',
      users: { keel: 'secret' },
      noScopeStatus: 404,
      refusedScopeStatus: 404,
      allows: () => false,
    },
  ],
])('does not say "logged in" where no answer showed it: %s', async (outcome, message, access) => {
  await using source = await startRegistry();
  seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
  await using destination = await startRegistry({ access });
  const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
  const settings = route.settings({ username: 'keel', password: 'secret' });
  const diagnoses = await examine(settings, route.parts(), () => undefined);
  expect(diagnoses.find(({ check }) => check === 'login')).toMatchObject({
    outcome,
    message: expect.stringContaining(message),
  });
});

it('takes no token for nobody for a login, and tries a wrong password once', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
  const access: Access = { mode: 'bearer', users: { keel: 'secret' }, wrongPassword: 'anonymous' };
  await using destination = await startRegistry({ access });
  const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
  const settings = route.settings({ username: 'keel', password: 'wrong' });
  const diagnoses = await examine(settings, route.parts(), () => undefined);
  expect(diagnoses.find(({ check }) => check === 'login')).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('cannot log in'),
  });
  const withPassword = destination.journal.entries.filter(({ headers }) =>
    headers.authorization?.startsWith('Basic '),
  );
  expect(withPassword).toHaveLength(1);
});

/** Returns what doctor finds, and whether a run would mirror everything. */
async function compared(route: SyncRoute) {
  const diagnoses = await examine(route.settings(), route.parts(), () => undefined);
  const { report } = await route.run({ dryRun: true });
  const found = (name: string) => diagnoses.find(({ check }) => check === name);
  return { works: wouldWork(diagnoses), mirrors: report.totals.failed === 0, found };
}

it('says of each source what a run meets there: no verdict before the question', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using other = await startRegistry({ access: { mode: 'bearer', users: { keel: 'secret' } } });
  await using destination = await startRegistry({ access: TOKENS });
  for (const name of ['pause', 'app']) seedImage(source.storage, name, { seed: name, tags: ['3.10'] });
  seedImage(other.storage, 'tool', { seed: 'tool', tags: ['1.0'] });
  const route = new SyncRoute({ source, destination, set: { names: ['pause', 'app'] } });

  const all = await compared(route);
  expect(all).toMatchObject({ works: true, mirrors: true });
  expect(all.found('source list')?.message).toBe(
    '2 repositories list 2 tags without digests, so each run asks for each tag',
  );

  route.wants({ names: ['pause'], extras: [`${other.host}/tool:1.0`] });
  const closed = await compared(route);
  expect(closed).toMatchObject({ works: false, mirrors: false });
  expect(closed.found('other sources')).toMatchObject({
    outcome: 'partial',
    message: '1 image of 1 cannot be mirrored',
    hint: expect.stringContaining(other.host),
  });

  route.wants({ names: ['pause'], extras: [`${source.host}/app:9`] });
  const gone = await compared(route);
  expect(gone).toMatchObject({ works: false, mirrors: false });
  expect(gone.found('source list')).toMatchObject({
    outcome: 'partial',
    hint: `${source.host}/app:9: it does not exist at the source (check its name and tag in the image set)`,
  });

  route.wants({ names: ['pause', 'nosuch'] });
  expect((await compared(route)).found('source list')).toMatchObject({
    outcome: 'warning',
    message: `${source.host}/nosuch does not exist`,
  });

  source.fail({
    match: { kind: 'tags-list', path: /app/ },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 403 },
  });
  route.wants({ names: ['pause', 'app'] });
  expect(await compared(route)).toMatchObject({ works: false, mirrors: false });
});

it('proves the push to each repository that is there, and not to the first alone', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  const users = { keel: 'secret' };
  const allows = (_user: string | undefined, repository: string, action: string) =>
    action === 'pull' || !repository.endsWith('/b');
  await using destination = await startRegistry({ access: { mode: 'bearer', users, allows } });
  for (const name of ['a', 'b', 'c']) seedImage(source.storage, name, { seed: name, tags: ['1.0'] });
  seedImage(destination.storage, 'keel/b', { seed: 'b', tags: ['0.9'] });
  const route = new SyncRoute({ source, destination, set: { names: ['a', 'b', 'c'] } });
  const login = { username: 'keel', password: 'secret' };
  const examined = () => examine(route.settings(login), route.parts(), () => undefined);
  const diagnoses = await examined();
  expect(diagnoses.find(({ check }) => check === 'push')).toMatchObject({ outcome: 'ok' });
  expect(diagnoses.find(({ check }) => check === 'repositories')).toMatchObject({
    outcome: 'partial',
    message: 'pushing is refused to 1 of 3 repositories, of which 2 were tried',
    hint: expect.stringContaining('/keel/b: '),
  });
  expect(wouldWork(diagnoses)).toBe(false);
  expect((await route.run(login)).report.totals).toMatchObject({ copied: 2, failed: 1 });
  route.wants({ names: ['a', 'c'] });
  expect(wouldWork(await examined())).toBe(true);
});

it('asks no source for a manifest of which a run would want none', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
  const route = new SyncRoute({ source, destination, set: { names: ['pause'], tags: { regex: '^v9' } } });
  const { works, found } = await compared(route);
  expect(works).toBe(false);
  expect(found('source list')).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining(`nothing at ${source.host} is wanted by it`),
  });
  expect(source.journal.count({ kind: ['manifest-get', 'manifest-head'] })).toBe(0);
});

it('tells what stays where it is stopped and the registry deletes nothing', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ quirks: { refuseDelete: true }, access: TOKENS });
  seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
  const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
  const stop = new AbortController();
  destination.fail({
    match: {
      kind: 'manifest-put',
      when: () => {
        stop.abort(new Error('stopped'));
        return false;
      },
    },
    fault: { kind: 'status', status: 500 },
  });
  const warnings: string[] = [];
  const parts = route.parts();
  const reporter = {
    ...parts.reporter,
    progress: () => undefined,
    warning: (text: string) => warnings.push(text),
  };
  const examining = examine(
    route.settings(),
    { ...parts, reporter: { ...reporter, detail: () => undefined }, signal: stop.signal },
    () => undefined,
  );
  await expect(examining).rejects.toThrow('stopped');
  expect(warnings).toEqual([
    expect.stringMatching(
      /\/keel\/pause keeps the trial image, .* without a tag, until the registry cleans up$/,
    ),
  ]);
});
