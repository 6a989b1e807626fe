import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { packerOfFile } from '../support/built-packer.ts';
import { FileServer } from '../support/file-server.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { Kodo } from '../support/kodo/kodo.ts';
import { keptBy, watchedToItsEnd } from '../support/processes.ts';
import { publishingEnvironment } from '../support/publishing-environment.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import type { FaultRule } from '../support/registry/faults.ts';
import { type RegistryOptions, startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage } from '../support/registry/seed.ts';
import { ReleaseService } from '../support/release-service.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { AUTHORITY_FILE, HOSTS, HOSTS_AUTHORITY_FILE } from '../support/test-authority.ts';
import { LOGIN } from '../support/token-server.ts';

const NAME = 'kube-1.37.1-amd64.tar.gz';
const PROGRAM = Buffer.alloc(300_000, 'a program. ');
const packer = packerOfFile();
let stack: AsyncDisposableStack;

beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

interface Setting extends RegistryOptions {
  /** Whether the way leads through a proxy; a silent one takes connections, and never says a word. */
  readonly proxy?: 'passes' | 'silent';
  /** Whether layers are in a store at another host. */
  readonly hasStore?: boolean;
}

const sha256 = (content: Buffer): string => digestHex(digestOf(content));
const portOf = (url: string): string => new URL(url).port;

/** A registry with an image and a web server with a component, both known by name, and a folder that wants them. */
class World {
  readonly folder = scratchFolder();
  readonly registry: TestRegistry;
  readonly web: FileServer;
  readonly #host: string;
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(
    registry: TestRegistry,
    web: FileServer,
    environment: Readonly<Record<string, string>>,
  ) {
    this.registry = registry;
    this.web = web;
    this.#host = `registry.test:${portOf(registry.url)}`;
    this.#environment = environment;
    seedImage(registry.storage, 'app', { tags: ['1.0'], layers: [1000, 3_000_000] });
    web.put('/tool', PROGRAM);
    web.put('/tool.sha256', `${sha256(PROGRAM)}  tool\n`);
    const { protocol, port } = new URL(web.origin);
    const uri = `${protocol}//storage.test:${port}/tool`;
    // What comes over plain HTTP has to be pinned.
    const pin = protocol === 'http:' ? { sha256: sha256(PROGRAM) } : {};
    const versions = {
      images: [{ name: 'app', tag: '1.0', image: `${this.#host}/app` }],
      components: [{ name: 'tool', tag: '1.0', uri, path: 'tools/tool', ...pin }],
    };
    writeFileSync(join(this.folder, 'versions.json'), JSON.stringify(versions));
  }

  static async open({ proxy, hasStore, ...options }: Setting = {}): Promise<World> {
    const registry = stack.use(await startRegistry({ access: PUBLIC_TOKENS, tls: HOSTS, ...options }));
    if (hasStore === true) {
      const store = stack.use(await startRegistry({ tls: HOSTS, storage: registry.storage }));
      const location = ({ pathname }: URL): string => `https://storage.test:${portOf(store.url)}${pathname}`;
      registry.fail({ match: { kind: 'blob-get' }, times: Infinity, fault: { kind: 'redirect', location } });
    }
    const web = stack.use(await FileServer.start(options.tls === false ? undefined : HOSTS));
    if (proxy === undefined) return new World(registry, web, {});
    const url = proxy === 'silent' ? await silence() : await proxyTo(registry, web);
    return new World(registry, web, { HTTPS_PROXY: url, HTTP_PROXY: url });
  }

  fail(kind: RequestKind, fault: FaultRule['fault']): void {
    this.registry.fail({ match: { kind }, times: Infinity, fault });
  }

