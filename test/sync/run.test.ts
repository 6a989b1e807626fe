import { expect, it } from 'vitest';
import { wouldWork } from '../../src/sync/doctor/diagnosis.ts';
import { examine } from '../../src/sync/doctor/doctor.ts';
import { outcomeOf } from '../../src/sync/report/run-outcome.ts';
import { runSync } from '../../src/sync/run/run.ts';
import { State } from '../../src/sync/state/state.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { type Fault, rateLimited } from '../support/registry/faults.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { Storage } from '../support/registry/storage.ts';
import { SyncRoute } from '../support/sync-run.ts';

it('a run that only deferred images is recorded as the failure that its exit code makes it', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  for (const tag of ['1.0', '1.1']) seedImage(source.storage, 'app', { seed: tag, tags: [tag] });
  source.fail({ match: { kind: 'manifest-get' }, times: Number.POSITIVE_INFINITY, fault: rateLimited(3600) });
  const route = new SyncRoute({ source, destination, set: { extras: [`${source.host}/app:1.0`] } });
  await route.run();
  const { report, runs } = await runSync(route.settings(), route.parts());
  expect(report.totals).toMatchObject({ total: 1, deferred: 1, failed: 0 });
  expect(runs.at(-1)).toMatchObject({ outcome: 'failed', deferred: 1 });
  using state = State.open(route.database, { reporter: { warning: () => undefined }, mode: 'read' });
  expect(state.runs(state.scopes()[0] ?? '').map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
});

const WEB_SITE: Fault = {
  kind: 'status',
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<html>Welcome</html>',
};
const NO_PAGE: Fault = { ...WEB_SITE, status: 404 };

it.each<[string, Fault]>([
  ['says welcome to everything', WEB_SITE],
  ['knows no page', NO_PAGE],
])('a web site that %s is told as no registry, and the run fails', async (_, fault) => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  source.fail({ times: Number.POSITIVE_INFINITY, fault });
  const route = new SyncRoute({ source, destination, set: { names: ['app'] } });
  const { report, lines } = await route.run();
  expect(outcomeOf(report)).toBe('failed');
  const warning = `${source.host} answers, but not like a registry: GET /v2/ is answered`;
  expect(lines).toContainEqual(expect.stringContaining(`warning: ${warning}`));
  expect(report.warnings.map(({ message }) => message)).toContainEqual(expect.stringContaining(warning));
});

it('a run of a set that matches nothing at all fails, and one of a set that matches in part does not', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  seedImage(source.storage, 'app', { tags: ['1.0'] });
  const route = new SyncRoute({ source, destination, set: { names: ['nosuch'] } });
  const { report, lines } = await route.run();
  expect(outcomeOf(report)).toBe('failed');
  expect(lines).toContain(
    `error: no image at ${source.host} matches the image set, so there is nothing to mirror`,
  );
  route.wants({ names: ['nosuch', 'app'] });
  const second = await route.run();
  expect(outcomeOf(second.report)).toBe('succeeded');
  expect(second.lines).not.toContainEqual(expect.stringContaining('nothing to mirror'));
});

it.each<[string, object]>([
  ['a name and a pattern', { names: ['app'], tags: { regex: '^v9' } }],
  ['a name and a range', { names: ['app'], tags: { semver: '>=9' } }],
  ['a prefix and a pattern', { prefixes: ['ap'], tags: { regex: '^v9' } }],
  ['a patch', { names: ['app'], patches: [{ match: 'app', tags: { semver: '>=9' } }] }],
  ['"exclude"', { names: ['app'], exclude: ['1.'] }],
  ['an extra and a pattern', { extras: ['SOURCE/app'], tags: { regex: '^v9' } }],
])('nothing at all is no success: filters that let no tag pass, by %s', async (_, set) => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  seedImage(source.storage, 'app', { tags: ['1.0', '1.1'] });
  const text = JSON.stringify(set).replace('SOURCE', source.host);
  const route = new SyncRoute({ source, destination, set: JSON.parse(text) });
  const { report, lines } = await route.run();
  expect(outcomeOf(report)).toBe('failed');
  expect(lines).toContainEqual(expect.stringMatching(/^warning: .*"tags" and "exclude" drop all of them$/));
  expect(lines).toContainEqual(
    expect.stringMatching(/^error: no image at .* so there is nothing to mirror$/),
  );
  expect(outcomeOf((await route.run({ dryRun: true })).report)).toBe('failed');
  const diagnoses = await examine(route.settings(), route.parts(), () => undefined);
  expect(wouldWork(diagnoses)).toBe(false);
});

it('nothing new since the day that is asked for is no fault, to a run and to doctor', async () => {
  const storage = new Storage();
  for (const name of ['app', 'tool']) seedImage(storage, name, { seed: name, tags: ['1.0'] });
  await using source = await startRegistry({ frontDoor: true, storage });
  await using destination = await startRegistry({ access: TOKENS });
  const set = { names: ['app', 'tool'], tags: { since: '2099-01-01' } };
  const route = new SyncRoute({ source, destination, set });
  for (const dryRun of [true, false]) {
    const { report, lines } = await route.run({ dryRun });
    expect(report.unselected).toEqual(
      ['app', 'tool'].map((image) => expect.objectContaining({ image, emptied: 'since' })),
    );
    expect(outcomeOf(report)).toBe('succeeded');
    expect(report.warnings).toEqual([]);
    expect(lines).toContain('older than the day in "since": app and tool');
    expect(lines).not.toContainEqual(expect.stringMatching(/^(?:warning|error): /));
  }
  const diagnoses = await examine(route.settings(), route.parts(), () => undefined);
  expect(diagnoses.find(({ check }) => check === 'source list')).toMatchObject({
    outcome: 'ok',
    message: '2 repositories have no tag newer than the day in "since"',
  });
  route.wants({ names: ['app'], tags: { since: '2099-01-01', regex: '^v9' } });
  expect(outcomeOf((await route.run()).report)).toBe('failed');
});

it.each<[string, Fault]>([
  ['that is gone', { kind: 'status', status: 404 }],
  ['whose last tag was deleted', { kind: 'status', status: 200, body: '{"name":"app","tags":null}' }],
])('a repository %s ends the run red', async (_, fault) => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  for (const name of ['app', 'other']) seedImage(source.storage, name, { tags: ['1.0'] });
  const route = new SyncRoute({ source, destination, set: { names: ['app', 'other'] } });
  expect(outcomeOf((await route.run()).report)).toBe('succeeded');
  const match = { kind: 'tags-list', repository: 'app' } as const;
  source.fail({ match, times: Number.POSITIVE_INFINITY, fault });
  const { report, lines } = await route.run();
  expect(outcomeOf(report)).toBe('failed');
  expect(lines).toContainEqual(
    expect.stringMatching(/^error: "app" matched in the last run and matches nothing/),
  );
});

it('a name that is too long for the destination is told at its line, and is no misspelt one', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  const long = `a/${'b'.repeat(245)}`;
  for (const name of ['app', long]) seedImage(source.storage, name, { tags: ['1.0'] });
  const route = new SyncRoute({ source, destination, set: { names: ['app', long] } });
  const { report, lines } = await route.run();
  expect(outcomeOf(report)).toBe('failed');
  expect(report.totals).toMatchObject({ copied: 1, failed: 1 });
  expect(report.unmatched).toEqual([]);
  const trouble = lines.filter((line) => /^(?:error|warning): /.test(line));
  expect(trouble).toEqual([
    expect.stringMatching(/^error: 127.*\/a\/b+: its name at the destination has 2\d\d characters/),
  ]);
});
