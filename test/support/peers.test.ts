import { expect, it } from 'vitest';
import { CountingProxy } from './counting-proxy.ts';
import { type Access, DockerRegistry } from './docker-registry.ts';
import { describeWith } from './programs.ts';
import { LOGIN, type Login } from './token-server.ts';

function basic({ username, password }: Login): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

describeWith(['docker-registry'], "Debian's docker-registry", () => {
  it('takes everyone when it is open', async () => {
    await using registry = await DockerRegistry.start();
    const answer = await fetch(`https://${registry.host}/v2/`);
    expect(answer.status).toBe(200);
  });

  it('wants the password of its user', async () => {
    await using registry = await DockerRegistry.start('htpasswd');
    const ping = (headers: Record<string, string>) => fetch(`https://${registry.host}/v2/`, { headers });
    expect((await ping({})).status).toBe(401);
    expect((await ping(basic(LOGIN))).status).toBe(200);
    expect((await ping(basic({ ...LOGIN, password: 'wrong' }))).status).toBe(401);
  });

  it('believes tokens of its own service', async () => {
    await using registry = await DockerRegistry.start('token');
    const open = (headers: Record<string, string>) =>
      fetch(`https://${registry.host}/v2/a/b/blobs/uploads/`, { method: 'POST', headers });
    const tokenFor = async (headers: Record<string, string>) => {
      const query = '?service=keel&scope=repository:a/b:pull,push';
      const answer = await fetch(`${registry.tokens?.realm}${query}`, { headers });
      const { token = '' }: { token?: string } = JSON.parse(await answer.text());
      return { status: answer.status, bearer: { authorization: `Bearer ${token}` } };
    };
    expect((await open({})).status).toBe(401);
    expect((await open((await tokenFor({})).bearer)).status).toBe(401);
    expect((await open((await tokenFor(basic(LOGIN))).bearer)).status).toBe(202);
    expect((await tokenFor(basic({ ...LOGIN, password: 'wrong' }))).status).toBe(401);
    expect(registry.tokens?.asked).toHaveLength(3);
  });

  it.each<Access>(['open', 'htpasswd', 'token'])('is seen through a counting proxy (%s)', async (access) => {
    await using registry = await DockerRegistry.start(access);
    await using proxy = await CountingProxy.start(registry);
    await fetch(`https://${proxy.host}/v2/`);
    const opened = await fetch(`https://${proxy.host}/v2/a/b/blobs/uploads/`, { method: 'POST' });
    expect(proxy.requests.map(({ method, path, status }) => `${method} ${path} ${status}`)).toEqual([
      `GET /v2/ ${access === 'open' ? 200 : 401}`,
      `POST /v2/a/b/blobs/uploads/ ${access === 'open' ? 202 : 401}`,
    ]);
    expect(proxy.writes).toEqual(['POST /v2/a/b/blobs/uploads/']);
    // An upload goes on where it was opened: through the proxy.
    if (access === 'open') expect(new URL(opened.headers.get('location') ?? '').host).toBe(proxy.host);
  });

  it('is reached by held requests only when they are released', async () => {
    await using registry = await DockerRegistry.start();
    await using proxy = await CountingProxy.start(registry);
    const hold = proxy.hold({ method: 'POST' });
    const posted = fetch(`https://${proxy.host}/v2/a/b/blobs/uploads/`, { method: 'POST' });
    await hold.reached;
    expect((await fetch(`https://${proxy.host}/v2/`)).status).toBe(200);
    expect(proxy.count({ method: 'POST', status: 0 })).toBe(1);
    hold.release();
    expect((await posted).status).toBe(202);
  });
});
