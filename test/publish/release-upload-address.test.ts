import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import { GithubReleases } from '../../src/publish/release/github-releases.ts';
import { releaseUploadAddress } from '../../src/publish/release/release-upload-address.ts';
import { startRegistry } from '../support/registry/registry.ts';

const PATH = '/repos/me/it/releases/1/assets';

it.each([
  ['https://api.github.com', `https://uploads.github.com${PATH}{?name,label}`],
  ['https://api.acme.ghe.com', `https://uploads.acme.ghe.com${PATH}{?name,label}`],
  ['https://git.acme.example/api/v3', `https://git.acme.example/api/uploads${PATH}`],
  ['https://git.acme.example/api/v3', `https://uploads.git.acme.example${PATH}`],
  ['http://127.0.0.1:8080', `http://127.0.0.1:8080${PATH}`],
])('%s may have assets sent to %s', (api, template) => {
  const address = releaseUploadAddress(new URL(api), template, 'a b.tar.gz');
  expect(address.href).toBe(`${template.replace(/\{.*/, '')}?name=a+b.tar.gz`);
});

it.each([
  ['https://api.github.com', `https://uploads.example${PATH}`],
  ['https://api.github.com', `https://uploads.github.com.example${PATH}`],
  ['https://api.github.com', `https://uploads.github.com:8443${PATH}`],
  ['https://api.github.com', `http://uploads.github.com${PATH}`],
  ['https://api.github.com', `https://api.github.com@evil.example${PATH}`],
  ['https://api.github.com', 'uploads'],
  ['http://127.0.0.1:8080', `http://127.0.0.1:8081${PATH}`],
])('%s may not have them sent to %s', (api, template) => {
  expect(() => releaseUploadAddress(new URL(api), template, 'a')).toThrow(
    expect.objectContaining({ code: 'REDIRECT_REFUSED' }),
  );
});

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
  const { signal } = new AbortController();
  await expect(
    new GithubReleases(access, http).uploadAsset(release, 'a', Buffer.from('{}'), signal, () => undefined),
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
  const releases = new GithubReleases({ repository: 'me/it', token, api: new URL(api.url), retry }, http);
  await expect(releases.prove(new AbortController().signal)).rejects.toMatchObject({
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
  const releases = new GithubReleases(access, http);
  await expect(releases.find('v1', new AbortController().signal)).rejects.toMatchObject({ status: 307 });
  http.close();
  expect(stranger.journal.count()).toBe(0);
});
