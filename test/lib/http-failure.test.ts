import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Duration, milliseconds, seconds } from '../../src/lib/duration.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import { explainNetworkError } from '../../src/lib/http/http-failure.ts';

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');
}

const KEY = fixture('server-key.pem');
const AUTHORITY = fixture('authority.pem');
const LONG = seconds(600);
const SHORT = milliseconds(200);

beforeEach(() => {
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY']) {
    vi.stubEnv(name, '');
    vi.stubEnv(name.toLowerCase(), '');
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Starts a server, which is closed with all its connections. */
async function serve(
  server: Server,
  address = '127.0.0.1',
): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  server.on('tlsClientError', () => undefined);
  server.listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function tlsServer(certificate: string, options: TlsOptions = {}): Server {
  return createTlsServer({ key: KEY, cert: fixture(certificate), ...options }, (_, answer) => answer.end());
}

/** A proxy that takes every CONNECT, and does the rest. */
function proxyServer(then: (socket: Socket) => void): Server {
  return createHttpServer().on('connect', (_, socket: Socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    then(socket);
  });
}

async function failureOf(
  url: string,
  { authority = 'authority.pem', idle = LONG }: Place = {},
): Promise<unknown> {
  const timeouts = { connect: LONG, firstByte: LONG, idle };
  const http = new HttpClient({ authorities: [fixture(authority)], timeouts });
  const { signal } = new AbortController();
  try {
    return (await http.send({ method: 'GET', url: new URL(url), headers: {}, signal })).status;
  } catch (error) {
    return error;
  } finally {
    http.close();
  }
}

const closed = (): Server => createServer((socket) => socket.destroy());
const silent = (): Server => createServer(() => undefined);

interface Place {
  readonly scheme?: 'http' | 'https';
  readonly address?: string;
  /** The file of the authority that is trusted. */
  readonly authority?: string;
  /** For how long it may be silent. */
  readonly idle?: Duration;
}

type Row = [name: string, server: Server, told: Told, place?: Place];

interface Told {
  readonly code: string;
  readonly message: string | RegExp;
  readonly hint: RegExp | undefined;
}

function expectTold(failure: unknown, { code, message, hint }: Told): void {
  expect(failure).toMatchObject({
    code,
    message: typeof message === 'string' ? message : expect.stringMatching(message),
    hint: hint === undefined ? undefined : expect.stringMatching(hint),
  });
}

const HOST_ROWS: Row[] = [
  [
    'with a certificate of another name',
    tlsServer('server.pem'),
    {
      code: 'TLS_REFUSED',
      message: 'its certificate is for registry.test, localhost, 127.0.0.1',
      hint: /^use a name that is in its certificate, .*--tls-skip-verify 127\.0\.0\.2:\d+$/,
    },
    // All of 127.0.0.0/8 is this machine.
    { address: '127.0.0.2' },
  ],
  [
    'whose certificate has expired',
    tlsServer('expired.pem'),
    { code: 'TLS_REFUSED', message: 'its certificate has expired', hint: /^renew it; .*clock/ },
    { authority: 'expired.pem' },
  ],
  [
    'whose certificate is not valid yet',
    tlsServer('future.pem'),
    { code: 'TLS_REFUSED', message: 'its certificate is not valid yet', hint: /clock of this machine/ },
    { authority: 'future.pem' },
  ],
  [
    'whose certificate is signed by itself',
    tlsServer('self-signed.pem'),
    {
      code: 'TLS_REFUSED',
      message: 'its certificate is self-signed',
      hint: /^trust it with --ca-file, in a workflow ca-file, or .*--tls-skip-verify/,
    },
  ],
  [
    'whose authority is not known',
    tlsServer('server.pem'),
    {
      code: 'TLS_REFUSED',
      message: 'its certificate is signed by an authority that this machine does not trust',
      hint: /^trust that authority with --ca-file, in a workflow ca-file, or let the server send all intermediate certificates, or/,
    },
    { authority: 'self-signed.pem' },
  ],
  [
    'that speaks old TLS only',
    tlsServer('server.pem', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
    { code: 'TLS_REFUSED', message: 'it supports only versions of TLS that are too old', hint: /TLS 1\.2/ },
  ],
  [
    'that wants a certificate of ours',
    tlsServer('server.pem', { requestCert: true, rejectUnauthorized: true, ca: AUTHORITY }),
    {
      code: 'TLS_REFUSED',
      message: 'the server requires a client certificate, which is not supported',
      hint: /user name and password/,
    },
  ],
  [
    'that speaks no TLS',
    createHttpServer(),
    {
      code: 'TLS_REFUSED',
      message: 'it does not use TLS',
      hint: /use --insecure-registry 127\.0\.0\.1:\d+$/,
    },
  ],
  [
    'that closes',
    closed(),
    { code: 'UNREACHABLE', message: 'the connection broke (ECONNRESET)', hint: undefined },
  ],
  [
    'that is silent',
    silent(),
    { code: 'TIMED_OUT', message: 'not a byte moved within 200 ms', hint: undefined },
    { idle: SHORT },
  ],
  [
    'that answers something else',
    createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')),
    { code: 'UNREACHABLE', message: /^its answer is not HTTP/, hint: /host and the port/ },
    { scheme: 'http' },
  ],
];

const PROXY_ROWS: Row[] = [
  [
    'that closes',
    closed(),
    {
      code: 'UNREACHABLE',
      message: /^its proxy 127\.0\.0\.1:\d+ cannot be used: the connection broke/,
      hint: /^check the proxy, write https:\/\/ in HTTPS_PROXY if the proxy uses TLS, or name registry\.test in NO_PROXY/,
    },
  ],
  [
    'that speaks TLS where http:// is written',
    tlsServer('server.pem'),
    {
      code: 'UNREACHABLE',
      message: /^its proxy .* cannot be used/,
      hint: /^check the proxy, write https:\/\/ in HTTPS_PROXY if the proxy uses TLS, or name/,
    },
  ],
  [
    'that speaks no TLS where https:// is written',
    createHttpServer(),
    {
      code: 'TLS_REFUSED',
      message: /^its proxy .* cannot be used: it does not use TLS$/,
      hint: /^write http:\/\/ in HTTPS_PROXY$/,
    },
    { scheme: 'https' },
  ],
  [
    'whose own certificate is not accepted',
    tlsServer('self-signed.pem'),
    {
      code: 'TLS_REFUSED',
      message: /^its proxy .* cannot be used: its certificate is self-signed$/,
      hint: /^trust it with --ca-file, in a workflow ca-file$/,
    },
    { scheme: 'https' },
  ],
  [
    'that refuses our login',
    createHttpServer().on('connect', (_, socket) => socket.end('HTTP/1.1 407 No\r\n\r\n')),
    { code: 'PROXY_REFUSED', message: /refused the name and password in /, hint: /^correct them, / },
  ],
  [
    'that does not reach the host',
    createHttpServer().on('connect', (_, socket) => socket.end('HTTP/1.1 503 No\r\n\r\n')),
    {
      code: 'PROXY_REFUSED',
      message: /^the proxy .* did not reach registry\.test, status 503$/,
      hint: /^check the name and port/,
    },
  ],
  [
    'that forbids the host',
    createHttpServer().on('connect', (_, socket) => socket.end('HTTP/1.1 403 No\r\n\r\n')),
    { code: 'PROXY_REFUSED', message: /^the proxy .* refused the tunnel/, hint: /^let the proxy allow/ },
  ],
  [
    'behind which the host closes',
    proxyServer((socket) => socket.destroy()),
    { code: 'UNREACHABLE', message: 'the connection broke (ECONNRESET)', hint: undefined },
  ],
  [
    'behind which the host speaks no TLS',
    proxyServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))),
    { code: 'TLS_REFUSED', message: 'it does not use TLS', hint: /--insecure-registry registry\.test$/ },
  ],
];

