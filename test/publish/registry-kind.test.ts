import { describe, expect, it } from 'vitest';
import { startRegistry } from '../support/registry/registry.ts';
import { openTargets } from './open-targets.ts';
import { PackageFixture } from './package-fixture.ts';

const calm = new AbortController().signal;
const USER = { username: 'me', password: 'p' };
const LOGIN = { 'dockerhub-username': 'me', 'dockerhub-password': 'p' };

it('a package goes to the repository that is named, with the login that is given', async () => {
  await using registry = await startRegistry({ access: { mode: 'basic', users: { me: 'p' } } });
  await using fixture = await PackageFixture.write('kube-1.36.2-amd64.tar.gz', 1000);
  const values = {
    ...LOGIN,
    repo: 'dockerhub',
    'dockerhub-repository': `${registry.host}/a/b`,
    'dockerhub-form': 'artifact',
  };
  const [target] = await openTargets(values);
  await target?.prove(calm);
  await target?.publish(fixture.file, calm, () => undefined);
  expect(registry.storage.manifest('a/b', '1.36.2-amd64')).toBeDefined();
});

it.each([
  [LOGIN, { host: 'docker.io', username: 'me', password: 'p' }],
  [{ 'dockerhub-repository': 'me/kube' }, { host: 'docker.io', username: undefined, password: undefined }],
  [
    { ...LOGIN, 'dockerhub-repository': '127.0.0.1:5000/a/b' },
    { host: '127.0.0.1:5000', ...USER },
  ],
])('%j logs in as %j', async (values, expected) => {
  const logins: unknown[] = [];
  await openTargets(
    { repo: 'dockerhub', ...values },
    {},
    {
      openRegistries: async (login) => {
        logins.push(login);
        throw new Error('enough is known');
      },
    },
  ).catch(() => undefined);
  expect(logins).toEqual([expected]);
});

describe('before anything is sent, a registry', () => {
  const repository = (host: string) => ({ repo: 'dockerhub', 'dockerhub-repository': `${host}/a/b` });

  it.each(['basic', 'bearer'] as const)(
    'that wants a login is told with how to give it: %s',
    async (mode) => {
      await using registry = await startRegistry({ access: { mode, users: { me: 'p' } } });
      const [target] = await openTargets(repository(registry.host), { KEEL_USERNAME: 'me' });
      await expect(target?.prove(calm)).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
        about: registry.host,
        message: 'there is no login for this registry',
        hint: `set --dockerhub-username and --dockerhub-password, or KEEL_DOCKERHUB_USERNAME and KEEL_DOCKERHUB_PASSWORD, or run "docker login ${registry.host}" or "podman login ${registry.host}", or give it in KEEL_REGISTRY_LOGINS, in a workflow in registry-logins`,
      });
    },
  );

  it.each<[string, number, string]>([
    ['405', 405, 'text/html'],
    ['200', 200, 'text/html'],
    ['404', 404, 'text/plain'],
  ])(
    'that is a web site, which answers an upload with %s, is told as no registry',
    async (_, status, type) => {
      await using site = await startRegistry({ access: { mode: 'none' } });
      const page = { kind: 'status', headers: { 'content-type': type }, body: '<html>' } as const;
      site.fail({ times: Infinity, fault: { ...page, status: 404 } });
      site.fail({ match: { kind: 'upload-start' }, times: Infinity, fault: { ...page, status } });
      const [target] = await openTargets(repository(site.host));
      await expect(target?.prove(calm)).rejects.toMatchObject({
        code: 'NOT_A_REGISTRY',
        about: site.host,
        message: expect.stringContaining('this host is not a registry'),
      });
    },
  );

  it('that refuses uploads is told with its own answer', async () => {
    await using registry = await startRegistry({ access: { mode: 'none' } });
    const body = '{"errors": [{"code": "UNSUPPORTED", "message": "read-only"}]}';
    registry.fail({ match: { kind: 'upload-start' }, fault: { kind: 'status', status: 405, body } });
    const [target] = await openTargets(repository(registry.host));
    await expect(target?.prove(calm)).rejects.toMatchObject({
      message: expect.stringContaining('read-only'),
    });
    expect(registry.journal.count({ kind: 'tags-list' })).toBe(0);
  });
});
