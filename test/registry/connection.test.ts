import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { HttpClient, readBody } from '../../src/lib/http/http.ts';
import { pushBlob } from '../../src/registry/blob/blob-push.ts';
import { registrySource } from '../../src/registry/blob/blob-source.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { apiHost, parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { generatedBytes } from '../support/registry/content.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { chainCertificate, HOSTS, HOSTS_AUTHORITY, LOOPBACK } from '../support/test-authority.ts';
import { TestClient } from '../support/test-client.ts';

const HOST = parseHost('registry.test');
const APP = parseRepository('app');
const TAG = parseTag('1.0');
const PROXY_VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY'];

/** Sets the proxy variables; those that are not named are empty, in both spellings. */
function setProxy(variables: Readonly<Record<string, string>>): void {
  for (const name of PROXY_VARIABLES) {
    vi.stubEnv(name, variables[name] ?? '');
    vi.stubEnv(name.toLowerCase(), variables[name.toLowerCase()] ?? '');
  }
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a private certificate authority', () => {
  it('is believed when it is named, and otherwise refused with what to give', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    const ask = async (authorities: { authorities?: readonly string[] }) => {
      const http = new HttpClient(authorities);
      try {
        const { signal } = new AbortController();
        const answer = await http.send({
          method: 'GET',
          url: new URL('/v2/', server.url),
          headers: {},
          signal,
        });
        await readBody(answer, 1000);
        return answer.status;
      } finally {
        http.close();
      }
    };
    expect(await ask({ authorities: [HOSTS_AUTHORITY] })).toBe(200);
    await expect(ask({})).rejects.toMatchObject({
      code: 'TLS_REFUSED',
      hint: expect.stringContaining('--ca-file'),
    });
    expect(server.journal.count()).toBe(1);
  });

  it('does not make other names right', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    await using proxy = await ForwardProxy.start({ 'other.test:443': server.url });
    setProxy({ HTTPS_PROXY: proxy.url });
    using client = new TestClient(parseHost('other.test'), { authorities: [HOSTS_AUTHORITY] });
    await expect(client.registry.ping()).rejects.toMatchObject({ code: 'TLS_REFUSED', about: 'other.test' });
    expect(server.journal.count()).toBe(0);
  });
});

/** What a server shows, first its own, from `test/fixtures/tls/chain`. */
function chain(...names: readonly string[]) {
  return { key: LOOPBACK.key, certificate: names.map(chainCertificate).join('') };
}

describe('an authority that is given', () => {
  it.each([
    ['an intermediate one', 'intermediate', ['below']],
    ['an intermediate one that the server sends too', 'intermediate', ['below', 'intermediate']],
    ['the one above the intermediate one that the server sends', 'authority', ['below', 'intermediate']],
    ["the server's own certificate", 'below', ['below']],
  ])('can be %s', async (_, given, shown) => {
    await using server = await startRegistry({ tls: chain(...shown) });
    using client = new TestClient(server.host, { authorities: [chainCertificate(given)] });
    await client.registry.ping();
    expect(server.journal.count()).toBe(1);
  });

  it.each([
    ['an expired certificate below it', 'intermediate', ['expired'], 'its certificate has expired'],
    ['an expired certificate that it is itself', 'expired', ['expired'], 'its certificate has expired'],
    [
      'what a certificate signs that is no authority',
      'no-authority',
      ['below-no-authority'],
      'its certificate was not accepted (unsuitable certificate purpose, INVALID_PURPOSE)',
    ],
    [
      'what an authority signs that it did not allow to',
      'authority',
      ['too-deep', 'second-intermediate', 'intermediate'],
      'its certificate was not accepted (path length constraint exceeded, PATH_LENGTH_EXCEEDED)',
    ],
    [
      'a certificate for clients',
      'intermediate',
      ['client-only'],
      'its certificate was not accepted (unsuitable certificate purpose, INVALID_PURPOSE)',
    ],
    [
      'a neighbour of the certificate that it is',
      'below',
      ['below-no-authority'],
      'its certificate is signed by an authority that this machine does not trust',
    ],
  ])('does not make this right: %s, and it is asked once', async (_, given, shown, message) => {
    await using server = await startRegistry({ tls: chain(...shown) });
    await using proxy = await ForwardProxy.start({ 'registry.test:443': server.url });
    setProxy({ HTTPS_PROXY: proxy.url });
    using client = new TestClient(HOST, { authorities: [chainCertificate(given)] });
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'TLS_REFUSED',
      message,
      transient: false,
    });
    expect(proxy.asked).toEqual(['CONNECT registry.test:443']);
  });

  it('does not make other names right where it is the certificate itself', async () => {
    await using server = await startRegistry({ tls: chain('below') });
    await using proxy = await ForwardProxy.start({ 'other.test:443': server.url });
    setProxy({ HTTPS_PROXY: proxy.url });
    using client = new TestClient(parseHost('other.test'), { authorities: [chainCertificate('below')] });
    await expect(client.registry.ping()).rejects.toMatchObject({
      code: 'TLS_REFUSED',
      message: 'its certificate is for registry.test, proxy.test, 127.0.0.1',
    });
  });
});