describe('a failure names the party that is at fault, and what to change', () => {
  it.each<Row>(HOST_ROWS)('a host %s', async (_, server, told, place = {}) => {
    await using open = await serve(server, place.address);
    const { address = '127.0.0.1', scheme = 'https' } = place;
    expectTold(await failureOf(`${scheme}://${address}:${open.port}/`, place), told);
  });

  it.each<Row>(PROXY_ROWS)('a proxy %s', async (_, server, told, place = {}) => {
    await using open = await serve(server);
    vi.stubEnv('HTTPS_PROXY', `${place.scheme ?? 'http'}://me:hush@127.0.0.1:${open.port}`);
    const failure = await failureOf('https://registry.test/');
    expectTold(failure, told);
    expect(inspect(failure, { depth: 9 })).not.toContain('hush');
  });

  it('a proxy that is down', async () => {
    const open = await serve(closed());
    await open[Symbol.asyncDispose]();
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${open.port}`);
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${open.port}`);
    for (const scheme of ['https', 'http']) {
      expectTold(await failureOf(`${scheme}://registry.test/`), {
        code: 'UNREACHABLE',
        message: `its proxy 127.0.0.1:${open.port} cannot be used: the connection was refused`,
        hint: new RegExp(
          `^check the proxy and ${scheme.toUpperCase()}_PROXY, or name registry.test in NO_PROXY`,
        ),
      });
    }
  });

  it('a proxy that speaks TLS where http:// is written, for a host without TLS', async () => {
    await using open = await serve(tlsServer('server.pem'));
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${open.port}`);
    expectTold(await failureOf('http://registry.test/'), {
      code: 'UNREACHABLE',
      message: /^its proxy .* cannot be used/,
      hint: /^check the proxy, write https:\/\/ in HTTP_PROXY if the proxy uses TLS, or name/,
    });
  });

  it('a proxy whose name does not exist', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://proxy.invalid:3128');
    expectTold(await failureOf('https://registry.test/'), {
      code: 'UNREACHABLE',
      message: 'its proxy proxy.invalid:3128 cannot be used: no such host',
      hint: /^check the proxy and HTTPS_PROXY/,
    });
  });

  it('a proxy that answers in place of a host without TLS', async () => {
    const squid = createHttpServer((_, answer) => {
      answer.writeHead(503, { 'x-squid-error': 'ERR_DNS_FAIL 0' }).end('<html>');
    });
    await using open = await serve(squid);
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${open.port}`);
    expectTold(await failureOf('http://registry.test/'), {
      code: 'PROXY_REFUSED',
      message: `the proxy 127.0.0.1:${open.port} did not reach registry.test, status 503`,
      hint: /^check the name and port/,
    });
  });
});

