import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { expect, it } from 'vitest';
import { HttpClient, readBody } from '../../src/lib/http/http.ts';

const SIZE = 5 * 1024 * 1024;
const calm = new AbortController().signal;

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server did not start');
  return address.port;
}

// Each piece is kept until all have come: if the memory that a connection reads into were what is passed on, later
// pieces would stand in the place of earlier ones.
it.each([
  ['http', 'with its length', true],
  ['http', 'in chunks', false],
  ['https', 'with its length', true],
  ['https', 'in chunks', false],
] as const)('%s: keeps what came first while more comes, %s', async (scheme, _, tellsLength) => {
  const body = randomBytes(SIZE);
  const tls = { key: fixture('server-key.pem'), cert: fixture('server.pem') };
  const server = scheme === 'https' ? createHttpsServer(tls) : createHttpServer();
  server.on('request', (_request, response) => {
    if (tellsLength) response.setHeader('content-length', SIZE);
    for (let start = 0; start < SIZE; start += 300_000) response.write(body.subarray(start, start + 300_000));
    response.end();
  });
  const url = new URL(`${scheme}://127.0.0.1:${await portOf(server)}/`);
  const client = new HttpClient({ authorities: [fixture('authority.pem')] });
  try {
    // Several at a time, and then on connections that were used before.
    for (let round = 0; round < 2; round += 1) {
      const answers = await Promise.all(
        [1, 2, 3].map(() => client.send({ method: 'GET', url, headers: {}, signal: calm })),
      );
      const bodies = await Promise.all(answers.map((answer) => readBody(answer, SIZE)));
      for (const found of bodies) expect(found?.equals(body)).toBe(true);
    }
  } finally {
    client.close();
    server.closeAllConnections();
    server.close();
  }
});
