import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { explainNetworkError } from '../../src/lib/http/http-failure.ts';
import { Endpoint, redactUrl } from '../../src/registry/endpoint.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { HOSTS, HOSTS_AUTHORITY } from '../support/test-authority.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
/** The type of the record that a handshake begins with (RFC 8446, B.1). */
const HANDSHAKE = 22;
const TAG = parseTag('1.0');
const INSECURE = parseHost('registry.test');

function setProxy(url: string): void {
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY']) vi.stubEnv(name, url);
  for (const name of ['https_proxy', 'http_proxy', 'all_proxy', 'no_proxy', 'NO_PROXY']) vi.stubEnv(name, '');
}

afterEach(() => {
  vi.unstubAllEnvs();
});

function connectTo(origin: string): Socket {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1');
  return socket.on('error', () => undefined);
}

/** A listener that does the same to each connection, and counts them. */
class BareListener implements AsyncDisposable {
  count = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(greet: (socket: Socket, count: number) => void) {
    this.#server = createServer((socket) => {
      this.count += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      greet(socket, this.count);
    });
  }

  static async start(greet: (socket: Socket, count: number) => void): Promise<BareListener> {
    const listener = new BareListener(greet);
    listener.#server.listen(0, '127.0.0.1');
    await once(listener.#server, 'listening');
    return listener;
  }

  get host() {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the listener has no port');
    return parseHost(`127.0.0.1:${address.port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

describe('before the first contact', () => {
  it.each([
    ['registry.k8s.io', 'https://registry.k8s.io/', true],
    ['docker.io', 'https://registry-1.docker.io/', true],
    ['10.0.0.5:5000', 'https://10.0.0.5:5000/', true],
    ['127.0.0.1.example.com', 'https://127.0.0.1.example.com/', true],
    ['localhost.example.com', 'https://localhost.example.com/', true],
    ['old.example', 'https://old.example/', true],
    ['old.example:5000', 'https://old.example:5000/', false],
    ['localhost', 'https://localhost/', false],
    ['localhost:5000', 'https://localhost:5000/', false],
    ['127.0.0.1:5000', 'https://127.0.0.1:5000/', false],
    ['[::1]:5000', 'https://[::1]:5000/', false],
  ])('%s is %s, for good: %s', (host, url, isSettled) => {
    const endpoint = new Endpoint(parseHost(host), [parseHost('old.example:5000')]);
    expect(endpoint.url.href).toBe(url);
    if (isSettled) expect(endpoint.at('/v2/').href).toBe(`${url}v2/`);
    else expect(() => endpoint.at('/v2/')).toThrow(TypeError);
  });
});

describe('a registry that is named as insecure', () => {
  it.each([
    ['docker.io', 'docker.io', 'http://registry-1.docker.io/'],
    ['docker.io', 'registry-1.docker.io', 'http://registry-1.docker.io/'],
    ['old.example', 'old.example:443', 'http://old.example/'],
    ['old.example:443', 'old.example', 'http://old.example:443/'],
    ['old.example:5000', 'old.example:5000', 'http://old.example:5000/'],
    ['old.example:5000', 'old.example', undefined],
    ['auth.docker.io', 'docker.io', undefined],
  ])('%s, by the name %s, is asked at %s where it does not use TLS', async (host, named, plain) => {
    const endpoint = new Endpoint(parseHost(host), [parseHost(named)]);
    const asked: string[] = [];
    const noTls = Object.assign(new Error('no TLS'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' });
    const answered = await endpoint
      .settle(async (base) => {
        asked.push(base.href);
        if (base.protocol === 'https:') throw explainNetworkError(noTls, base.host);
        return base.href;
      })
      .catch(() => undefined);
    expect(answered).toBe(plain);
    expect(asked).toHaveLength(plain === undefined ? 1 : 2);
  });
});

describe('a registry on this machine', () => {
  it('is spoken to over TLS where it speaks TLS', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    const image = seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host, { authorities: [HOSTS_AUTHORITY] });
    expect(await client.registry.findManifest(APP, TAG, client.signal)).toMatchObject({
      digest: image.digest,
    });
    expect(client.registry.endpoint.protocol).toBe('https:');
    expect(server.journal.count()).toBe(2);
  });

  it('is spoken to over plain HTTP where it does not, after one handshake in a run', async () => {
    await using server = await startRegistry({ tls: false });
    const image = seedImage(server.storage, 'app', { tags: ['1.0'] });
    let handshakes = 0;
    await using front = await BareListener.start((socket) => {
      socket.once('data', (first: Buffer) => {
        if (first[0] === HANDSHAKE) {
          handshakes += 1;
          socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
        } else {
          socket.unshift(first);
          socket.pipe(connectTo(server.url)).pipe(socket);
        }
      });
    });
    using client = new TestClient(front.host);
    for (let asked = 0; asked < 3; asked += 1) {
      expect(await client.registry.findManifest(APP, TAG, client.signal)).toMatchObject({
        digest: image.digest,
      });
    }
    expect(client.registry.endpoint.protocol).toBe('http:');
    expect(handshakes).toBe(1);
    expect(server.journal.count()).toBe(4);
  });

  it('is spoken to over plain HTTP where it closes what it cannot read', async () => {
    await using server = await startRegistry({ tls: false });
    await using front = await BareListener.start((socket, count) => {
      if (count === 1) socket.once('data', () => socket.resetAndDestroy());
      else socket.pipe(connectTo(server.url)).pipe(socket);
    });
    using client = new TestClient(front.host);
    await client.registry.ping();
    expect(client.registry.endpoint.protocol).toBe('http:');
  });

  it('whose certificate nobody signed is refused, and not asked without TLS', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    using client = new TestClient(server.host, { login: { username: 'keel', password: 'secret' } });
    await expect(client.registry.ping()).rejects.toMatchObject({ code: 'TLS_REFUSED' });
    expect(server.journal.count()).toBe(0);
  });

  it('whose TLS breaks for a moment is not taken for one without', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    await using front = await BareListener.start((socket, count) => {
      if (count === 1) socket.once('data', () => socket.resetAndDestroy());
      else socket.pipe(connectTo(server.url)).pipe(socket);
    });
    using client = new TestClient(front.host, { authorities: [HOSTS_AUTHORITY] });
    await expect(client.registry.ping()).rejects.toMatchObject({ code: 'UNREACHABLE', transient: true });
    await client.registry.ping();
    expect(client.registry.endpoint.protocol).toBe('https:');
  });
});

describe('a registry elsewhere', () => {
  it('that is named as insecure is spoken to over TLS where it speaks TLS', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    await using proxy = await ForwardProxy.start({ 'registry.test:443': server.url });
    setProxy(proxy.url);
    using client = new TestClient(INSECURE, { insecure: [INSECURE], authorities: [HOSTS_AUTHORITY] });
    await client.registry.ping();
    expect(proxy.asked).toEqual(['CONNECT registry.test:443']);
  });

  it.each([
    ['whose proxy leads nowhere else', {}],
    ['that answers without TLS', { 'registry.test:443': 'itself' }],
  ])('that is named as insecure is spoken to over plain HTTP: one %s', async (_, tunnels) => {
    await using server = await startRegistry({ tls: false });
    const routes = Object.fromEntries(Object.keys(tunnels).map((name) => [name, server.url]));
    await using proxy = await ForwardProxy.start({ ...routes, 'registry.test:80': server.url });
    setProxy(proxy.url);
    using client = new TestClient(INSECURE, { insecure: [INSECURE] });
    await client.registry.ping();
    expect(proxy.asked).toEqual(['CONNECT registry.test:443', 'GET http://registry.test/v2/']);
  });

  it('that is named as insecure and has a certificate that nobody signed is told with what to give instead', async () => {
    await using server = await startRegistry({ tls: HOSTS });
    await using proxy = await ForwardProxy.start({ 'registry.test:443': server.url });
    setProxy(proxy.url);
    using client = new TestClient(INSECURE, { insecure: [INSECURE] });
    await expect(client.registry.ping()).rejects.toMatchObject({
      code: 'TLS_REFUSED',
      hint: expect.stringMatching(/--ca-file, .*--tls-skip-verify registry\.test$/),
    });
    // Not a byte went there in the clear.
    expect(proxy.asked).toEqual(['CONNECT registry.test:443']);
  });

  it('cannot bring us to plain HTTP, whoever is on the way', async () => {
    await using server = await startRegistry({ tls: false });
    await using proxy = await ForwardProxy.start({
      'registry.test:443': server.url,
      'registry.test:80': server.url,
    });
    setProxy(proxy.url);
    using client = new TestClient(INSECURE, { login: { username: 'keel', password: 'secret' } });
    await expect(client.registry.ping()).rejects.toMatchObject({
      code: 'TLS_REFUSED',
      hint: expect.stringContaining('--insecure-registry registry.test'),
    });
    expect(proxy.asked).toEqual(['CONNECT registry.test:443']);
    expect(server.journal.count()).toBe(0);
  });
});

describe('a URL for people', () => {
  it('shows neither credentials nor signatures', () => {
    const url = new URL('https://u:p@a.example/v2/x?n=5&X-Amz-Signature=abc&from=a%2Fb#frag');
    expect(redactUrl(url)).toBe('https://a.example/v2/x?n=5&X-Amz-Signature=…&from=a%2Fb');
  });
});