describe('a proxy that speaks TLS itself', () => {
  it.each([
    ['HTTPS', 443],
    ['plain HTTP', 80],
  ])('is believed with a private authority for a registry of %s', async (_, port) => {
    await using server = await startRegistry({ tls: port === 443 && HOSTS });
    await using proxy = await ForwardProxy.start({ [`registry.test:${port}`]: server.url }, 502, HOSTS);
    setProxy({ [port === 443 ? 'HTTPS_PROXY' : 'HTTP_PROXY']: proxy.url });
    const insecure = port === 443 ? [] : [HOST];
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY], insecure });
    await client.registry.ping();
    expect(server.journal.count()).toBe(1);
  });

  it.each([
    ['HTTPS', 'HTTPS_PROXY', []],
    ['plain HTTP', 'HTTP_PROXY', [HOST]],
  ])(
    'is not believed because the certificate of a registry of %s is not checked',
    async (_, name, insecure) => {
      await using proxy = await ForwardProxy.start({}, 502, HOSTS);
      setProxy({ [name]: proxy.url });
      using client = new TestClient(HOST, { unverified: [HOST], insecure });
      await expect(client.registry.ping()).rejects.toMatchObject({
        code: 'TLS_REFUSED',
        message: expect.stringMatching(
          /^its proxy .* cannot be used: its certificate is signed by an authority/,
        ),
      });
      expect(proxy.asked).toEqual([]);
    },
  );
});

describe('NODE_TLS_REJECT_UNAUTHORIZED=0', () => {
  it.each(['straight', 'through a proxy that speaks TLS', 'through any proxy'])(
    'counts for nothing: %s',
    async (way) => {
      await using server = await startRegistry({ tls: HOSTS });
      const tls = way === 'through a proxy that speaks TLS' ? HOSTS : undefined;
      await using proxy = await ForwardProxy.start({ 'registry.test:443': server.url }, 502, tls);
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
      setProxy({ HTTPS_PROXY: proxy.url });
      using client = new TestClient(way === 'straight' ? server.host : HOST);
      await expect(client.registry.ping()).rejects.toMatchObject({ code: 'TLS_REFUSED' });
      expect(server.journal.count()).toBe(0);
    },
  );
});

describe('a certificate that nobody signed', () => {
  it('is accepted from the host that is named, and from no other', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    await using other = await startRegistry({ tls: HOSTS });
    using client = new TestClient(server.host, { unverified: [server.host] });
    await client.registry.ping();
    expect(server.journal.count()).toBe(1);
    await expect(client.registries.at(other.host).ping()).rejects.toMatchObject({ code: 'TLS_REFUSED' });
    expect(other.journal.count()).toBe(0);
  });

  it('is accepted from Docker Hub, and not from its token service', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    const routes = { 'registry-1.docker.io:443': server.url, 'auth.docker.io:443': server.url };
    await using proxy = await ForwardProxy.start(routes);
    setProxy({ HTTPS_PROXY: proxy.url });
    const hub = parseHost('docker.io');
    using client = new TestClient(hub, { unverified: [apiHost(hub)] });
    await client.registry.ping();
    const headers = { 'www-authenticate': 'Bearer realm="https://auth.docker.io/token"' };
    server.fail({ match: { kind: 'ping' }, fault: { kind: 'status', status: 401, headers } });
    using other = new TestClient(hub, { unverified: [apiHost(hub)] });
    await expect(other.registry.listTags(APP, other.signal)).rejects.toMatchObject({
      code: 'TLS_REFUSED',
      about: 'auth.docker.io',
      hint: expect.stringMatching(/--tls-skip-verify auth\.docker\.io$/),
    });
    server.fail({ match: { kind: 'ping' }, fault: { kind: 'status', status: 401, headers } });
    using both = new TestClient(hub, { unverified: [apiHost(hub), parseHost('auth.docker.io')] });
    // The stand-in has no tokens there.
    await expect(both.registry.listTags(APP, both.signal)).rejects.not.toMatchObject({ code: 'TLS_REFUSED' });
  });

  it('is accepted through a proxy, whatever name it has', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    await using proxy = await ForwardProxy.start({ 'other.test:443': server.url });
    setProxy({ HTTPS_PROXY: proxy.url });
    using client = new TestClient(parseHost('other.test'), { unverified: [parseHost('other.test:443')] });
    await client.registry.ping();
    expect(server.journal.count()).toBe(1);
  });
});

