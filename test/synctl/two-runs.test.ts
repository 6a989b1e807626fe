import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Desk } from '../support/built-synctl.ts';
import { CountingProxy } from '../support/counting-proxy.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { LOGIN } from '../support/token-server.ts';

const BUSY =
  'error: DB: another run is using this state file ' +
  '(wait until the other run has ended, or give each run its own file with --db)\n';

/** A folder with a state, and a destination whose answers can be held back. */
async function world() {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  const proxy = stack.use(await CountingProxy.start(destination));
  seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
  const route = new SyncRoute({
    source,
    destination: { host: proxy.host, login: LOGIN },
    set: { names: ['pause'] },
  });
  const desk = new Desk(LOGIN);
  desk.write('image_set.json', { names: ['pause'] });
  const flags = ['--source', source.host, '--push-to', proxy.host, '--push-ns', 'keel'];
  const run = async (command: string, ...line: string[]) => {
    const { code, stderr } = await desk.run(command, '--db', route.database, ...flags, ...line);
    return { code, stderr: stderr.replaceAll(route.database, 'DB') };
  };
  const hold = () => proxy.hold({ method: 'PUT', path: /\/manifests\/3\.10$/ });
  return { route, run, hold, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it('of two runs on one --db the second is refused, and what only reads is not', async () => {
  await using all = await world();
  const { route, run, hold } = all;
  const held = hold();
  const first = run('sync');
  await Promise.race([held.reached, first]);
  expect(await run('sync')).toEqual({ code: 1, stderr: BUSY });
  expect(await run('sync', '--dry-run')).toEqual({ code: 0, stderr: '' });
  expect(await run('sum')).toEqual({ code: 0, stderr: '' });
  expect(await run('check', 'pause:3.10')).toEqual({ code: 1, stderr: '' });
  expect((await run('sync', '--state', 'registry')).stderr).toBe(BUSY);
  held.release();
  expect((await first).code).toBe(0);
  expect(await run('sync')).toEqual({ code: 0, stderr: '' });
  expect(readdirSync(route.folder).toSorted()).toEqual(['image_set.json', 'sync.bolt.db']);
});

it('a run that was killed keeps nobody from its --db', async () => {
  await using all = await world();
  const { route, run, hold } = all;
  const held = hold();
  const first = route.start();
  await first.until(held.reached);
  expect(await run('sync')).toEqual({ code: 1, stderr: BUSY });
  first.kill('SIGKILL');
  expect((await first.end()).code).toBe('SIGKILL');
  held.release();
  expect(await run('sync')).toEqual({ code: 0, stderr: '' });
  expect(readdirSync(route.folder)).not.toContain('sync.bolt.db.lock');
});

it('a run that ends with an error keeps nobody from its --db', async () => {
  await using all = await world();
  expect((await all.run('sync', '--source', '127.0.0.1:1')).code).toBe(1);
  expect(await all.run('sync')).toEqual({ code: 0, stderr: '' });
  expect(readdirSync(all.route.folder).toSorted()).toEqual(['image_set.json', 'sync.bolt.db']);
});
