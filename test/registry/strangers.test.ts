import { describe, expect, it } from 'vitest';
import { parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import type { Access } from '../support/registry/access.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { findSecrets } from '../support/secret-search.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const TAG = parseTag('1.0');
const LOGIN = { username: 'keel', password: 'for the registry alone' };
const BEARER: Access = { mode: 'bearer', users: { keel: LOGIN.password } };

function heard(by: TestRegistry) {
  const told = by.journal.entries.map(
    ({ path, query, headers }) => `${path}?${query} ${JSON.stringify(headers)}`,
  );
  const credentials = by.journal.entries.filter(
    ({ headers: { authorization, cookie } }) => authorization !== undefined || cookie !== undefined,
  );
  return { credentials, found: findSecrets('the stranger', told.join('\n'), { password: LOGIN.password }) };
}

describe('what someone else asks for', () => {
  it.each(['Bearer realm="REALM/token",service="x"', 'Basic realm="give it to me"'])(
    'after a redirected ping is not answered: %s',
    async (challenge) => {
      await using stranger = await startRegistry();
      await using server = await startRegistry({ access: BEARER });
      seedImage(server.storage, 'app', { tags: ['1.0'] });
      server.fail({
        match: { kind: 'ping' },
        times: Infinity,
        fault: { kind: 'redirect', location: `${stranger.url}/v2/` },
      });
      stranger.fail({
        match: { kind: 'ping' },
        times: Infinity,
        fault: {
          kind: 'status',
          status: 401,
          headers: { 'www-authenticate': challenge.replace('REALM', stranger.url) },
        },
      });
      using client = new TestClient(server.host, { login: LOGIN, attempts: 1 });
      // The registry's own challenge, at the first request that it answers itself, is the one that counts.
      expect((await client.registry.findManifest(APP, TAG, client.signal)) === undefined).toBe(false);
      expect(stranger.journal.count('ping')).toBe(1);
      expect(heard(stranger)).toEqual({ credentials: [], found: [] });
    },
  );
});

describe('what signs an address', () => {
  it('is not repeated where the storage repeats it in an error', async () => {
    await using stranger = await startRegistry();
    await using server = await startRegistry({ access: BEARER });
    const query = 'X-Amz-Credential=AKIA%2F20260101&X-Amz-Signature=0123456789abcdef&n=5';
    server.fail({
      match: { kind: 'manifest-get' },
      times: Infinity,
      fault: { kind: 'redirect', location: `${stranger.url}/v2/app/manifests/1.0?${query}` },
    });
    const body = `The request ${query} is signed with 0123456789abcdef by AKIA/20260101`;
    stranger.fail({ match: {}, times: Infinity, fault: { kind: 'status', status: 403, body } });
    using client = new TestClient(server.host, { login: LOGIN, attempts: 1 });
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      message: expect.stringMatching(
        /The request X-Amz-Credential=\*\*\*&X-Amz-Signature=…&n=5 is signed with \*\*\* by \*\*\*$/,
      ),
    });
    expect(heard(stranger)).toEqual({ credentials: [], found: [] });
  });
});
