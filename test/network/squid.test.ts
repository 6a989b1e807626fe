import { afterAll, beforeAll, expect } from 'vitest';
import { Desk } from '../support/built-synctl.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedIndex } from '../support/registry/seed.ts';
import { PROXY_LOGIN, Squid } from '../support/squid.ts';
import { HOSTS, HOSTS_AUTHORITY_FILE } from '../support/test-authority.ts';
import { LOGIN } from '../support/token-server.ts';
import { describeTrials } from '../support/trials.ts';

describeTrials('squid', [], (trial) => {
  let source: TestRegistry;

  beforeAll(async () => {
    source = await startRegistry({ tls: HOSTS, access: PUBLIC_TOKENS });
    seedIndex(source.storage, 'app', { tags: ['v1'], layers: [3000, 2_000_000] });
  });

  afterAll(() => source.close());

  /** Returns a registry and a desk from which both sides are reached by the names that only squid knows. */
  async function outside() {
    const stack = new AsyncDisposableStack();
    const sink = stack.use(await startRegistry({ tls: HOSTS, access: TOKENS }));
    const desk = new Desk(LOGIN);
    desk.write('image_set.json', { names: ['app'] });
    const named = ({ host }: TestRegistry): string => host.replace('127.0.0.1', 'registry.test');
    const route = ['--source', named(source), '--push-to', named(sink), '--push-ns', 'mirror'];
    return {
      sink,
      desk,
      sync: (...flags: string[]) => desk.run('sync', ...route, '--ca-file', HOSTS_AUTHORITY_FILE, ...flags),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  }

  trial('both registries are reached through it with its login, and no secret is shown', async () => {
    await using squid = await Squid.start({ names: ['registry.test'], wantsLogin: true });
    await using here = await outside();
    here.desk.set('HTTPS_PROXY', squid.urlFor(PROXY_LOGIN));
    expect(await here.sync()).toMatchObject({ code: 0, stderr: '' });
    expect([...here.sink.storage.repository('mirror/app').tags.keys()]).toEqual(['v1']);
  });

  trial('without that login neither is reached, and the message names the proxy', async () => {
    await using squid = await Squid.start({ names: ['registry.test'], wantsLogin: true });
    await using here = await outside();
    here.desk.set('HTTPS_PROXY', squid.url);
    const said = await here.sync();
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(`the proxy ${squid.host} requires a login`);
    expect(said.stderr).toContain(
      'write a user name, ":", a password and "@" before its host in HTTPS_PROXY',
    );
    expect(here.sink.journal.entries).toEqual([]);
  });

  trial(
    'with a wrong password neither is reached, and the message says that the password was refused',
    async () => {
      await using squid = await Squid.start({ names: ['registry.test'], wantsLogin: true });
      await using here = await outside();
      here.desk.set('HTTPS_PROXY', squid.urlFor({ ...PROXY_LOGIN, password: 'another' }));
      const said = await here.sync();
      expect(said.code).toBe(1);
      expect(said.stderr).toContain(`the proxy ${squid.host} refused the name and password in HTTPS_PROXY`);
      expect(said.stderr).not.toContain('another');
    },
  );

  trial('a host that it denies is reported as denied', async () => {
    await using squid = await Squid.start({ names: ['registry.test'], denied: ['registry.test'] });
    await using here = await outside();
    here.desk.set('HTTPS_PROXY', squid.url);
    const said = await here.sync();
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(`the proxy ${squid.host} refused the tunnel to registry.test:`);
    expect(said.stderr).toContain('let the proxy allow registry.test');
  });

  trial('a name that it does not know either is reported as unknown', async () => {
    await using squid = await Squid.start({ names: [] });
    await using here = await outside();
    here.desk.set('HTTPS_PROXY', squid.url);
    const said = await here.sync();
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(`the proxy ${squid.host} did not reach registry.test:`);
    expect(said.stderr).toContain('check the name and port');
  });

  trial('if it is down, the message names it and not the registry', async () => {
    const squid = await Squid.start({ names: ['registry.test'] });
    await squid[Symbol.asyncDispose]();
    await using here = await outside();
    here.desk.set('HTTPS_PROXY', squid.url);
    const said = await here.sync();
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(`its proxy ${squid.host} cannot be used: the connection was refused`);
  });
});