function systemError(code: string, address?: string): Error {
  return Object.assign(new Error(`it failed with ${code}`), { code, address });
}

describe('what the system says', () => {
  it.each([
    ['ENOTFOUND', 'UNREACHABLE', false, 'no such host'],
    ['EAI_AGAIN', 'UNREACHABLE', true, 'the name server did not answer (EAI_AGAIN)'],
    ['ECONNREFUSED', 'UNREACHABLE', true, 'the connection was refused'],
    ['ECONNRESET', 'UNREACHABLE', true, 'the connection broke (ECONNRESET)'],
    ['EPIPE', 'UNREACHABLE', true, 'the connection broke (EPIPE)'],
    ['ENETUNREACH', 'UNREACHABLE', true, 'there is no route to it from this machine (ENETUNREACH)'],
    ['ETIMEDOUT', 'UNREACHABLE', true, 'it did not answer (ETIMEDOUT)'],
    [
      'CERT_REVOKED',
      'TLS_REFUSED',
      false,
      'its certificate was not accepted (it failed with CERT_REVOKED, CERT_REVOKED)',
    ],
    ['EPROTO', 'TLS_REFUSED', false, 'its TLS was not accepted (EPROTO)'],
  ])('%s is %s', (code, expected, transient, message) => {
    const failure = explainNetworkError(systemError(code), 'a.example');
    expect(failure).toMatchObject({ code: expected, about: 'a.example', transient, message });
  });

  it('of each address is told where they differ', () => {
    const errors = [systemError('ENETUNREACH', '2001:db8::1'), systemError('ECONNREFUSED', '192.0.2.1')];
    expect(explainNetworkError(new AggregateError(errors), 'a.example').message).toBe(
      'none of its addresses can be reached (2001:db8::1: there is no route to it from this machine (ENETUNREACH); 192.0.2.1: the connection was refused)',
    );
    const same = [systemError('ECONNREFUSED', '::1'), systemError('ECONNREFUSED', '127.0.0.1')];
    expect(explainNetworkError(new AggregateError(same), 'a.example')).toMatchObject({
      message: 'the connection was refused',
      hint: 'check the port and whether the service there is running',
    });
  });

  it('stays as it is once it was explained', () => {
    const failure = explainNetworkError(systemError('EPIPE'), 'a.example');
    expect(explainNetworkError(failure, 'b.example')).toBe(failure);
  });
});
