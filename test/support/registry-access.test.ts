import { describe, expect, it } from 'vitest';
import { ask } from './registry/ask.ts';
import { startRegistry, type TestRegistry } from './registry/registry.ts';
import { seedImage } from './registry/seed.ts';

const USERS = { keel: 'secret' };
const BASIC = `Basic ${Buffer.from('keel:secret').toString('base64')}`;

async function tokenFor(registry: TestRegistry, scope: string, authorization?: string): Promise<string> {
  const headers = authorization === undefined ? {} : { authorization };
  const answer = await ask(registry, `/token?service=test-registry&scope=${scope}`, { headers });
  const { token }: { token: string } = JSON.parse(await answer.text());
  return `Bearer ${token}`;
}

describe('the guard of a test registry', () => {
  it('looks at the scopes of tokens, their age and whether they were revoked', async () => {
    await using registry = await startRegistry({ access: { mode: 'bearer', users: USERS, expiresIn: 300 } });
    seedImage(registry.storage, 'app', { tags: ['1.0'] });
    const challenge = await ask(registry, '/v2/');
    expect(challenge.headers.get('www-authenticate')).toContain(`Bearer realm="${registry.url}/token"`);
    expect((await ask(registry, '/token?scope=repository:app:pull')).status).toBe(401);
    const list = async (authorization: string, path = '/v2/app/tags/list') =>
      (await ask(registry, path, { headers: { authorization } })).status;
    const token = await tokenFor(registry, 'repository:app:pull', BASIC);
    expect(await list(token)).toBe(200);
    expect(await list(token, '/v2/other/tags/list')).toBe(401);
    registry.advanceTokens(301_000);
    expect(await list(token)).toBe(401);
    const second = await tokenFor(registry, 'repository:app:pull', BASIC);
    expect(await list(second)).toBe(200);
    registry.revokeTokens();
    expect(await list(second)).toBe(401);
  });

  it('lets anyone read where the options say so, and nobody write', async () => {
    await using registry = await startRegistry({
      access: { mode: 'bearer', users: USERS, anonymousPull: true },
    });
    seedImage(registry.storage, 'app', { tags: ['1.0'] });
    const authorization = await tokenFor(registry, 'repository:app:pull,push');
    expect((await ask(registry, '/v2/app/tags/list', { headers: { authorization } })).status).toBe(200);
    const post = { method: 'POST', headers: { authorization } };
    expect((await ask(registry, '/v2/app/blobs/uploads/', post)).status).toBe(401);
  });
});
