import { createServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, it, vi } from 'vitest';
import { milliseconds, seconds } from '../../src/lib/duration.ts';
import { HttpClient, readBody } from '../../src/lib/http/http.ts';

const LONG = seconds(600);
const SHORT = milliseconds(400);
const TICK_MILLISECONDS = 10;
const calm = new AbortController().signal;
let stack = new AsyncDisposableStack();

afterEach(async () => {
  vi.unstubAllEnvs();
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

/** What a server does with a connection: what it says at once, and what it says again and again, without end. */
interface Manner {
  readonly at?: string | Buffer;
  /** What it says when it is spoken to for the second time, before it goes on. */
  readonly later?: Buffer;
  readonly on: string | Buffer;
}

/** A server that says something again and again once it was spoken to, until the other side has had enough. */
async function trickling({ at = '', later, on }: Manner): Promise<URL> {
  const sockets = new Set<Socket>();
  const trickle = (socket: Socket): void => {
    const ticks = setInterval(() => socket.write(on), TICK_MILLISECONDS);
    socket.once('close', () => clearInterval(ticks));
  };
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(at);
      if (later === undefined) trickle(socket);
      else {
        socket.once('data', () => {
          socket.write(later);
          trickle(socket);
        });
      }
    });
    socket.resume();
  };
  const server: Server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new URL(`http://127.0.0.1:${portOf(server)}`);
}

function portOf(server: Server): number {
  const address = server.address();
  return address === null || typeof address === 'string' ? 0 : address.port;
}

/** Asks with clocks of which only one is short. */
async function ask(
  url: URL,
  clock: 'connect' | 'firstByte' | 'pace',
  request: { method?: string; body?: Uint8Array } = {},
) {
  const limits = { connect: LONG, firstByte: LONG, idle: LONG, pace: { grace: LONG, bytesPerSecond: 1 } };
  const short = clock === 'pace' ? { pace: { grace: SHORT, bytesPerSecond: 64 * 1024 } } : { [clock]: SHORT };
  const client = new HttpClient({ timeouts: { ...limits, ...short } });
  stack.defer(() => client.close());
  const { method = 'GET', body } = request;
  const answer = await client.send({ method, url, headers: {}, body, signal: calm });
  return { answer, bytes: await readBody(answer, 100_000_000) };
}

const TOO_SLOWLY = 'it sends its answer too slowly';
const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n`;

it.each<[what: string, clock: 'firstByte' | 'pace', manner: Manner, message: string]>([
  ['a status line', 'firstByte', { at: 'HTTP/1.1 200 ', on: 'O' }, 'no answer within'],
  ['headers', 'firstByte', { at: OK, on: 'x: y\r\n' }, 'no answer within'],
  ['interim answers', 'firstByte', { on: 'HTTP/1.1 103 Early Hints\r\n\r\n' }, 'no answer within'],
  ['a body of a given length', 'pace', { at: `${OK}content-length: 9999999\r\n\r\n`, on: '{' }, TOO_SLOWLY],
  ['a body in chunks', 'pace', { at: `${CHUNKED}\r\n`, on: '1\r\n{\r\n' }, TOO_SLOWLY],
  ['a body without length', 'pace', { at: `${OK}connection: close\r\n\r\n`, on: '{' }, TOO_SLOWLY],
  ['trailers', 'pace', { at: `${CHUNKED}trailer: x\r\n\r\n1\r\n{\r\n0\r\n`, on: 'x: y\r\n' }, TOO_SLOWLY],
  [
    'a compressed body',
    'pace',
    {
      at: Buffer.concat([
        Buffer.from(`${OK}content-encoding: gzip\r\nconnection: close\r\n\r\n`),
        gzipSync('{').subarray(0, 10),
      ]),
      on: Buffer.from('000000ffff', 'hex'),
    },
    TOO_SLOWLY,
  ],
  [
    'the body of an error',
    'pace',
    { at: 'HTTP/1.1 500 No\r\ncontent-length: 9999\r\n\r\n', on: '{' },
    TOO_SLOWLY,
  ],
])('a server that trickles %s is not waited for without end', async (_what, clock, manner, message) => {
  await expect(ask(await trickling(manner), clock)).rejects.toMatchObject({
    code: 'TIMED_OUT',
    message: expect.stringContaining(message),
    transient: true,
  });
});

/** The beginning of a record of TLS that holds a handshake of 16 KiB, and a message of that size within it. */
const HANDSHAKE = Buffer.from('1603034000020000ffff', 'hex');

it.each<[what: string, leadTo: (url: URL) => URL, manner: Manner]>([
  ['its handshake', ({ port }) => new URL(`https://127.0.0.1:${port}`), { at: HANDSHAKE, on: '\0' }],
  ['its answer to CONNECT, as a proxy,', behindProxy, { at: 'HTTP/1.1 200 OK\r\n', on: 'x: y\r\n' }],
  ['the handshake behind it, as a proxy,', behindProxy, { at: `${OK}\r\n`, later: HANDSHAKE, on: '\0' }],
])('a server that trickles %s is no connection', async (_what, leadTo, manner) => {
  const url = leadTo(await trickling(manner));
  await expect(ask(url, 'connect')).rejects.toMatchObject({
    code: 'TIMED_OUT',
    message: 'no connection within 400 ms',
  });
});

function behindProxy({ host }: URL): URL {
  vi.stubEnv('HTTPS_PROXY', `http://${host}`);
  vi.stubEnv('https_proxy', '');
  return new URL('https://registry.test');
}

it('the answer to an upload that trickles is not waited for without end', async () => {
  const url = await trickling({ at: `HTTP/1.1 201 Created\r\ncontent-length: 9999999\r\n\r\n`, on: '{' });
  const upload = ask(url, 'pace', { method: 'PUT', body: Buffer.alloc(1000) });
  await expect(upload).rejects.toMatchObject({ code: 'TIMED_OUT' });
});

it('a body after the answer to HEAD is not waited for', async () => {
  const url = await trickling({ at: `${OK}content-length: 9999999\r\n\r\n`, on: '{' });
  const { answer, bytes } = await ask(url, 'pace', { method: 'HEAD' });
  expect([answer.status, bytes?.length]).toEqual([200, 0]);
});
