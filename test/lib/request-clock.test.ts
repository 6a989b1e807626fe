import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { afterEach, describe, expect, it } from 'vitest';
import { milliseconds, seconds } from '../../src/lib/duration.ts';
import { type BodyWriter, HttpClient, readBody } from '../../src/lib/http/http.ts';
import { type HttpTimeouts, timeoutsWith } from '../../src/lib/http/request-clock.ts';
import { originOf } from '../support/file-server.ts';

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');
}

const TLS = { key: fixture('server-key.pem'), cert: fixture('server.pem') };
const AUTHORITIES = [fixture('authority.pem')];
const LONG = seconds(600);
const SHORT = milliseconds(100);
/** Several times as long as what is short. */
const LATER_MILLISECONDS = 400;
/** Long enough for a connection and a short request, also where the machine is busy. */
const ENOUGH = milliseconds(1000);
const MUCH_LATER_MILLISECONDS = 2000;
const calm = new AbortController().signal;
const open: { close: () => void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function start(scheme: 'http' | 'https', answer: RequestListener): Promise<URL> {
  const server: Server = scheme === 'https' ? createHttpsServer(TLS, answer) : createHttpServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Nothing but the client ends a connection.
  server.keepAliveTimeout = 0;
  open.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return new URL(originOf(server).replace(/^https?/, scheme));
}

async function put(url: URL, body: Uint8Array | BodyWriter, timeouts: Partial<HttpTimeouts>) {
  const limits = { connect: LONG, firstByte: LONG, idle: LONG, ...timeouts };
  const client = new HttpClient({ authorities: AUTHORITIES, timeouts: limits });
  open.push(client);
  return client.send({ method: 'PUT', url, headers: {}, body, signal: calm });
}

describe.each(['http', 'https'] as const)('over %s', (scheme) => {
  it('an answer that began before the request was through is read to its end', async () => {
    const url = await start(scheme, (request, response) => {
      response.write('early, ');
      // The request is taken in only now, so it ends after the answer began.
      setTimeout(() => request.resume(), 10);
      request.once('end', () => setTimeout(() => response.end('and whole'), LATER_MILLISECONDS));
    });
    const answer = await put(url, new Uint8Array(32 * 1024 * 1024), { firstByte: SHORT });
    expect(String(await readBody(answer, 1000))).toBe('early, and whole');
  });

  it('the other side may work for longer than bytes may stand still', async () => {
    const url = await start(scheme, (request, response) => {
      request.resume();
      request.once('end', () => setTimeout(() => response.end('done'), MUCH_LATER_MILLISECONDS));
    });
    const answer = await put(url, new Uint8Array(1000), { idle: ENOUGH });
    expect(String(await readBody(answer, 1000))).toBe('done');
  });

  it('an answer that does not come is not waited for without end', async () => {
    const url = await start(scheme, (request) => void request.resume());
    await expect(put(url, new Uint8Array(1000), { firstByte: SHORT })).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: 'no answer within 100 ms',
    });
  });

  it('a request that stands still is given up', async () => {
    const url = await start(scheme, () => undefined);
    // More than the machine holds for a server that does not read.
    const standing: BodyWriter = async (sink) => void sink.write(Buffer.alloc(64 * 1024 * 1024));
    await expect(put(url, standing, { idle: SHORT })).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: 'not a byte moved within 100 ms',
    });
  });

  it('an early answer ends the connection of a body that is not sent any more', async () => {
    const closed = Promise.withResolvers<void>();
    const url = await start(scheme, (request, response) => {
      request.socket.once('close', () => closed.resolve());
      response.writeHead(422, { 'content-length': 2 });
      response.end('no');
    });
    const endless: BodyWriter = async (sink, signal) => {
      sink.write('a beginning');
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const answer = await put(url, endless, {});
    expect(String(await readBody(answer, 1000))).toBe('no');
    await closed.promise;
  });
});

it.each([
  ['a minute', 60, 900],
  ['an hour', 3600, 3600],
  ['without end', 0, 0],
])('work that may take %s is not given up before', (_name, allowed, limit) => {
  expect(timeoutsWith(seconds(allowed), undefined).work).toBe(limit * 1000);
});
