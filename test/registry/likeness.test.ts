import { expect, it } from 'vitest';
import { parseKubernetesWord } from '../../src/config/kubernetes/word-parser.ts';
import { parseReference, parseRepository } from '../../src/registry/oci/reference.ts';
import { isNotFound } from '../../src/registry/registry-failure.ts';
import { checkImage } from '../../src/sync/check/image-check.ts';
import { checkInstallation } from '../../src/sync/check/installation.ts';
import { wouldWork } from '../../src/sync/doctor/diagnosis.ts';
import { examine } from '../../src/sync/doctor/doctor.ts';
import { outcomeOf } from '../../src/sync/report/run-outcome.ts';
import { PUBLIC_TOKENS } from '../support/registry/access.ts';
import type { Fault } from '../support/registry/faults.ts';
import type { Journal } from '../support/registry/journal.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { TestClient } from '../support/test-client.ts';

const ALWAYS = Number.POSITIVE_INFINITY;

function pageOf(status: number, type: string, body: string): Fault {
  return { kind: 'status', status, headers: { 'content-type': type }, body };
}

function strangerWarned(host: string): unknown {
  return expect.stringContaining(`warning: ${host} answers, but not like a registry: `);
}

/** Returns the kinds of requests that write, in their order. */
function writesTo({ journal }: { readonly journal: Journal }): string[] {
  return journal.entries.filter(({ method }) => !['GET', 'HEAD'].includes(method)).map(({ kind }) => kind);
}

const SITES: [string, Fault][] = [
  ['404 in HTML', pageOf(404, 'text/html', '<html>Not found</html>')],
  ['404 in text', pageOf(404, 'text/plain', '404 page not found')],
  ['404 in JSON of its own', pageOf(404, 'application/json', '{"message": "no such page"}')],
  ['200 in HTML', pageOf(200, 'text/html', '<html>Welcome</html>')],
  ['200 in text', pageOf(200, 'text/plain', 'Welcome')],
  ['200 without a word', pageOf(200, 'text/plain', '')],
];

async function world() {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
  const destination = stack.use(await startRegistry());
  for (const name of ['app', 'tool']) seedImage(source.storage, name, { seed: name, tags: ['1.0'] });
  const route = new SyncRoute({ source, destination, set: { names: ['app', 'tool'] } });
  return { source, destination, route, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it.each(SITES)('what is no registry is told as that: a destination that answers %s', async (_, fault) => {
  await using all = await world();
  const { destination, route } = all;
  destination.fail({ times: ALWAYS, fault });
  const dry = await route.run({ dryRun: true });
  expect(dry.lines).toContainEqual(strangerWarned(destination.host));
  expect(writesTo(destination)).toEqual([]);
  const failure = { code: 'NOT_A_REGISTRY', about: destination.host, hint: 'check its name and its port' };
  await expect(route.run()).rejects.toMatchObject(failure);
  expect(writesTo(destination)).toEqual(['upload-start']);
  const diagnoses = await examine(route.settings(), route.parts(), () => undefined);
  expect(wouldWork(diagnoses)).toBe(false);
  const reached = diagnoses.find(({ check }) => check === 'destination');
  expect(reached).toMatchObject({
    outcome: 'failed',
    message: expect.stringMatching(/: this host is not a registry: /),
  });
  for (const { hint = '' } of diagnoses) expect(hint).not.toContain('create the repository');
});

const ODD_PINGS: [string, Fault][] = [
  ['404 in HTML', pageOf(404, 'text/html', '<html>')],
  ['404 in text', pageOf(404, 'text/plain', '404 page not found')],
  ['404 without a word', { kind: 'status', status: 404 }],
  ['200 in HTML', pageOf(200, 'text/html', 'OK')],
  ['403 in HTML', pageOf(403, 'text/html', '<html>')],
  ['401 in HTML, without a challenge', pageOf(401, 'text/html', '<html>')],
  ['405 in HTML', pageOf(405, 'text/html', '<html>')],
  ['a redirect to a page', { kind: 'redirect', location: '/login' }],
];
const ODD_ABSENCES: [string, Fault][] = [
  ['404 in HTML', pageOf(404, 'text/html', '<html>')],
  ['404 in text', pageOf(404, 'text/plain', '404 page not found')],
  ['404 without a word', { kind: 'status', status: 404 }],
  ['404 in JSON of its own', pageOf(404, 'application/json', '{"message": "no such thing"}')],
];

it.each(
  ODD_PINGS.flatMap(([ping, atPing]) =>
    ODD_ABSENCES.map(([list, atList]) => ({ ping, list, atPing, atList })),
  ),
)('a registry that takes uploads is one: GET /v2/ gets $ping, an unknown repository $list', async (odd) => {
  await using all = await world();
  const { destination, route } = all;
  const rules = [
    { match: { kind: 'ping' }, fault: odd.atPing },
    { match: { kind: 'tags-list' }, fault: odd.atList },
    { match: { path: /^\/login$/ }, fault: pageOf(200, 'text/html', '<html>') },
  ] as const;
  for (const rule of rules) destination.fail({ ...rule, times: ALWAYS });
  const dry = await route.run({ dryRun: true });
  expect(dry.lines).toContainEqual(strangerWarned(destination.host));
  expect([writesTo(destination), dry.report.totals.copied]).toEqual([[], 2]);
  const { report } = await route.run();
  expect(report.totals).toMatchObject({ copied: 2, failed: 0 });
  expect(report.warnings).toEqual([]);
  expect(writesTo(destination).slice(0, 2)).toEqual(['upload-start', 'upload-delete']);
});

it.each<[number, object]>([
  [401, {}],
  [403, {}],
  [404, { errors: [{ code: 'NAME_UNKNOWN' }] }],
  [503, {}],
])(
  'that a first upload is refused with %i and %j tells nothing of the other repositories',
  async (status, body) => {
    await using all = await world();
    const { destination, route } = all;
    const isApp = { when: ({ repository }: { readonly repository: string }) => repository === 'keel/app' };
    for (const kind of ['ping', 'tags-list'] as const)
      destination.fail({ match: { kind }, times: ALWAYS, fault: pageOf(404, 'text/html', '<html>') });
    const fault = pageOf(status, 'application/json', JSON.stringify(body));
    destination.fail({ match: { ...isApp, kind: ['upload-start', 'mount'] }, times: ALWAYS, fault });
    const { report } = await route.run();
    expect(report.totals).toMatchObject({ copied: 1, failed: 1 });
  },
);

it.each(SITES)('what is no registry is told as that: a source that answers %s', async (_, fault) => {
  await using all = await world();
  const { source, route } = all;
  source.fail({ times: ALWAYS, fault });
  const { report, lines } = await route.run();
  expect(outcomeOf(report)).toBe('failed');
  expect(lines).toContainEqual(strangerWarned(source.host));
  const diagnoses = await examine(route.settings(), route.parts(), () => undefined);
  expect(diagnoses.find(({ check }) => check === 'source list')).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('this host is not a registry: '),
  });
});

