import { afterEach, describe, expect, it, vi } from 'vitest';
import { pushBlob } from '../../src/registry/blob/blob-push.ts';
import { registrySource } from '../../src/registry/blob/blob-source.ts';
import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { readBlob } from '../../src/registry/small-blob.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import type { Access } from '../support/registry/access.ts';
import { bytesContent } from '../support/registry/content.ts';
import type { Fault } from '../support/registry/faults.ts';
import type { JournalEntry } from '../support/registry/journal.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage } from '../support/registry/seed.ts';
import { findSecrets } from '../support/secret-search.ts';
import { HOSTS, HOSTS_AUTHORITY } from '../support/test-authority.ts';
import { TestClient } from '../support/test-client.ts';

const HOST = parseHost('registry.test');
const APP = parseRepository('app');
const TAG = parseTag('1.0');
const LOGIN = { username: 'keel', password: 'för the regi$try/alone?' };
const REFRESH = 'an identity token, for the realm alone';
const PROXY = { username: 'walker', password: 'for-the-proxy-alone' };

afterEach(() => {
  vi.unstubAllEnvs();
});

/**
 * A registry as it is met from afar: HTTPS, by name, through a proxy that wants a password. All other hosts are one
 * stranger, which answers in the clear too, and takes whatever it gets.
 */
