import { describe, expect, test } from 'vitest';
import { installationJson, installationLines } from '../../src/cli/text/installation-text.ts';
import { parseKubernetesWord } from '../../src/config/kubernetes/word-parser.ts';
import { checkInstallation, isInstallable } from '../../src/sync/check/installation.ts';
import { fillRegistry } from '../support/images/fill.ts';
import { KUBERNETES_SET } from '../support/images/kubernetes-set.ts';
import { type Access, PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import type { FaultRule } from '../support/registry/faults.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { LOGIN } from '../support/token-server.ts';

/** A mirror of one release, filled with a login, whose journal begins with the check. */
async function world(access: Access) {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
  const destination = stack.use(await startRegistry({ access }));
  await fillRegistry(source, KUBERNETES_SET);
  const route = new SyncRoute({ source, destination, set: { kubernetes: ['1.36.3'] } });
  await route.run();
  destination.journal.clear();
  const check = async () => {
    const choice = { word: parseKubernetesWord('1.36.3', 'test'), architecture: 'amd64' } as const;
    const checked = await checkInstallation(choice, route.settings(), route.parts());
    const lines = installationLines(checked);
    const [line = ''] = lines.filter((each) => each.startsWith('pull without login'));
    return { checked, line, verdict: lines.at(-1) ?? '', json: installationJson(checked) };
  };
  return { destination, check, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const BASIC: Access = { mode: 'basic', users: { [LOGIN.username]: LOGIN.password } };
const ofEtcd = (repository: string): boolean => repository.endsWith('/etcd');

/** Returns what the mirror was asked for manifests with, a word for each request. */
function lettersOf(destination: TestRegistry): Set<string> {
  const asked = destination.journal.entries.filter(({ kind }) => kind.startsWith('manifest'));
  return new Set(
    asked.map(({ headers }) => String(headers['authorization'] ?? 'nothing').replace(/ .*/, '')),
  );
}

describe('without the login of this run', () => {
  test.each<[string, Access]>([
    ['a public mirror with tokens', PUBLIC_TOKENS],
    ['a mirror with Basic that anyone may read', { ...BASIC, anonymousPull: true }],
  ])('%s lets machines pull', async (_, access) => {
    await using here = await world(access);
    const { checked, line, verdict, json } = await here.check();
    expect(line).toBe('pull without login  yes');
    expect(verdict).toBe(
      'installable: all 7 images of Kubernetes 1.36.3 for linux/amd64 are there; machines need no login',
    );
    expect(json).toMatchObject({ pullWithoutLogin: { verdict: 'yes', message: '', refused: [] } });
    expect(isInstallable(checked)).toBe(true);
  });

  test.each<[string, Access]>([
    ['a private mirror with tokens', TOKENS],
    [
      'a token service that gives nobody a token with nothing in it',
      { ...TOKENS, wrongPassword: 'anonymous' },
    ],
    ['a mirror with Basic alone', BASIC],
    [
      'a mirror that answers 403',
      { ...PUBLIC_TOKENS, deniedStatus: 403, allows: (user) => user !== undefined },
    ],
  ])('%s wants a login of machines', async (_, access) => {
    await using here = await world(access);
    const { checked, line, verdict, json } = await here.check();
    expect(line).toContain(
      `no: machines need a login, as ${here.destination.host} refuses all of them without a login (add an "authorization" header`,
    );
    expect(verdict).toMatch(/^installable: .* are there; machines need a login$/);
    expect(json).toMatchObject({ pullWithoutLogin: { verdict: 'no', refused: { length: 7 } } });
    expect(isInstallable(checked)).toBe(true);
  });

  test('one repository that is closed is named', async () => {
    await using here = await world({
      ...PUBLIC_TOKENS,
      allows: (user, repository) => user !== undefined || !ofEtcd(repository),
    });
    const { line, json } = await here.check();
    expect(line).toContain(`as ${here.destination.host} refuses keel/etcd without a login`);
    expect(json).toMatchObject({ pullWithoutLogin: { verdict: 'no', refused: ['keel/etcd'] } });
  });

  test('a repository that does not exist for strangers is closed to them', async () => {
    await using here = await world(PUBLIC_TOKENS);
    here.destination.fail(toStrangers(/\/etcd\/manifests\/3/, 404, 1));
    const { line } = await here.check();
    expect(line).toContain(`as ${here.destination.host} refuses keel/etcd without a login`);
  });
});

/** Answers so to whoever asks for these tags again: the run asks for each of them once, and then without its login. */
function toStrangers(path: RegExp, status: number, tags: number) {
  return {
    match: { kind: ['manifest-get', 'manifest-head'], path },
    skip: tags,
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status },
  } as const satisfies FaultRule;
}

test('no login of this run is sent by the connections that ask without one', async () => {
  await using here = await world(BASIC);
  await here.check();
  const heads = here.destination.journal.entries.filter(({ kind }) => kind === 'manifest-head');
  expect(heads.length).toBeGreaterThan(0);
  expect(heads.filter(({ headers }) => headers['authorization'] !== undefined)).toEqual([]);
  expect(lettersOf(here.destination)).toEqual(new Set(['Basic', 'nothing']));
});

test('a mirror that is out of order for strangers is unknown, and what is there stays installable', async () => {
  await using here = await world(PUBLIC_TOKENS);
  here.destination.fail(toStrangers(/\/manifests\/(?!sha256:)/, 500, 7));
  const { checked, line, verdict } = await here.check();
  expect(line).toMatch(/^pull without login {2}unknown: /);
  expect(verdict).toMatch(/are there; whether machines need a login is not known$/);
  expect(isInstallable(checked)).toBe(true);
});

test('a mirror that repeats the login of this run to the connections without one does not get it shown', async () => {
  await using here = await world(PUBLIC_TOKENS);
  const message = `${LOGIN.password} and ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64')}`;
  const { fault, ...rule } = toStrangers(/\/manifests\/(?!sha256:)/, 500, 7);
  const body = JSON.stringify({ errors: [{ code: 'UNKNOWN', message }] });
  here.destination.fail({ ...rule, fault: { ...fault, status: 500, body } });
  const { line, json } = await here.check();
  expect(line).toContain('unknown: ');
  expect(line).toContain('*** and ***');
  expect(JSON.stringify(json)).not.toContain(LOGIN.password);
});

test('of a mirror that lacks some of the images it is said how many were requested', async () => {
  await using here = await world(PUBLIC_TOKENS);
  here.destination.fail({
    match: { kind: ['manifest-get', 'manifest-head'], path: /\/pause\/manifests\// },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 404 },
  });
  const { line, checked } = await here.check();
  const all = checked.images.length;
  expect(line).toBe(`pull without login  yes, for the ${all - 1} of ${all} images that are there`);
});

test('of a mirror that has none of the images nothing is known', async () => {
  await using here = await world(PUBLIC_TOKENS);
  here.destination.fail({
    match: { kind: ['manifest-get', 'manifest-head'] },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 404 },
  });
  const { line } = await here.check();
  expect(line).toBe(
    'pull without login  unknown: it has none of the images, so that none could be requested',
  );
});