it.each<[string, Fault]>([
  ['404 with a list of errors', pageOf(404, 'application/json', '{"errors": [{"code": "UNSUPPORTED"}]}')],
  ['404 in HTML, from a web site in front of it', pageOf(404, 'text/html', '<html>')],
  ['200 in text', pageOf(200, 'text/plain', 'OK')],
  ['405', pageOf(405, 'text/plain', '')],
])('a registry is one, although it answers GET /v2/ with %s', async (_, fault) => {
  await using all = await world();
  const { destination, route } = all;
  destination.fail({ match: { kind: 'ping' }, times: ALWAYS, fault });
  const { report } = await route.run();
  expect(report.totals).toMatchObject({ copied: 2, failed: 0 });
  expect(report.warnings).toEqual([]);
});

it('a list that is cut, or damaged on the way, is no sign of it', async () => {
  await using server = await startRegistry();
  const body = '{"name": "app", "tags": ["1.0';
  server.fail({ match: { kind: 'tags-list' }, times: ALWAYS, fault: pageOf(200, 'text/plain', body) });
  using client = new TestClient(server.host, { attempts: 1 });
  const listing = client.registry.listTags(parseRepository('app'), client.signal);
  await expect(listing).rejects.toMatchObject({ code: 'REGISTRY_BROKEN' });
  expect(client.registry.likeness.oddity).toBeUndefined();
});

it('one that knows a repository is none to doubt, and a missing one is only that', async () => {
  await using server = await startRegistry();
  using client = new TestClient(server.host, { attempts: 1 });
  const missing = await client.registry.listTags(parseRepository('app'), client.signal).catch(isNotFound);
  expect(missing).toBe(true);
  expect(client.registry.likeness.isProven).toBe(true);
});

it('check warns of a host that does not look like a registry, on either side', async () => {
  await using all = await world();
  const { source, destination, route } = all;
  const page = pageOf(404, 'text/html', '<html>Not found</html>');
  const check = async (name: string) => {
    const warnings: string[] = [];
    const parts = route.parts();
    const reporter = { ...parts.reporter, warning: (text: string) => void warnings.push(text) };
    await checkImage(parseReference(`${source.host}/${name}`), route.settings(), { ...parts, reporter });
    const choice = { word: parseKubernetesWord('1.36.2', 'test'), architecture: 'amd64' } as const;
    await checkInstallation(choice, route.settings(), { ...parts, reporter });
    return warnings;
  };
  expect(await check('app:1.0')).toEqual([]);
  destination.fail({ times: ALWAYS, fault: page });
  const warning = `${destination.host} answers, but not like a registry: GET /v2/ is answered 404 with text/html`;
  expect(await check('app:1.0')).toEqual([warning, warning].map((text) => expect.stringContaining(text)));
  source.fail({ match: { path: /\/v2\/$|nosuch/ }, times: ALWAYS, fault: page });
  await expect(check('nosuch')).rejects.toMatchObject({
    code: 'NOT_FOUND',
    about: `${source.host}/nosuch`,
    message:
      'the source has no such repository, or is not a registry: GET /v2/ is answered 404 with text/html',
    hint: 'check its spelling, and whether it belongs to a registry other than --source',
  });
  source.fail({ times: ALWAYS, fault: pageOf(200, 'text/html', '<html>Welcome</html>') });
  await expect(check('nosuch')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(check('app')).rejects.toMatchObject({ code: 'NOT_A_REGISTRY', about: source.host });
});
