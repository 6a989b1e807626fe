import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseHost } from '../../src/registry/oci/reference.ts';
import { DelayProxy } from './delay-proxy.ts';
import { originOf } from './file-server.ts';
import { seededBytes } from './images/layer.ts';

const content = seededBytes('delayed', 20 * 1024 * 1024);
let server: Server;

beforeAll(async () => {
  server = createServer((incoming, response) => {
    if (incoming.method === 'GET') response.end(content);
    else void buffer(incoming).then((body) => response.end(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const upstream = () => parseHost(new URL(originOf(server)).host);

async function send(proxy: DelayProxy, body?: Buffer): Promise<Buffer> {
  const outgoing = request(`http://${proxy.host}/`, {
    method: body === undefined ? 'GET' : 'POST',
    agent: false,
  });
  // Once there is an answer, a cut reaches whoever reads it.
  outgoing.on('error', () => undefined);
  outgoing.end(body);
  const [answer]: [IncomingMessage] = await once(outgoing, 'response').then(([first]) => [first]);
  return buffer(answer);
}

it('brings every byte, in order, in both directions', async () => {
  await using proxy = await DelayProxy.start(upstream(), { roundTripMilliseconds: 20 });
  const all = await Promise.all([send(proxy), send(proxy, content), send(proxy)]);
  for (const one of all) expect(one.equals(content)).toBe(true);
  expect(proxy.traffic).toMatchObject({ connections: 3, requests: { GET: 2, POST: 1 } });
  expect(proxy.traffic.bytesReceived).toBeGreaterThan(3 * content.length);
  expect(proxy.traffic.bytesSent).toBeGreaterThan(content.length);
});

it('takes a round trip to connect and one to answer', async () => {
  await using proxy = await DelayProxy.start(upstream(), { roundTripMilliseconds: 100 });
  const began = performance.now();
  await send(proxy, Buffer.from('short'));
  expect(performance.now() - began).toBeGreaterThanOrEqual(195);
});

it('lets no more through than its rate', async () => {
  await using proxy = await DelayProxy.start(upstream(), {
    roundTripMilliseconds: 0,
    bytesPerSecond: 40 * 1024 * 1024,
  });
  const began = performance.now();
  await Promise.all([send(proxy), send(proxy)]);
  expect(performance.now() - began).toBeGreaterThanOrEqual(990);
});

it('cuts one connection where it was told to', async () => {
  await using proxy = await DelayProxy.start(upstream(), { roundTripMilliseconds: 2 });
  proxy.cutAfter(1024 * 1024);
  await expect(send(proxy)).rejects.toThrow();
  expect((await send(proxy)).equals(content)).toBe(true);
});