async function world(realm?: string) {
  const stack = new AsyncDisposableStack();
  const access: Access = {
    mode: 'bearer',
    users: { [LOGIN.username]: LOGIN.password },
    identityTokens: { [REFRESH]: LOGIN.username },
    ...(realm === undefined ? {} : { realm }),
  };
  const registry = stack.use(await startRegistry({ tls: HOSTS, access }));
  const stranger = stack.use(await startRegistry({ tls: HOSTS, storage: registry.storage }));
  const plain = stack.use(await startRegistry({ tls: false, storage: registry.storage }));
  const elsewhere = ['storage.test:443', 'uploads.test:443', 'registry.test:8443'];
  const inTheClear = ['registry.test:80', 'storage.test:80', 'tokens.test:80'];
  const proxy = stack.use(
    await ForwardProxy.start({
      'registry.test:443': registry.url,
      'tokens.test:443': registry.url,
      ...Object.fromEntries(elsewhere.map((host) => [host, stranger.url])),
      ...Object.fromEntries(inTheClear.map((host) => [host, plain.url])),
    }),
  );
  const address = proxy.url.replace('//', `//${PROXY.username}:${PROXY.password}@`);
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY']) vi.stubEnv(name, address);
  for (const name of ['https_proxy', 'http_proxy', 'NO_PROXY', 'no_proxy', 'ALL_PROXY']) vi.stubEnv(name, '');
  const image = seedImage(registry.storage, 'app', { tags: ['1.0'] });
  const digest = registry.storage.putBlob('app', bytesContent('layer'));
  return {
    registry,
    stranger,
    plain,
    proxy,
    image,
    digest,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

type World = Awaited<ReturnType<typeof world>>;

/** What a request gives to whom it reaches: its headers that prove someone, and secrets anywhere in it. */
function given({ path, query, headers }: JournalEntry) {
  const { host, authorization, cookie, 'proxy-authorization': proxy, ...rest } = headers;
  const whole = `${path}?${query}\n${JSON.stringify(rest)}`;
  const secrets = { password: LOGIN.password, identity: REFRESH, proxy: PROXY.password };
  return { host, authorization, cookie, proxy, found: findSecrets('elsewhere in it', whole, secrets) };
}

/** Each host and what it was shown: `nothing`, `Basic`, `Bearer`; all requests are looked at, in all they hold. */
function shownTo({ registry, stranger, plain, proxy }: World): Record<string, string[]> {
  const shown: Record<string, Set<string>> = {};
  for (const entry of [registry, stranger, plain].flatMap(({ journal }) => journal.entries)) {
    const { host = '', authorization = 'nothing', cookie, proxy: forProxy, found } = given(entry);
    expect([cookie, forProxy, found]).toEqual([undefined, undefined, []]);
    shown[host] ??= new Set();
    shown[host].add(authorization.split(' ')[0] ?? '');
  }
  const pair = Buffer.from(`${PROXY.username}:${PROXY.password}`).toString('base64');
  for (const { 'proxy-authorization': basic, authorization, cookie } of proxy.headers) {
    expect({ basic, authorization, cookie }).toEqual({ basic: `Basic ${pair}` });
  }
  return Object.fromEntries(Object.entries(shown).map(([host, kinds]) => [host, [...kinds].toSorted()]));
}

function hostsAsked({ proxy }: World): string[] {
  return [...new Set(proxy.asked.map((line) => line.split(' ')[1] ?? ''))].toSorted();
}

function redirected(kind: RequestKind, location: string): (registry: TestRegistry) => void {
  return (registry) =>
    void registry.fail({ match: { kind }, times: Infinity, fault: { kind: 'redirect', location } });
}

function answered(kind: RequestKind | RequestKind[], fault: Fault): (registry: TestRegistry) => void {
  return (registry) => void registry.fail({ match: { kind }, times: Infinity, fault });
}

const uploadAt = (location: string) =>
  answered(['upload-start', 'mount'], { kind: 'status', status: 202, headers: { location } });

const read = async (client: TestClient, { digest }: { digest: Digest }): Promise<unknown> =>
  readBlob(client.registry, APP, { mediaType: 'l', digest, size: 5 }, client.signal);
const manifest = async (client: TestClient): Promise<unknown> =>
  client.registry.getManifest(APP, TAG, client.signal);
const list = async (client: TestClient): Promise<unknown> => client.registry.listTags(APP, client.signal);
const push = async (client: TestClient): Promise<unknown> => {
  await using source = await startRegistry({ tls: HOSTS });
  const bytes = Buffer.from('a new layer');
  source.storage.putBlob('app', { kind: 'bytes', bytes });
  return await pushBlob({
    registry: client.registry,
    repository: APP,
    descriptor: { digest: digestOf(bytes), size: bytes.length },
    sources: () => [registrySource(client.registries.at(source.host), APP)],
    isAbsent: true,
    signal: client.signal,
  });
};

const SIGNED = 'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260101&X-Amz-Signature=0a1b%2Bc';
const OWN = { 'registry.test': ['Bearer', 'Basic', 'nothing'].toSorted() };

describe('what leads elsewhere is followed without any credential', () => {
  it.each<[string, (registry: TestRegistry) => void, typeof read, string]>([
    [
      'a blob at another host',
      redirected('blob-get', `https://storage.test/v2/app/blobs/DIGEST?${SIGNED}`),
      read,
      'storage.test',
    ],
    [
      'a blob at another port',
      redirected('blob-get', 'https://registry.test:8443/v2/app/blobs/DIGEST'),
      read,
      'registry.test:8443',
    ],
    [
      'a manifest at another host',
      redirected('manifest-get', 'https://storage.test/v2/app/manifests/1.0'),
      manifest,
      'storage.test',
    ],
    [
      'a manifest at another host, with a login in its address',
      redirected('manifest-get', 'https://a:secret@storage.test/v2/app/manifests/1.0'),
      manifest,
      'storage.test',
    ],
    [
      'tags at another host',
      redirected('tags-list', 'https://storage.test/v2/app/tags/list'),
      list,
      'storage.test',
    ],
    [
      'the next page at another host',
      answered('tags-list', {
        kind: 'status',
        status: 200,
        headers: {
          link: '<https://storage.test/v2/app/tags/list?last=a>; rel="next"',
          'set-cookie': 'session=1; Domain=test',
        },
        body: '{"name":"app","tags":["a"]}',
      }),
      list,
      'storage.test',
    ],
    [
      'an upload at another host',
      uploadAt(`https://uploads.test/v2/app/blobs/uploads/1?${SIGNED}`),
      push,
      'uploads.test',
    ],
    [
      'an upload at another port',
      uploadAt('https://registry.test:8443/v2/app/blobs/uploads/1'),
      push,
      'registry.test:8443',
    ],
  ])('%s', async (_, arrange, act, elsewhere) => {
    await using here = await world();
    const { registry, stranger, digest } = here;
    stranger.fail({ match: { kind: 'upload-put' }, times: Infinity, fault: { kind: 'status', status: 201 } });
    const fill = (fault: Fault): Fault => JSON.parse(JSON.stringify(fault).replace('DIGEST', digest));
    const { fail } = registry;
    registry.fail = (rule) => fail.call(registry, { ...rule, fault: fill(rule.fault) });
    arrange(registry);
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY], login: LOGIN, attempts: 1 });
    await act(client, here);
    expect(shownTo(here)).toEqual({ ...OWN, [elsewhere]: ['nothing'] });
    const [asked] = stranger.journal.entries;
    // Signed addresses are signed as they are written.
    if (asked?.query.has('X-Amz-Signature') === true)
      expect(asked.query.get('X-Amz-Signature')).toBe('0a1b+c');
    expect(hostsAsked(here)).toEqual(
      [elsewhere.includes(':') ? elsewhere : `${elsewhere}:443`, 'registry.test:443'].toSorted(),
    );
  });
});

