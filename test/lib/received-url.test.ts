import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HttpClient, readBody } from '../../src/lib/http/http.ts';
import { ReceivedUrl, requestTarget, withParameter } from '../../src/lib/http/received-url.ts';
import { followAddress } from '../../src/lib/http/redirect.ts';
import { pushBlob } from '../../src/registry/blob/blob-push.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { originOf } from '../support/file-server.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const BASE = new URL('https://a.example/v2/app?n=1');
/** Of a store that signs the address as it writes it. */
const SIGNED = `/s/it's/a|b?sig='a"b'&name={x}^y%27&plain=a+b%20c`;

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('what is asked for at an address that a server gave is what it wrote', () => {
  it.each([
    [`https://b.example${SIGNED}`, SIGNED],
    [SIGNED, SIGNED],
    [`//b.example/it's`, "/it's"],
    ["?last=it's", "/v2/app?last=it's"],
    ['https://b.example', '/'],
    ["https://b.example?x='", "/?x='"],
    ["/a#it's", '/a'],
    [' /a?b ', '/a?b'],
    ['/a?', '/a?'],
    // Only what cannot stand in a request is encoded, byte by byte.
    ['/a b?c d', '/a%20b?c%20d'],
    ['/caf\u00c3\u00a9', '/caf%C3%A9'],
    ['/\ud800', '/%EF%BF%BD'],
    // What depends on the address before it is resolved.
    ["next?x='", "/v2/next?x='"],
    ["../b?x='", "/b?x='"],
    ["/a/../b?x='", "/b?x='"],
    ["/a/%2e%2e/b?x='", "/b?x='"],
    ["/a\\b?x='", "/a/b?x='"],
  ])('%s: %s', (address, expected) => {
    expect(requestTarget(new ReceivedUrl(address, BASE))).toBe(expected);
    expect(requestTarget(followAddress(BASE, address, BASE))).toBe(expected);
  });

  it.each([
    ["/a?x='", "/a?x='&digest=1"],
    ["/it's", "/it's?digest=1"],
    ['//b.example//a', '//a?digest=1'],
  ])('and with a parameter more: %s', (address, expected) => {
    const longer = withParameter(new ReceivedUrl(address, BASE), 'digest=1');
    expect(requestTarget(longer)).toBe(expected);
    expect(longer.host).toBe(new ReceivedUrl(address, BASE).host);
  });
});

/** A registry that names signed addresses, and writes down what it is asked for. */
async function world() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    request.once('end', () => {
      const { url = '', method } = request;
      if (url.startsWith('/v2/app/blobs/sha256:')) response.writeHead(307, { location: SIGNED }).end();
      else if (method === 'POST') response.writeHead(202, { location: `/upload${SIGNED}` }).end();
      else if (method === 'PUT') response.writeHead(201).end();
      else if (url.startsWith('/v2/app/tags')) {
        const link = url.includes('last') ? {} : { link: `</v2/app/tags/list?last=it's>; rel="next"` };
        response.writeHead(200, link).end(JSON.stringify({ tags: [url.includes('last') ? 'b' : 'a'] }));
      } else response.end('layer');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { asked, origin: originOf(server), [Symbol.dispose]: close };
}

it('a signed address is asked for as it was received: redirects, uploads, next pages', async () => {
  using here = await world();
  using client = new TestClient(parseHost(new URL(here.origin).host), { attempts: 1 });
  const { registry, signal } = client;
  await registry.ping();
  const descriptor = { digest: digestOf(Buffer.from('layer')), size: 5 };
  await readBody(await registry.openBlob(APP, descriptor, signal), 100);
  await registry.listTags(APP, signal);
  await pushBlob({
    registry,
    repository: APP,
    descriptor,
    sources: () => [{ about: 'here', open: async () => Readable.from([Buffer.from('layer')]) }],
    isAbsent: true,
    signal,
  });
  expect(here.asked.filter((line) => line.includes("'"))).toEqual([
    `GET ${SIGNED}`,
    "GET /v2/app/tags/list?last=it's",
    `PUT /upload${SIGNED}&digest=${encodeURIComponent(descriptor.digest)}`,
  ]);
});

it('a proxy gets the address as it was received', async () => {
  await using proxy = await ForwardProxy.start({});
  vi.stubEnv('HTTP_PROXY', proxy.url);
  for (const name of ['http_proxy', 'NO_PROXY', 'no_proxy']) vi.stubEnv(name, '');
  const client = new HttpClient();
  const url = new ReceivedUrl(SIGNED, new URL('http://a.example:8080/'));
  const { signal } = new AbortController();
  await readBody(await client.send({ method: 'GET', url, headers: {}, signal }), 100);
  client.close();
  expect(proxy.asked).toEqual([`GET http://a.example:8080${SIGNED}`]);
});
