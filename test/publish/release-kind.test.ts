import { expect, it } from 'vitest';
import { parsePublishSettings } from '../../src/publish/settings.ts';
import { ReleaseService } from '../support/release-service.ts';
import { openTargets } from './open-targets.ts';
import { PackageFixture } from './package-fixture.ts';

const calm = new AbortController().signal;

it.each([
  [{}, 'kube-1.36.2'],
  [{ 'release-tag': 'v9' }, 'v9'],
])('with %j a package goes to the repository of the workflow, as %s', async (values, tag) => {
  await using service = await ReleaseService.start();
  await using fixture = await PackageFixture.write('kube-1.36.2-amd64.tar.gz', 1000);
  const environment = {
    GITHUB_REPOSITORY: service.repository,
    GITHUB_TOKEN: service.token,
    GITHUB_API_URL: service.url,
  };
  const [target] = await openTargets({ repo: 'release', ...values }, environment);
  await target?.prove(calm);
  await target?.publish(fixture.file, calm, () => undefined);
  expect(service.release(tag).assets).toHaveLength(1);
});

it('a token that is given is used rather than the one of the workflow', async () => {
  await using service = await ReleaseService.start();
  const environment = { GITHUB_TOKEN: service.token, GITHUB_API_URL: service.url };
  const values = { repo: 'release', 'release-repository': service.repository, 'github-token': 'wrong' };
  const [target] = await openTargets(values, environment);
  await expect(target?.prove(calm)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
});

it.each(['nonsense', 'ftp://api.example'])('an address of the API that is none is told: %s', (address) => {
  const parsed = parsePublishSettings({
    values: new Map([['repo', 'release']]),
    environment: { GITHUB_TOKEN: 'a-token', GITHUB_REPOSITORY: 'a/b', GITHUB_API_URL: address },
    label: (name) => `--${name}`,
  });
  expect(parsed.ok ? [] : parsed.failures).toMatchObject([
    { code: 'FLAG_MALFORMED', about: 'GITHUB_API_URL', message: `"${address}" is not an address` },
  ]);
});