describe('what leads to where nothing may go is not followed', () => {
  const AWAY = [
    ['plain HTTP at its own host', 'http://registry.test/v2/app/blobs/x'],
    ['plain HTTP at another host', 'http://storage.test/v2/app/blobs/x'],
    ['this machine', 'https://127.0.0.1:PORT/v2/app/blobs/x'],
    ['the secrets of a cloud', 'https://169.254.169.254/latest/meta-data/'],
  ] as const;
  const WAYS: readonly (readonly [
    string,
    (location: string) => (registry: TestRegistry) => void,
    typeof read,
  ])[] = [
    ['a blob', (location) => redirected('blob-get', location), read],
    ['a manifest', (location) => redirected('manifest-get', location), manifest],
    ['an upload', uploadAt, push],
    [
      'the next page',
      (location) =>
        answered('tags-list', {
          kind: 'status',
          status: 200,
          headers: { link: `<${location}>; rel="next"` },
          body: '{"name":"app","tags":["a"]}',
        }),
      list,
    ],
  ];
  const CASES = WAYS.flatMap(([what, way, act]) =>
    AWAY.map(([where, location]) => ({ what, where, way, act, location })),
  );

  it.each(CASES)('$what to $where', async ({ way, act, location }) => {
    await using here = await world();
    way(location.replace('PORT', new URL(here.stranger.url).port))(here.registry);
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY], login: LOGIN, attempts: 1 });
    await expect(act(client, here)).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(shownTo(here)).toEqual(OWN);
    expect(hostsAsked(here)).toEqual(['registry.test:443']);
  });
});

describe('a realm', () => {
  it('at another host gets the login over HTTPS, and the registry the token', async () => {
    await using here = await world('https://tokens.test/token');
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY], login: LOGIN });
    await manifest(client);
    expect(shownTo(here)).toEqual({ 'registry.test': ['Bearer', 'nothing'], 'tokens.test': ['Basic'] });
  });

  it('at another host gets an identity token in the body of its own request only', async () => {
    await using here = await world('https://tokens.test/token');
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY], identityToken: REFRESH });
    await manifest(client);
    expect(shownTo(here)).toEqual({ 'registry.test': ['Bearer', 'nothing'], 'tokens.test': ['nothing'] });
    expect(here.registry.journal.count({ kind: 'token', when: ({ method }) => method !== 'POST' })).toBe(0);
  });

  it('is asked without a name and password that stand in its address', async () => {
    await using here = await world('https://someone:else@tokens.test/token');
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY], login: LOGIN });
    await manifest(client);
    expect(shownTo(here)).toEqual({ 'registry.test': ['Bearer', 'nothing'], 'tokens.test': ['Basic'] });
  });

  it.each([
    ['over plain HTTP', 'http://tokens.test/token'],
    ['over plain HTTP at its own name', 'http://registry.test/token'],
    ['on this machine', 'https://127.0.0.1:PORT/token'],
    ['where clouds keep secrets', 'https://169.254.169.254/token'],
    ['at no address', 'https://['],
  ])('%s gets nothing', async (_, realm) => {
    await using here = await world();
    const { registry, stranger } = here;
    const headers = {
      'www-authenticate': `Bearer realm="${realm.replace('PORT', new URL(stranger.url).port)}"`,
    };
    registry.fail({ match: {}, times: Infinity, fault: { kind: 'status', status: 401, headers } });
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY], login: LOGIN, attempts: 1 });
    await expect(manifest(client)).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(shownTo(here)).toEqual({ 'registry.test': ['nothing'] });
    expect(hostsAsked(here)).toEqual(['registry.test:443']);
  });

  it('that redirects is not followed', async () => {
    await using here = await world();
    redirected('token', 'https://storage.test/token')(here.registry);
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY], login: LOGIN, attempts: 1 });
    await expect(manifest(client)).rejects.toMatchObject({
      message: expect.stringContaining('answered 307'),
    });
    expect(hostsAsked(here)).toEqual(['registry.test:443']);
  });
});

it('a proxy that refuses gets its own login alone, and nobody learns that from the error', async () => {
  await using here = await world();
  using client = new TestClient(parseHost('unknown.test'), { login: LOGIN, attempts: 1 });
  const failure = await client.registry.ping().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'PROXY_REFUSED' });
  shownTo(here);
  expect(
    findSecrets('the error', `${failure}${JSON.stringify(failure)}`, {
      proxy: PROXY.password,
      login: LOGIN.password,
    }),
  ).toEqual([]);
});
