import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { milliseconds, seconds } from '../../src/lib/duration.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import { LOOPBACK } from '../support/test-authority.ts';

const LONG = seconds(600);
const SHORT = milliseconds(100);

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A proxy that takes connections and never says a word; it tells when one is there, and when one ends. */
async function silentProxy() {
  const there = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    there.resolve();
    socket.resume();
    socket.on('error', () => undefined).on('close', () => gone.resolve());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY']) vi.stubEnv(name, `http://127.0.0.1:${port}`);
  for (const name of ['https_proxy', 'http_proxy', 'NO_PROXY', 'no_proxy']) vi.stubEnv(name, '');
  return { there: there.promise, gone: gone.promise, [Symbol.dispose]: () => void server.close() };
}

it.each([
  ['https', 'connect', 'no connection within 100 ms'],
  ['http', 'firstByte', 'no answer within 100 ms'],
])('a proxy that never answers is left, with its connection: %s', async (scheme, limit, message) => {
  using proxy = await silentProxy();
  const client = new HttpClient({ timeouts: { connect: LONG, firstByte: LONG, idle: LONG, [limit]: SHORT } });
  const { signal } = new AbortController();
  const url = new URL(`${scheme}://registry.test/v2/`);
  const asked = client.send({ method: 'GET', url, headers: {}, signal });
  await expect(asked).rejects.toMatchObject({ code: 'TIMED_OUT', message });
  await proxy.gone;
  client.close();
});

it.each(['https', 'http'])('a proxy is left when the client closes: %s', async (scheme) => {
  using proxy = await silentProxy();
  const client = new HttpClient();
  const { signal } = new AbortController();
  const url = new URL(`${scheme}://registry.test/v2/`);
  const asked = client.send({ method: 'GET', url, headers: {}, signal });
  const refused = expect(asked).rejects.toThrow('the client is closed');
  await proxy.there;
  client.close();
  await refused;
  await proxy.gone;
});

it.each(['https', 'http'])(
  'a proxy that speaks TLS is told by which name it is asked: %s',
  async (scheme) => {
    const names: string[] = [];
    const server = createTlsServer({
      key: LOOPBACK.key,
      cert: LOOPBACK.certificate,
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });
    server.on('request', (_, answer) => answer.end());
    server.on('connect', (_, socket) => socket.end('HTTP/1.1 503 No\r\n\r\n'));
    server.listen(0, 'localhost');
    await once(server, 'listening');
    const address = server.address();
    const port = address === null || typeof address === 'string' ? 0 : address.port;
    for (const name of ['HTTPS_PROXY', 'HTTP_PROXY']) vi.stubEnv(name, `https://localhost:${port}`);
    for (const name of ['https_proxy', 'http_proxy', 'NO_PROXY', 'no_proxy']) vi.stubEnv(name, '');
    const client = new HttpClient();
    const { signal } = new AbortController();
    const url = new URL(`${scheme}://registry.test/v2/`);
    await client.send({ method: 'GET', url, headers: {}, signal }).catch(() => undefined);
    client.close();
    server.close();
    server.closeAllConnections();
    expect(names).toEqual(['localhost']);
  },
);