  pack(line: readonly string[] = [], circumstances?: Circumstances): Promise<End> {
    const folders = ['--output', '.', '--image-output', 'images', '--download-output', 'downloads'];
    const from = ['--kube-version', '1.37.1', '--image-source', 'upstream'];
    const isPlain = this.registry.url.startsWith('http:');
    const trust = isPlain ? ['--insecure-registry', this.#host] : ['--ca-file', HOSTS_AUTHORITY_FILE];
    return this.run([...from, ...folders, ...trust, ...line], circumstances);
  }

  /** Runs the built packer to its end. It gets a signal when it is time. */
  async run(line: readonly string[], { environment = {}, signal, time }: Circumstances = {}): Promise<End> {
    const beside = scratchFolder();
    const [end, told] = [join(beside, 'end.json'), join(beside, 'told.txt')];
    const { PATH = '' } = process.env;
    const output = openSync(told, 'w');
    const patience = ['--retry', '2', '--retry-interval', '5ms'];
    const child = spawn(process.execPath, [...watchedToItsEnd(packer.program), ...line, ...patience], {
      cwd: this.folder,
      env: { PATH, HOME: beside, ...this.#environment, ...environment, KEEL_TEST_END: end },
      // Pipes would keep it for a moment of their own.
      stdio: ['ignore', output, output],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const exit = once(child, 'exit');
    if (signal !== undefined) {
      await Promise.race([time, exit]);
      child.kill(signal);
    }
    const [code] = await exit;
    return {
      code: Number(code),
      kept: existsSync(end) ? keptBy(end) : ['all'],
      told: readFileSync(told, 'utf8'),
    };
  }
}

interface Circumstances {
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: NodeJS.Signals;
  readonly time?: Promise<unknown>;
}

/** How a process ended, and what would have kept it when its work was done. */
interface End {
  readonly code: number;
  readonly kept: readonly string[];
  readonly told: string;
}

async function silence(): Promise<string> {
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  stack.defer(() => void silent.close());
  const address = silent.address();
  return `http://127.0.0.1:${address === null || typeof address === 'string' ? 0 : address.port}`;
}

async function proxyTo({ url }: TestRegistry, { origin }: FileServer): Promise<string> {
  const routes = { [`registry.test:${portOf(url)}`]: url, [`storage.test:${portOf(origin)}`]: origin };
  return stack.use(await ForwardProxy.start(routes)).url;
}

it.each<[name: string, setting: Setting]>([
  ['plain HTTP', { tls: false }],
  ['TLS', {}],
  ['TLS through a proxy', { proxy: 'passes' }],
  ['plain HTTP through a proxy', { tls: false, proxy: 'passes' }],
  ['TLS and redirects to a store', { hasStore: true }],
])('nothing keeps the process after a package was made over %s', async (_name, setting) => {
  const world = await World.open(setting);
  const first = await world.pack(['--command-timeout', '1m']);
  expect([first.code, first.kept], first.told).toEqual([0, []]);
  expect(existsSync(join(world.folder, NAME))).toBe(true);
  const again = await world.pack();
  expect([again.code, again.kept], again.told).toEqual([0, []]);
});

it.each<[name: string, line: string[], code: number]>([
  ['a dry run', ['--dry-run'], 0],
  ['its version', ['--version'], 0],
  ['a flag that is wrong', ['--arch', 'amd65'], 2],
  ['a folder that cannot be', ['--output', 'versions.json'], 2],
])('nothing keeps the process after %s', async (_name, line, expected) => {
  const { code, kept, told } = await (await World.open()).pack(line);
  expect([code, kept], told).toEqual([expected, []]);
});

it.each<[name: string, words: string, harm: (world: World) => void, setting?: Setting]>([
  ['a wrong checksum', 'expected sha256:', ({ web }) => void web.put('/tool', 'another program')],
  [
    'no checksum',
    'no checksum found',
    ({ web }) => void web.put('/tool.sha256', '', { kind: 'status', status: 404 }),
  ],
  [
    'an upstream that is broken',
    'answered 500',
    (world) => world.fail('manifest-get', { kind: 'status', status: 500 }),
  ],
  ['a wrong layer', 'its content hashes to', (world) => world.fail('blob-get', { kind: 'wrong-bytes' })],
  [
    'a layer that was cut',
    'the connection broke',
    (world) => world.fail('blob-get', { kind: 'reset-answer', afterBytes: 100 }),
  ],
  [
    'a layer without end',
    'longer than',
    (world) => world.fail('blob-get', { kind: 'made', pieces: onAndOn }),
  ],
  [
    'an image that is not there',
    'not found; tried',
    (world) => world.fail('manifest-get', { kind: 'status', status: 404 }),
  ],
])('nothing keeps the process after a package failed by %s', async (_name, words, harm, setting) => {
  const world = await World.open(setting);
  harm(world);
  const { code, kept, told } = await world.pack();
  expect([code, kept], told).toEqual([1, []]);
  expect(told).toContain(words);
});

function* onAndOn(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(65_536);
}

it.each<[name: string, harm: (world: World) => void, setting?: Setting]>([
  ['a layer', (world) => world.fail('blob-get', { kind: 'silence', afterBytes: 100 })],
  ['a component', ({ web }) => void web.put('/tool', PROGRAM, { kind: 'hold', after: 100 })],
  ['a checksum', ({ web }) => void web.put('/tool.sha256', '', { kind: 'silence' })],
  ['the first request', (world) => world.fail('ping', { kind: 'silence' })],
  ['a token', (world) => world.fail('token', { kind: 'silence' })],
  ['a tunnel', () => undefined, { proxy: 'silent' }],
])('nothing keeps the process after its time was over during %s', async (_name, harm, setting) => {
  const world = await World.open(setting);
  harm(world);
  const { code, kept, told } = await world.pack(['--command-timeout', '1s']);
  expect([code, kept], told).toEqual([1, []]);
});

it.each<[signal: NodeJS.Signals, expected: number]>([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('nothing keeps the process after %s', async (signal, expected) => {
  const world = await World.open();
  const asked = Promise.withResolvers<void>();
  const when = (): boolean => {
    asked.resolve();
    return true;
  };
  world.registry.fail({ match: { kind: 'blob-get', when }, times: Infinity, fault: { kind: 'silence' } });
  const { code, kept, told } = await world.pack([], { signal, time: asked.promise });
  expect([code, kept], told).toEqual([expected, []]);
  expect(told).toContain(
    `stopped early, cancelled by ${signal}: there is no package; what was fetched is kept\n`,
  );
});

/** A package, and the three places that it can be pushed to. */
class Targets {
  readonly kodo: Kodo;
  readonly releases: ReleaseService;
  readonly hub: TestRegistry;
  readonly #world: World;

  private constructor(world: World, kodo: Kodo, releases: ReleaseService, hub: TestRegistry) {
    this.#world = world;
    this.kodo = kodo;
    this.releases = releases;
    this.hub = hub;
  }

  static async open(): Promise<Targets> {
    const world = await World.open();
    const { code, told } = await world.pack();
    expect(code, told).toBe(0);
    const kodo = stack.use(await Kodo.start());
    const releases = stack.use(await ReleaseService.start());
    return new Targets(world, kodo, releases, stack.use(await startRegistry({ access: TOKENS })));
  }

  push(...line: readonly string[]): Promise<End> {
    const { kodo, releases, hub } = this;
    const to = ['--repo', 'qiniu,dockerhub,release', '--dockerhub-repository', `${hub.host}/me/kube`];
    const environment = publishingEnvironment({ kodo, releases }, LOGIN);
    const parts = ['push', '--pkg-uri', NAME, ...to, '--ca-file', AUTHORITY_FILE, ...line];
    return this.#world.run(parts, { environment });
  }
}

it('nothing keeps the process after a package was pushed to Qiniu, a registry and a release', async () => {
  const targets = await Targets.open();
  for (const expected of ['published', 'present']) {
    const { code, kept, told } = await targets.push('--json', '--command-timeout', '1m');
    expect([code, kept], told).toEqual([0, []]);
    expect(told.split(`"outcome": "${expected}"`)).toHaveLength(4);
  }
});

it.each<[name: string, harm: (targets: Targets) => void]>([
  [
    'Qiniu refuses a part',
    ({ kodo }) => kodo.faults.add({ operation: 'part', answer: { status: 400 }, times: 9 }),
  ],
  ['Qiniu cuts it', ({ kodo }) => kodo.faults.add({ operation: 'part', cutAfter: 100, times: 9 })],
  [
    'the registry answers before a blob is through',
    ({ hub }) =>
      void hub.fail({
        match: { kind: 'upload-put' },
        times: Infinity,
        fault: { kind: 'status', status: 500, early: true },
      }),
  ],
  [
    'the release cuts it',
    ({ releases }) => void releases.faults.push({ operation: 'upload', cutAfter: 100, times: 9 }),
  ],
  [
    'the release refuses the token',
    ({ releases }) =>
      void releases.faults.push({ operation: 'get-by-tag', answer: { status: 401 }, times: 9 }),
  ],
])('nothing keeps the process after a push failed as %s', async (_name, harm) => {
  const targets = await Targets.open();
  harm(targets);
  const { code, kept, told } = await targets.push();
  expect([code, kept], told).toEqual([1, []]);
});

it.each<[name: string, harm: (targets: Targets) => void]>([
  ['Qiniu', ({ kodo }) => kodo.faults.add({ operation: 'part', silent: true, times: 9 })],
  [
    'the registry',
    ({ hub }) =>
      void hub.fail({ match: { kind: 'upload-put' }, times: Infinity, fault: { kind: 'silence' } }),
  ],
  [
    'the release',
    ({ releases }) => void releases.faults.push({ operation: 'upload', silent: true, times: 9 }),
  ],
])('nothing keeps the process after its time was over while %s was silent', async (_name, harm) => {
  const targets = await Targets.open();
  harm(targets);
  const { code, kept, told } = await targets.push('--command-timeout', '1s');
  expect([code, kept], told).toEqual([1, []]);
});
