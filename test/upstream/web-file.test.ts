import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpClient, readBody } from '../../src/lib/http/http.ts';
import { openWebFile } from '../../src/upstream/fetch/web-file.ts';
import { FileServer } from '../support/file-server.ts';

describe('openWebFile', () => {
  const { signal } = new AbortController();
  let server: FileServer;
  let http: HttpClient;

  beforeEach(async () => {
    server = await FileServer.start();
    http = new HttpClient();
  });
  afterEach(async () => {
    http.close();
    await server[Symbol.asyncDispose]();
  });

  it('returns the answer that a redirect leads to', async () => {
    server.put('/other', 'content');
    const url = server.put('/file', '', { kind: 'redirect', to: '/other' });
    const answer = await openWebFile({ http, url, expected: [200], signal });
    expect((await readBody(answer, 100))?.toString()).toBe('content');
  });

  it.each([
    [401, 'DENIED', false],
    [403, 'DENIED', false],
    [404, 'NOT_FOUND', false],
    [410, 'NOT_FOUND', false],
    [400, 'SERVER_REFUSED', false],
    [408, 'SERVER_REFUSED', true],
    [425, 'SERVER_REFUSED', true],
    [429, 'RATE_LIMITED', true],
    [500, 'SERVER_BROKEN', true],
    [501, 'SERVER_BROKEN', false],
    [503, 'SERVER_BROKEN', true],
    [522, 'SERVER_BROKEN', true],
  ])('a status %i is %s, transient: %s', async (status, code, transient) => {
    const url = server.put('/file', '', { kind: 'status', status });
    await expect(openWebFile({ http, url, expected: [200], signal })).rejects.toMatchObject({
      code,
      about: url.href,
      message: `answered with status ${status}`,
      status,
      transient,
    });
  });

  it('names the server that a redirect led to, and shows no secret of an address', async () => {
    await using other = await FileServer.start();
    const target = other.put('/file', '', { kind: 'status', status: 403 });
    const url = server.put('/file?token=secret', '', { kind: 'redirect', to: target.href });
    const failure: unknown = await openWebFile({ http, url, expected: [200], signal }).catch(
      (error) => error,
    );
    expect(failure).toMatchObject({ message: `answered by ${target.host} with status 403` });
    expect(inspect(failure, { depth: 9 })).not.toContain('secret');
  });

  it.each([401, 403, 404, 410, 400, 429, 500, 503])('a status %i is told with what to do', async (status) => {
    const url = server.put('/file', '', { kind: 'status', status });
    await expect(openWebFile({ http, url, expected: [200], signal })).rejects.toMatchObject({
      hint: expect.stringMatching(/^(?:check|try)/),
    });
  });

  it('a host that a redirect leads to and nobody reaches is told with the one that led there', async () => {
    const gone = await FileServer.start();
    const target = gone.put('/store/1', '');
    await gone[Symbol.asyncDispose]();
    const url = server.put('/v1/kubelet', '', { kind: 'redirect', to: target.href });
    await expect(openWebFile({ http, url, expected: [200], signal })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      about: target.host,
      message: `the connection was refused; ${url.host} redirects to it`,
    });
  });
});
