import { expect, it } from 'vitest';
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