describe('a proxy', () => {
  it.each(['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY'])('named by %s is used for HTTPS', async (variable) => {
    await using server = await startRegistry({ tls: HOSTS });
    await using proxy = await ForwardProxy.start({ 'registry.test:443': server.url });
    const image = seedImage(server.storage, 'app', { tags: ['1.0'] });
    setProxy({ [variable]: proxy.url });
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY] });
    expect((await client.registry.getManifest(APP, TAG, client.signal)).digest).toBe(image.digest);
    await client.registry.listTags(APP, client.signal);
    expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT registry.test:443']));
    // Tunnels are kept: three requests need less than three.
    expect(proxy.asked.length).toBeLessThan(3);
  });

  it('carries uploads', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    await using source = await startRegistry({ tls: HOSTS });
    await using proxy = await ForwardProxy.start({ 'registry.test:443': server.url });
    const bytes = generatedBytes('layer', 2_000_000);
    const digest = digestOf(bytes);
    source.storage.putBlob('app', { kind: 'bytes', bytes });
    setProxy({ HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url });
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY] });
    const placed = await pushBlob({
      registry: client.registry,
      repository: APP,
      descriptor: { digest, size: bytes.length },
      sources: () => [registrySource(client.registries.at(source.host), APP)],
      isAbsent: true,
      signal: client.signal,
    });
    expect(placed).toBe('uploaded');
    expect(server.storage.blob('app', digest)).toEqual({ kind: 'bytes', bytes });
    // This machine is reached without it.
    expect(proxy.asked.every((line) => line === 'CONNECT registry.test:443')).toBe(true);
  });

  it('named by HTTP_PROXY is used for a registry without TLS', async () => {
    await using server = await startRegistry({ tls: false });
    await using proxy = await ForwardProxy.start({ 'registry.test:80': server.url });
    const image = seedImage(server.storage, 'app', { tags: ['1.0'] });
    setProxy({ HTTP_PROXY: proxy.url });
    using client = new TestClient(HOST, { insecure: [HOST] });
    expect(await client.registry.findManifest(APP, TAG, client.signal)).toMatchObject({
      digest: image.digest,
    });
    expect(proxy.asked).toEqual([
      'GET http://registry.test/v2/',
      'HEAD http://registry.test/v2/app/manifests/1.0',
    ]);
  });

  it('is not used for hosts that NO_PROXY names', async () => {
    await using proxy = await ForwardProxy.start({});
    setProxy({ HTTPS_PROXY: proxy.url, NO_PROXY: 'example.com,.test' });
    const timeouts = { connect: milliseconds(2000), firstByte: milliseconds(2000), idle: milliseconds(2000) };
    using client = new TestClient(HOST, { attempts: 1, timeouts });
    // That host exists nowhere.
    await expect(client.registry.ping()).rejects.toMatchObject({ about: 'registry.test' });
    expect(proxy.asked).toEqual([]);
  });

  it("that refuses is not taken for the registry's consent", async () => {
    await using proxy = await ForwardProxy.start({});
    setProxy({ HTTPS_PROXY: proxy.url });
    using client = new TestClient(HOST, { attempts: 1 });
    await expect(client.registry.ping()).rejects.toMatchObject({
      code: 'PROXY_REFUSED',
      about: 'registry.test',
    });
    expect(proxy.asked).toEqual(['CONNECT registry.test:443']);
  });

  it.each([
    [
      403,
      1,
      'refused the tunnel to registry.test',
      /^let the proxy allow registry\.test, check HTTPS_PROXY, or name registry\.test in NO_PROXY/,
    ],
    [404, 1, 'refused the tunnel to registry.test', /NO_PROXY/],
    // As servers that speak TLS answer plain HTTP.
    [400, 1, 'refused the tunnel to registry.test', /write https:\/\/ in HTTPS_PROXY if the proxy uses TLS/],
    [407, 1, 'refused the name and password in HTTPS_PROXY', /^correct them, /],
    [503, 3, 'did not reach registry.test', /NO_PROXY/],
  ])('that refuses with %i is told as a proxy, after %i attempts', async (status, attempts, what, hint) => {
    await using proxy = await ForwardProxy.start({}, status);
    const address = new URL(proxy.url);
    setProxy({ HTTPS_PROXY: `http://me:secret@${address.host}` });
    using client = new TestClient(HOST, { attempts: 3 });
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'PROXY_REFUSED',
      about: 'registry.test',
      message: `the proxy ${address.host} ${what}, status ${status}`,
      hint: expect.stringMatching(hint),
    });
    expect(proxy.asked).toHaveLength(attempts);
  });

  it('that wants a login is told as a proxy for a registry without TLS too', async () => {
    await using proxy = await ForwardProxy.start({}, 407);
    setProxy({ HTTP_PROXY: proxy.url });
    using client = new TestClient(HOST, { insecure: [HOST] });
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'PROXY_REFUSED',
      message: `the proxy ${new URL(proxy.url).host} requires a login, status 407`,
      hint: expect.stringContaining('HTTP_PROXY'),
    });
    expect(proxy.asked).toHaveLength(1);
  });
});

