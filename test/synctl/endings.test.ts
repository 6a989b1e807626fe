import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { keptBy, watchedToItsEnd } from '../support/processes.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { type RegistryOptions, startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { HOSTS, HOSTS_AUTHORITY_FILE } from '../support/test-authority.ts';
import { LOGIN, loginVariables } from '../support/token-server.ts';

const PROGRAM = fileURLToPath(new URL('../../src/synctl.ts', import.meta.url));
let stack = new AsyncDisposableStack();

afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

interface World {
  readonly source: TestRegistry;
  readonly sink: TestRegistry;
  readonly environment: Readonly<Record<string, string>>;
  readonly flags: string[];
}

const portOf = ({ url }: TestRegistry): string => new URL(url).port;

/** A source with an image, and a destination, both known by name. */
async function world(options: RegistryOptions): Promise<World> {
  const source = stack.use(await startRegistry({ ...options, access: PUBLIC_TOKENS }));
  const sink = stack.use(await startRegistry({ ...options, access: TOKENS }));
  seedImage(source.storage, 'app', { tags: ['1.0'], layers: [1000, 3_000_000] });
  const hosts = [`registry.test:${portOf(source)}`, `uploads.test:${portOf(sink)}`];
  const insecure = options.tls === false ? hosts.flatMap((host) => ['--insecure-registry', host]) : [];
  const [from = '', to = ''] = hosts;
  return {
    source,
    sink,
    environment: loginVariables(LOGIN),
    flags: ['--source', from, '--push-to', to, '--ca-file', HOSTS_AUTHORITY_FILE, ...insecure],
  };
}

async function behindProxy(options: RegistryOptions): Promise<World> {
  const plain = await world(options);
  const proxy = stack.use(
    await ForwardProxy.start({
      [`registry.test:${portOf(plain.source)}`]: plain.source.url,
      [`uploads.test:${portOf(plain.sink)}`]: plain.sink.url,
    }),
  );
  return { ...plain, environment: { ...plain.environment, HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url } };
}

/** A source whose layers are in a store at another host. */
async function withStore(): Promise<World> {
  const here = await world({ tls: HOSTS });
  const store = stack.use(await startRegistry({ tls: HOSTS, storage: here.source.storage }));
  const location = ({ pathname }: URL): string => `https://storage.test:${portOf(store)}${pathname}`;
  here.source.fail({ match: { kind: 'blob-get' }, times: Infinity, fault: { kind: 'redirect', location } });
  return here;
}

/** A proxy that takes connections, and never says a word. */
async function behindSilence(): Promise<World> {
  const plain = await world({ tls: HOSTS });
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  stack.defer(() => void silent.close());
  const address = silent.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;
  return { ...plain, environment: { ...plain.environment, HTTPS_PROXY: `http://127.0.0.1:${port}` } };
}

/** Mirrors, or does something else, in a process of its own. Returns its exit code, and what would have kept it when its work was done. */
async function mirror(
  { environment, flags }: World,
  command: readonly string[] = ['sync'],
): Promise<{ code: number; kept: string[]; told: string }> {
  const folder = scratchFolder();
  const end = join(folder, 'end.json');
  const told = join(folder, 'told.txt');
  const set = join(folder, 'image_set.json');
  writeFileSync(set, JSON.stringify({ names: ['app'] }));
  const patience = ['--retry', '2', '--retry-interval', '5ms'];
  const files = ['--image-set', set, '--db', join(folder, 'state.db')];
  const { PATH = '' } = process.env;
  const output = openSync(told, 'w');
  const child = spawn(
    process.execPath,
    [...watchedToItsEnd(PROGRAM), ...command, ...files, ...patience, ...flags],
    {
      env: { PATH, HOME: folder, ...environment, KEEL_TEST_END: end },
      // Pipes would keep it for a moment of their own.
      stdio: ['ignore', output, output],
    },
  );
  const [code] = await once(child, 'exit');
  const said = readFileSync(told, 'utf8');
  return { code: Number(code), kept: existsSync(end) ? keptBy(end) : ['all'], told: said };
}

it.each<[name: string, open: () => Promise<World>]>([
  ['plain HTTP', () => world({ tls: false })],
  ['TLS', () => world({ tls: HOSTS })],
  ['TLS through a proxy', () => behindProxy({ tls: HOSTS })],
  ['plain HTTP through a proxy', () => behindProxy({ tls: false })],
  ['TLS and redirects to a store', withStore],
])('nothing keeps the process after a mirror over %s', async (_name, open) => {
  const { code, kept, told } = await mirror(await open());
  expect([code, kept], told).toEqual([0, []]);
});

it.each([[['doctor']], [['check', 'app:1.0']]])(
  'nothing keeps the process after %j over TLS',
  async (command) => {
    for (const here of [await world({ tls: HOSTS }), await behindProxy({ tls: HOSTS })]) {
      await mirror(here);
      const { code, kept, told } = await mirror(here, command);
      expect([code, kept], told).toEqual([0, []]);
    }
  },
);

it.each<[name: string, options: RegistryOptions]>([
  ['plain HTTP', { tls: false }],
  ['TLS', { tls: HOSTS }],
])(
  'nothing keeps the process after answers that came before a layer was through, over %s',
  async (_, options) => {
    const here = await world(options);
    const early = { kind: 'status', status: 500, early: true } as const;
    const struck = here.sink.fail({ match: { kind: 'upload-put' }, fault: early });
    const { code, kept, told } = await mirror(here);
    expect([code, kept, struck.hits], told).toEqual([0, [], 1]);
  },
);

it.each<[name: string, open: () => Promise<World>]>([
  ['an endless layer', async () => withSilence(await world({ tls: HOSTS }), 'blob-get')],
  ['an upload', async () => withSilence(await world({ tls: HOSTS }), 'upload-put')],
  ['the first request', async () => withSilence(await world({ tls: HOSTS }), 'ping')],
  ['a tunnel', () => behindSilence()],
])('nothing keeps the process after its time was over during %s', async (_name, open) => {
  const here = await open();
  const { code, kept, told } = await mirror({ ...here, flags: [...here.flags, '--command-timeout', '1s'] });
  expect([code, kept], told).toEqual([1, []]);
});

it.each<[name: string, open: () => Promise<World>]>([
  ['the other is silent', async () => withSilence(await world({ tls: HOSTS }), 'ping')],
  ['the proxy to the other is silent', () => behindSilence()],
])('nothing keeps the process after a registry was not reached while %s', async (_name, open) => {
  const here = await open();
  // Where a further attempt is left, the one that is silent is waited for.
  const closed = ['--push-to', '127.0.0.1:1', '--insecure-registry', '127.0.0.1:1', '--retry', '1'];
  const { code, kept, told } = await mirror({ ...here, flags: [...here.flags, ...closed] });
  expect([code, kept], told).toEqual([1, []]);
});

function withSilence(here: World, kind: 'ping' | 'blob-get' | 'upload-put'): World {
  const fault =
    kind === 'blob-get' ? ({ kind: 'silence', afterBytes: 100 } as const) : ({ kind: 'silence' } as const);
  for (const registry of [here.source, here.sink]) registry.fail({ match: { kind }, times: Infinity, fault });
  return here;
}
