import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import { GithubReleases } from '../../src/publish/release/github-releases.ts';
import { startRegistry } from '../support/registry/registry.ts';

const PATH = '/repos/me/it/releases/1/assets';
const calm = new AbortController().signal;

it('a token goes to no host that an answer names and that is not GitHub', async () => {
  await using stranger = await startRegistry();
  await using api = await startRegistry();
  const http = new HttpClient();
  const retry = { attempts: 1, interval: milliseconds(1) };
  const access = { repository: 'me/it', token: 'a token for GitHub', api: new URL(api.url), retry };
  const release = {
    id: 1,
    tag_name: 'v1',
    draft: true,
    html_url: '',
    upload_url: `${stranger.url}${PATH}{?name,label}`,
  };
  await expect(
    new GithubReleases(access, http, calm).uploadAsset(
      release,
      { name: 'a', content: Buffer.from('{}') },
      () => undefined,
    ),
  ).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
  http.close();
  expect(stranger.journal.count()).toBe(0);
});

it('a token that GitHub repeats in a refusal is not repeated by us', async () => {
  await using api = await startRegistry();
  const token = 'ghs_a-token-for-GitHub';
  const body = JSON.stringify({
    message: `Bad credentials: Bearer ${token}`,
    errors: [{ message: btoa(token) }],
  });
  api.fail({ match: {}, times: Infinity, fault: { kind: 'status', status: 403, body } });
  const http = new HttpClient();
  const retry = { attempts: 1, interval: milliseconds(1) };
  const releases = new GithubReleases(
    { repository: 'me/it', token, api: new URL(api.url), retry },
    http,
    calm,
  );
  await expect(releases.prove()).rejects.toMatchObject({
    code: 'DENIED',
    message: expect.stringContaining('Bad credentials: Bearer ***: ***'),
  });
  http.close();
});

it('a redirect of the API is not followed', async () => {
  await using stranger = await startRegistry();
  await using api = await startRegistry();
  api.fail({
    match: {},
    times: Infinity,
    fault: { kind: 'redirect', location: `${stranger.url}/repos/me/it` },
  });
  const http = new HttpClient();
  const retry = { attempts: 1, interval: milliseconds(1) };
  const access = { repository: 'me/it', token: 'a token for GitHub', api: new URL(api.url), retry };
  const releases = new GithubReleases(access, http, calm);
  await expect(releases.find('v1')).rejects.toMatchObject({ status: 307 });
  http.close();
  expect(stranger.journal.count()).toBe(0);
});
