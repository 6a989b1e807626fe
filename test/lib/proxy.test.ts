import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AgentPool, proxyFor } from '../../src/lib/http/proxy.ts';

const PROXY = 'http://proxy.example:3128/';

beforeEach(() => {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'NPM_CONFIG_PROXY']) {
    vi.stubEnv(name, '');
    vi.stubEnv(name.toLowerCase(), '');
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test.each<[environment: Readonly<Record<string, string>>, url: string, proxy: string | undefined]>([
  [{}, 'https://quay.io/v2/', undefined],
  [{ HTTPS_PROXY: PROXY }, 'https://quay.io/v2/', PROXY],
  [{ https_proxy: PROXY }, 'https://quay.io/v2/', PROXY],
  [{ HTTPS_PROXY: PROXY }, 'http://quay.io/v2/', undefined],
  [{ HTTP_PROXY: PROXY }, 'http://quay.io/v2/', PROXY],
  [{ ALL_PROXY: PROXY }, 'https://quay.io/v2/', PROXY],
  [{ HTTPS_PROXY: 'https://proxy.example' }, 'https://quay.io/v2/', 'https://proxy.example/'],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: 'quay.io' }, 'https://quay.io/v2/', undefined],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: '.example,quay.io:5000' }, 'https://quay.io/v2/', PROXY],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: '*' }, 'https://quay.io/v2/', undefined],
  [{ HTTPS_PROXY: PROXY, no_proxy: '10.0.0.0/8' }, 'https://10.1.2.3/v2/', undefined],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: '10.0.0.0/8' }, 'https://11.1.2.3/v2/', PROXY],
  [{ HTTPS_PROXY: 'proxy.example:3128' }, 'https://quay.io/v2/', PROXY],
  [{ HTTP_PROXY: 'proxy.example:3128' }, 'http://quay.io/v2/', PROXY],
  [{ ALL_PROXY: 'proxy.example:3128', HTTPS_PROXY: ' ' }, 'https://quay.io/v2/', PROXY],
  [{ HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY }, 'https://localhost:5000/v2/', undefined],
  [{ HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY }, 'http://127.0.0.1:5000/v2/', undefined],
  [{ HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY }, 'http://[::1]:5000/v2/', undefined],
])('with %j the proxy for %s is %s', (environment, url, proxy) => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  expect(proxyFor(new URL(url))?.href).toBe(proxy);
});

test.each([
  ['socks5://user:hush@proxy.example', 'HTTPS_PROXY names a socks5 proxy, which is not supported'],
  ['http://user:hush@proxy example', 'HTTPS_PROXY is not the address of a proxy'],
])('%s is no proxy, and its password is not repeated', (address, message) => {
  vi.stubEnv('HTTPS_PROXY', address);
  expect(() => proxyFor(new URL('https://quay.io/v2/'))).toThrow(
    expect.objectContaining({ code: 'UNREACHABLE', about: 'quay.io', message }),
  );
});

const UNENCODED = 'the user name or password in HTTPS_PROXY has a character that must be percent-encoded';

test.each([
  'http://user:hu/sh@proxy.example:3128',
  'http://user:12/sh@proxy.example:3128',
  'http://user:12#sh@proxy.example:3128',
  'http://user:12?sh@proxy.example:3128',
  'http://user:12\\sh@proxy.example:3128',
  'http://user:hu@12/sh@proxy.example:3128',
  'http://corp/user:hush@proxy.example:3128',
  'http://user:100%hush@proxy.example',
  'https://user:/@proxy.example',
  'user:12/sh@proxy.example:3128',
])(
  '%s is told as a password that has to be percent-encoded, and neither it nor the user is repeated',
  (address) => {
    vi.stubEnv('HTTPS_PROXY', address);
    let failure: unknown;
    try {
      proxyFor(new URL('https://quay.io/v2/'));
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({
      code: 'UNREACHABLE',
      about: 'quay.io',
      message: UNENCODED,
      hint: 'write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25',
    });
  },
);

test.each(['http://user:p@ss@proxy.example:3128', 'http://user:p%2Fss@proxy.example:3128/'])(
  '%s is read as curl reads it',
  (address) => {
    vi.stubEnv('HTTPS_PROXY', address);
    expect(proxyFor(new URL('https://quay.io/v2/'))?.host).toBe('proxy.example:3128');
  },
);

describe('a pool of connections', () => {
  test('is one for each origin, straight or through the proxy for it', async () => {
    vi.stubEnv('HTTPS_PROXY', PROXY);
    vi.stubEnv('HTTP_PROXY', PROXY);
    const pool = new AgentPool(undefined);
    const [secure, plain, own] = await Promise.all(
      ['https://quay.io/a', 'http://quay.io/a', 'http://localhost:5000/a'].map((url) =>
        pool.agentFor(new URL(url)),
      ),
    );
    expect(secure).toBeInstanceOf(HttpsProxyAgent);
    expect(plain).toBeInstanceOf(HttpProxyAgent);
    expect(own).not.toBeInstanceOf(HttpProxyAgent);
    expect(await pool.agentFor(new URL('https://quay.io/b'))).toBe(secure);
    expect(await pool.agentFor(new URL('https://quay.io:8443/b'))).not.toBe(secure);
    pool.close();
  });

  test('is one also where two ask for it at the same time', async () => {
    vi.stubEnv('HTTPS_PROXY', PROXY);
    const pool = new AgentPool(undefined);
    const url = new URL('https://quay.io/a');
    const [one, other] = await Promise.all([pool.agentFor(url), pool.agentFor(url)]);
    expect(one).toBe(other);
    pool.close();
  });
});
