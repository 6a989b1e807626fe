import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { wouldWork } from '../../src/sync/doctor/diagnosis.ts';
import { examine } from '../../src/sync/doctor/doctor.ts';
import { type Access, PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { LOGIN } from '../support/token-server.ts';

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
    '2 repositories list 2 selected tags without digests, so each run requests the digest of each',
  );

  route.wants({ names: ['pause'], extras: [`${other.host}/tool:1.0`] });
  const closed = await compared(route);
  expect(closed).toMatchObject({ works: false, mirrors: false });
  expect(closed.found('other sources')).toMatchObject({
    outcome: 'partial',
    message: 'the one image from other registries cannot be mirrored',
    hint: expect.stringContaining(other.host),
  });

  route.wants({ names: ['pause'], extras: [`${source.host}/app:9`] });
  const gone = await compared(route);
  expect(gone).toMatchObject({ works: false, mirrors: false });
  expect(gone.found('source list')).toMatchObject({
    outcome: 'partial',
    hint: `${source.host}/app:9: it does not exist at the source (check its name and tag)`,
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
    message: 'the registry refuses pushes to 1 of 3 repositories, of which 2 were tested',
    hint: expect.stringContaining('/keel/b: '),
  });
  expect(wouldWork(diagnoses)).toBe(false);
  expect((await route.run(login)).report.totals).toMatchObject({ copied: 2, failed: 1 });
  route.wants({ names: ['a', 'c'] });
  expect(wouldWork(await examined())).toBe(true);
});

it('asks for no token to push what the source does not have: some registries make a repository for each', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  seedImage(source.storage, 'a', { seed: 'a', tags: ['1.0'] });
  seedImage(source.storage, 'team/b', { seed: 'b', tags: ['1.0'] });
  const route = new SyncRoute({ source, destination, set: { names: ['none', 'a', 'team/b', 'none/c'] } });
  const settings = route.settings({ ...LOGIN, naming: 'path' });
  const diagnoses = await examine(settings, route.parts(), () => undefined);
  expect(diagnoses.find(({ check }) => check === 'repositories')?.message).toBe(
    'pushing is allowed to a new repository below each of keel/ and keel/team/',
  );
  const scopes = destination.journal.filter({ kind: 'token' }).flatMap(({ query }) => query.getAll('scope'));
  expect(new Set(scopes.filter((scope) => scope.includes('push')))).toEqual(
    new Set(['repository:keel/a:pull,push', 'repository:keel/team/b:pull,push']),
  );
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
    message: expect.stringContaining(`it selects nothing at ${source.host}`),
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

it.each(['a', 'b'])(
  'works in part wherever the repository stands that may not be pushed to: %s',
  async (closed) => {
    await using source = await startRegistry({ access: PUBLIC_TOKENS });
    const users = { keel: 'secret' };
    const allows = (_user: string | undefined, repository: string, action: string) =>
      action === 'pull' || !repository.endsWith(`/${closed}`);
    await using destination = await startRegistry({ access: { mode: 'bearer', users, allows } });
    for (const name of ['a', 'b']) seedImage(source.storage, name, { seed: name, tags: ['1.0'] });
    seedImage(destination.storage, 'keel/b', { seed: 'b', tags: ['0.9'] });
    const route = new SyncRoute({ source, destination, set: { names: ['a', 'b'] } });
    const login = { username: 'keel', password: 'secret' };
    const diagnoses = await examine(route.settings(login), route.parts(), () => undefined);
    const poor = diagnoses.filter(({ outcome }) => outcome !== 'ok');
    expect(poor).toMatchObject([
      {
        check: 'repositories',
        outcome: 'partial',
        message: 'the registry refuses pushes to 1 of 2 repositories',
      },
    ]);
    expect((await route.run(login)).report.totals).toMatchObject({ copied: 1, failed: 1 });
  },
);

/** Returns the checks that failed, and those that were skipped. */
async function failedAndSkipped(route: SyncRoute, login: object = {}) {
  const diagnoses = await examine(route.settings(login), route.parts(), () => undefined);
  const of = (wanted: string) =>
    diagnoses.filter(({ outcome }) => outcome === wanted).map(({ check, message }) => `${check}: ${message}`);
  return { failed: of('failed'), partial: of('partial'), skipped: of('skipped') };
}

const AFTER_LOGIN = [
  'list: needs login',
  'push: needs login',
  'repositories: needs push',
  'size: needs push',
];

it('tells a web site as destination once, where it is found, and asks no more of it', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using site = await startRegistry();
  for (const name of ['a', 'b']) seedImage(source.storage, name, { seed: name, tags: ['1.0'] });
  site.fail({
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 404, headers: { 'content-type': 'text/html' } },
  });
  const route = new SyncRoute({ source, destination: site, set: { names: ['a', 'b'] } });
  const { failed, partial, skipped } = await failedAndSkipped(route, {
    username: 'keel',
    password: 'secret',
  });
  expect(failed).toEqual([expect.stringMatching(/^destination: .* is not a registry/)]);
  expect(partial).toEqual([]);
  expect(skipped).toEqual(expect.arrayContaining(['login: needs destination', ...AFTER_LOGIN]));
});

it('tells once that the source refuses: not of other sources, and not of the login at the destination', async () => {
  await using source = await startRegistry({ access: { mode: 'bearer', users: { keel: 'secret' } } });
  await using destination = await startRegistry({ access: TOKENS });
  const route = new SyncRoute({ source, destination, set: { prefixes: ['team'] } });
  const refused = await failedAndSkipped(route);
  expect(refused.failed).toEqual([expect.stringContaining(source.host)]);
  expect(refused.skipped).toEqual(expect.arrayContaining(['login: needs source list', ...AFTER_LOGIN]));

  route.wants({ prefixes: ['team'], extras: [`${destination.host}/tool:1`, `${destination.host}/other:1`] });
  const named = await examine(route.settings(), route.parts(), () => undefined);
  expect(named.find(({ check }) => check === 'repositories')).toMatchObject({
    outcome: 'warning',
    message: expect.stringMatching(
      /^pushing is allowed to a new repository below keel\/; 1 more was not tested; because the search of the source failed, only repositories that need no search were tested$/,
    ),
  });

  await using empty = await startRegistry();
  const nothing = new SyncRoute({ source: empty, destination, set: { prefixes: ['team'] } });
  const found = await failedAndSkipped(nothing);
  expect(found.failed).toEqual([expect.stringContaining(`it selects nothing at ${empty.host}`)]);
  expect(found.skipped).toContain('login: needs source list');
});

it('counts no tags of signatures among those that a run asks for', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  const signature = `sha256-${'a'.repeat(64)}.sig`;
  seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10', signature] });
  const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
  expect((await compared(route)).found('source list')?.message).toContain('lists 1 selected tag ');
});

it('says that a sync works in part where the source refuses all and other registries do not', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using other = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  seedImage(other.storage, 'tool', { seed: 'tool', tags: ['1.0'] });
  source.fail({
    match: { kind: 'tags-list' },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 403 },
  });
  const set = { names: ['pause'], extras: [`${other.host}/tool:1.0`] };
  const route = new SyncRoute({ source, destination, set });
  const { failed, partial } = await failedAndSkipped(route);
  expect(failed).toEqual([]);
  expect(partial).toEqual([`source list: the one image from ${source.host} cannot be mirrored`]);
});
