import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { discardBody, HttpClient, readBody } from '../../src/lib/http/http.ts';
import { originOf } from '../support/file-server.ts';

const LARGE = 100 * 1024 * 1024;
const calm = new AbortController().signal;
let server: Server;
let connections = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    const size = request.url === '/large' ? LARGE : 5;
    response.writeHead(200, { 'content-length': size });
    if (request.method === 'HEAD') response.end();
    else if (size === LARGE) response.write('the rest never comes');
    else response.end('small');
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function connectionsFor(method: string, path: string): Promise<number> {
  const client = new HttpClient();
  const before = connections;
  for (let round = 0; round < 3; round += 1) {
    const url = new URL(path, originOf(server));
    discardBody(await client.send({ method, url, headers: {}, signal: calm }));
    // A further request on the same connection goes out only after the answer has gone.
    const next = await client.send({ method: 'GET', url: new URL('/', url), headers: {}, signal: calm });
    expect(await readBody(next, 10)).toEqual(Buffer.from('small'));
  }
  client.close();
  return connections - before;
}

it.each<[string, string]>([
  ['GET', '/small'],
  ['HEAD', '/small'],
  // Its length tells what a GET would bring; nothing of it is on its way.
  ['HEAD', '/large'],
])('keeps the connection of an answer that nobody reads: %s %s', async (method, path) => {
  expect(await connectionsFor(method, path)).toBeLessThanOrEqual(2);
});

it('ends a connection rather than read what is long and unwanted', async () => {
  expect(await connectionsFor('GET', '/large')).toBeGreaterThanOrEqual(3);
});

/** A server that answers once four requests are there, and from then on ends connections: the old ones, or all. */
async function fickle(ends: 'old' | 'all') {
  const old = new Set<Socket>();
  const together = Promise.withResolvers<void>();
  let ended = 0;
  const listener = createServer(async ({ socket }, response) => {
    if (old.has(socket) || (ends === 'all' && old.size === 4)) {
      ended += 1;
      socket.destroy();
      return;
    }
    if (old.size < 4) {
      old.add(socket);
      if (old.size === 4) together.resolve();
      await together.promise;
    }
    response.end('small');
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const client = new HttpClient();
  const send = () =>
    client.send({ method: 'GET', url: new URL(originOf(listener)), headers: {}, signal: calm });
  for (const answer of await Promise.all([send(), send(), send(), send()])) await readBody(answer, 10);
  return {
    send,
    ended: () => ended,
    [Symbol.dispose]: () => {
      client.close();
      listener.closeAllConnections();
      listener.close();
    },
  };
}

it('asks again on a new connection if the server has closed all that were kept', async () => {
  using there = await fickle('old');
  expect(await readBody(await there.send(), 10)).toEqual(Buffer.from('small'));
  expect(there.ended()).toBe(4);
});

it('fails if the server closes a new connection too', async () => {
  using there = await fickle('all');
  await expect(there.send()).rejects.toMatchObject({ code: 'UNREACHABLE', transient: true });
  expect(there.ended()).toBe(5);
});