describe('what is no proxy', () => {
  it.each([
    ['http://walker:a-password@proxy.test:99999', 'HTTPS_PROXY is not the address of a proxy'],
    [
      'socks5://walker:a-password@proxy.test:1080',
      'HTTPS_PROXY names a socks5 proxy, which is not supported',
    ],
  ])('is told, and its password is not (%#)', async (proxy, message) => {
    setProxy({ HTTPS_PROXY: proxy });
    using client = new TestClient(HOST, { attempts: 1 });
    const failure = await client.registry.ping().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'UNREACHABLE', about: 'registry.test', message });
    expect(inspect(failure, { depth: 9 })).not.toContain('a-password');
  });
});

describe('a registry elsewhere', () => {
  const INSIDE = [
    ['to this machine', '127.0.0.1:9/'],
    ['to the secrets of a cloud', '169.254.169.254/latest/meta-data/'],
  ] as const;

  it.each(INSIDE)('may not redirect %s', async (_name, address) => {
    await using server = await startRegistry({ tls: HOSTS });
    await using proxy = await ForwardProxy.start({ 'registry.test:443': server.url });
    setProxy({ HTTPS_PROXY: proxy.url });
    server.fail({
      match: { kind: 'manifest-get' },
      fault: { kind: 'redirect', location: `https://${address}` },
    });
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY] });
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      code: 'REDIRECT_REFUSED',
      about: 'registry.test',
    });
    expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT registry.test:443']));
  });

  it.each(INSIDE)('may not redirect %s without TLS either', async (_name, address) => {
    await using server = await startRegistry({ tls: false });
    await using proxy = await ForwardProxy.start({ 'registry.test:80': server.url });
    setProxy({ HTTP_PROXY: proxy.url });
    server.fail({
      match: { kind: 'manifest-get' },
      fault: { kind: 'redirect', location: `http://${address}` },
    });
    using client = new TestClient(HOST, { insecure: [HOST] });
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      code: 'REDIRECT_REFUSED',
      about: 'registry.test',
    });
    expect(proxy.asked).toHaveLength(2);
  });

  it('may not lead from HTTPS to plain HTTP, nor have the login sent there', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    await using proxy = await ForwardProxy.start({ 'registry.test:443': server.url });
    setProxy({ HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url });
    const login = { username: 'keel', password: 'secret' };
    using client = new TestClient(HOST, { authorities: [HOSTS_AUTHORITY], login });
    server.fail({
      match: { kind: 'manifest-get' },
      fault: { kind: 'redirect', location: 'http://registry.test/' },
    });
    const get = () => client.registry.getManifest(APP, TAG, client.signal);
    await expect(get()).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    const headers = { 'www-authenticate': 'Bearer realm="http://tokens.test/token"' };
    server.fail({ match: { kind: 'manifest-get' }, fault: { kind: 'status', status: 401, headers } });
    await expect(get()).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT registry.test:443']));
  });

  it('without TLS may not have the login sent to another host in the clear', async () => {
    await using server = await startRegistry({ tls: false });
    await using proxy = await ForwardProxy.start({ 'registry.test:80': server.url });
    setProxy({ HTTP_PROXY: proxy.url });
    const login = { username: 'keel', password: 'secret' };
    using client = new TestClient(HOST, { insecure: [HOST], login });
    const headers = { 'www-authenticate': 'Bearer realm="http://tokens.test/token"' };
    server.fail({ match: { kind: 'ping' }, fault: { kind: 'status', status: 401, headers } });
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'REDIRECT_REFUSED',
      message: 'it asks for the login to be sent to tokens.test over plain HTTP',
    });
    expect(proxy.asked).toEqual(['GET http://registry.test/v2/']);
  });
});

describe('a registry that is not there', () => {
  it('is named, with what to check', async () => {
    const server = await startRegistry();
    await server.close();
    using client = new TestClient(server.host, { attempts: 2 });
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      about: server.host,
      message: 'the connection was refused',
    });
  });
});
