import { createServer, type Server } from 'node:http';
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
