import { describe, expect, it } from 'vitest';
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

describe('a redirect of the API', () => {
  const RELEASE = { id: 1, tag_name: 'v1', draft: true, html_url: '', upload_url: '' };
  const body = JSON.stringify(RELEASE);

  async function world(location: (origin: string) => string, status: number) {
    const api = await startRegistry();
    api.fail({
      match: { path: /^\/repos\/me\/old\// },
      times: Infinity,
      fault: { kind: 'redirect', location: location(api.url), status },
    });
    api.fail({
      match: { path: /^\/repositories\// },
      times: Infinity,
      fault: { kind: 'status', status: 200, body },
    });
    const http = new HttpClient();
    const retry = { attempts: 1, interval: milliseconds(1) };
    const access = { repository: 'me/old', token: 'a token for GitHub', api: new URL(api.url), retry };
    const stop = async () => {
      http.close();
      await api.close();
    };
    return { api, releases: new GithubReleases(access, http, calm), [Symbol.asyncDispose]: stop };
  }

  // https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
  it.each([
    ['a question', 301, (releases: GithubReleases) => releases.find('v1')],
    ['a new draft', 307, (releases: GithubReleases) => releases.createDraft('v1', 'notes')],
    ['a change', 308, (releases: GithubReleases) => releases.update(RELEASE, { draft: false })],
  ])('of a repository that was renamed is followed: %s', async (_name, status, ask) => {
    await using here = await world((origin) => `${origin}/repositories/7/releases`, status);
    expect(await ask(here.releases)).toEqual(RELEASE);
    const { method, headers } = here.api.journal.entries.at(-1) ?? {};
    expect(here.api.journal.entries.map((entry) => entry.method)).toEqual([method, method]);
    expect(headers?.authorization).toBe('Bearer a token for GitHub');
  });

  it('to another host is not followed', async () => {
    await using stranger = await startRegistry();
    await using here = await world(() => `${stranger.url}/repositories/7/releases`, 307);
    await expect(here.releases.find('v1')).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(stranger.journal.count()).toBe(0);
  });
});
