import { expect, it } from 'vitest';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { parseReference, parseRepository } from '../../src/registry/oci/reference.ts';
import { isNotFound } from '../../src/registry/registry-failure.ts';
import { checkImage } from '../../src/sync/check/image-check.ts';
import { checkInstallation } from '../../src/sync/check/installation.ts';
import { wouldWork } from '../../src/sync/doctor/diagnosis.ts';
import { examine } from '../../src/sync/doctor/doctor.ts';
import { outcomeOf } from '../../src/sync/report/run-outcome.ts';
import { PUBLIC_TOKENS } from '../support/registry/access.ts';
import type { Fault } from '../support/registry/faults.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { TestClient } from '../support/test-client.ts';

const ALWAYS = Number.POSITIVE_INFINITY;

function pageOf(status: number, type: string, body: string): Fault {
  return { kind: 'status', status, headers: { 'content-type': type }, body };
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
  const failure = { code: 'NOT_A_REGISTRY', about: destination.host, hint: 'check its name and its port' };
  for (const dryRun of [true, false]) await expect(route.run({ dryRun })).rejects.toMatchObject(failure);
  expect(destination.journal.entries.filter(({ method }) => method !== 'GET')).toEqual([]);
  const diagnoses = await examine(route.settings(), route.parts(), () => undefined);
  expect(wouldWork(diagnoses)).toBe(false);
  const list = diagnoses.find(({ check }) => check === 'list');
  expect(list).toMatchObject({
    outcome: 'failed',
    message: expect.stringMatching(/: what answers there is no registry: /),
  });
  for (const { hint = '' } of diagnoses) expect(hint).not.toContain('create the repository');
});

it.each(SITES)('what is no registry is told as that: a source that answers %s', async (_, fault) => {
  await using all = await world();
  const { source, route } = all;
  source.fail({ times: ALWAYS, fault });
  const { report, lines } = await route.run();
  expect(outcomeOf(report)).toBe('failed');
  const warning = `warning: ${source.host} answers, but not as a registry does: `;
  expect(lines).toContainEqual(expect.stringContaining(warning));
  const diagnoses = await examine(route.settings(), route.parts(), () => undefined);
  expect(diagnoses.find(({ check }) => check === 'source list')).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('what answers there is no registry: '),
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
    const choice = { version: parseKubernetesVersion('1.36.2', 'test'), architecture: 'amd64' } as const;
    await checkInstallation(choice, route.settings(), { ...parts, reporter });
    return warnings;
  };
  expect(await check('app:1.0')).toEqual([]);
  destination.fail({ times: ALWAYS, fault: page });
  const warning = `${destination.host} answers, but not as a registry does: GET /v2/ is answered 404 with text/html`;
  expect(await check('app:1.0')).toEqual([warning, warning].map((text) => expect.stringContaining(text)));
  source.fail({ times: ALWAYS, fault: page });
  await expect(check('app')).rejects.toMatchObject({ code: 'NOT_A_REGISTRY', about: source.host });
});
