import { afterEach, describe, expect, test, vi } from 'vitest';
import { proxyRefusal } from '../../src/lib/http/proxy-refusal.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a proxy that lets nothing through is told', () => {
  test.each<[url: string, status: number, told: object]>([
    [
      'https://quay.io/v2/',
      407,
      {
        message: 'the proxy proxy.example:3128 refused the name and password in HTTPS_PROXY, status 407',
        hint: 'correct them, and percent-encode special characters, such as @ as %40, or name quay.io in NO_PROXY if it needs no proxy',
        transient: false,
      },
    ],
    [
      'http://quay.io:5000/v2/',
      407,
      {
        message: 'the proxy proxy.example:3128 refused the name and password in HTTP_PROXY, status 407',
        hint: 'correct them, and percent-encode special characters, such as @ as %40, or name quay.io in NO_PROXY if it needs no proxy',
        transient: false,
      },
    ],
    [
      'https://quay.io/v2/',
      403,
      {
        message: 'the proxy proxy.example:3128 refused the tunnel to quay.io, status 403',
        hint: 'let the proxy allow quay.io, check HTTPS_PROXY, or name quay.io in NO_PROXY if it needs no proxy',
        transient: false,
      },
    ],
    [
      'https://quay.io/v2/',
      500,
      {
        message: 'the proxy proxy.example:3128 did not reach quay.io, status 500',
        hint: 'check the name and port, and whether the proxy may connect to them, or name quay.io in NO_PROXY if it needs no proxy',
        transient: true,
      },
    ],
    [
      'https://quay.io/v2/',
      503,
      {
        message: 'the proxy proxy.example:3128 did not reach quay.io, status 503',
        hint: 'check the name and port, and whether the proxy may connect to them, or name quay.io in NO_PROXY if it needs no proxy',
        transient: true,
      },
    ],
  ])('%s, status %i', (url, status, told) => {
    vi.stubEnv('HTTPS_PROXY', 'http://user:hush@proxy.example:3128');
    vi.stubEnv('HTTP_PROXY', 'http://user:hush@proxy.example:3128');
    vi.stubEnv('NO_PROXY', '');
    const failure = proxyRefusal(new URL(url), status);
    expect(failure).toMatchObject({ code: 'PROXY_REFUSED', about: new URL(url).host, ...told });
    expect(`${failure.message} ${failure.hint}`).not.toContain('hush');
  });

  test('and wants a login that the variable does not have', () => {
    vi.stubEnv('HTTPS_PROXY', 'http://proxy.example:3128');
    vi.stubEnv('NO_PROXY', '');
    expect(proxyRefusal(new URL('https://quay.io/v2/'), 407)).toMatchObject({
      message: 'the proxy proxy.example:3128 requires a login, status 407',
      hint: 'write a user name, ":", a password and "@" before its host in HTTPS_PROXY, or name quay.io in NO_PROXY if it needs no proxy',
    });
  });
});
