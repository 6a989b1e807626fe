import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { packerOfFile } from '../support/built-packer.ts';
import { FileServer } from '../support/file-server.ts';
import { PUBLIC_TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { AUTHORITY_FILE, LOOPBACK } from '../support/test-authority.ts';

const NAME = 'kube-1.37.1-amd64.tar.gz';
const PROGRAM = Buffer.alloc(300_000, 'a program. ');
const packer = packerOfFile();

/** A registry with an image, a web server with a component, and a folder in which packer is run. */
async function world() {
  const stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
  const web = stack.use(await FileServer.start(LOOPBACK));
  const folder = scratchFolder();
  seedImage(registry.storage, 'app', { tags: ['1.0'], layers: [1000, 3_000_000] });
  web.put('/tool.sha256', `${digestHex(digestOf(PROGRAM))}  tool\n`);
  const versions = {
    images: [{ name: 'app', tag: '1.0', image: `${registry.host}/app` }],
    components: [{ name: 'tool', tag: '1.0', uri: `${web.put('/tool', PROGRAM)}`, path: 'tools/tool' }],
  };
  writeFileSync(join(folder, 'versions.json'), JSON.stringify(versions));
  return { registry, web, folder, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Starts the built packer, which fetches into folders that all runs share. */
function start(folder: string, output: string) {
  const shared = ['--image-output', 'images', '--download-output', 'downloads'];
  const from = ['--kube-version', '1.37.1', '--image-source', 'upstream', '--retry-interval', '5ms'];
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [packer.program, ...from, ...shared, '--output', output], {
    cwd: folder,
    env: { PATH, HOME: folder, NODE_EXTRA_CA_CERTS: AUTHORITY_FILE },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const waits = Promise.withResolvers<void>();
  let told = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      told += text.toString();
      if (told.includes('waiting for another run that is fetching into')) waits.resolve();
    });
  }
  const end = new Promise<{ code: number | null; told: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, told }));
  });
  return { end, waits: Promise.race([waits.promise, end]), kill: () => void child.kill('SIGKILL') };
}

/** Returns the names of all files that were fetched, and of whatever else is there. */
function fetchedIn(folder: string): string[] {
  return ['images/blobs/sha256', 'downloads'].flatMap((name) => readdirSync(join(folder, name))).toSorted();
}

function whole(all: Awaited<ReturnType<typeof world>>): string[] {
  const blobs = [...all.registry.storage.repository('app').blobs];
  return [...blobs.map((digest) => digest.replace('sha256:', '')), 'tool-1.0-amd64'].toSorted();
}

it('of two runs that want the same layer in one folder, one waits for what the other fetches', async () => {
  await using all = await world();
  const { registry, folder } = all;
  const [asked, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const when = (): boolean => {
    asked.resolve();
    return true;
  };
  registry.fail({
    match: { kind: 'blob-get', when },
    times: Infinity,
    fault: { kind: 'hold', until: go.promise },
  });
  const first = start(folder, 'one');
  await Promise.race([asked.promise, first.end]);
  const second = start(folder, 'two');
  await second.waits;
  go.resolve();
  const ends = await Promise.all([first.end, second.end]);
  expect(
    ends.map(({ code }) => code),
    ends.map(({ told }) => told).join('\n'),
  ).toEqual([0, 0]);
  expect(registry.journal.count('blob-get')).toBe(registry.storage.repository('app').blobs.size);
  expect(fetchedIn(folder)).toEqual(whole(all));
  const [one, two] = ['one', 'two'].map((output) => readFileSync(join(folder, output, NAME)));
  expect(one?.equals(two ?? Buffer.of())).toBe(true);
});

it('of two runs that want the same component in one folder, one waits for what the other fetches', async () => {
  await using all = await world();
  const { web, folder } = all;
  const held = Promise.withResolvers<void>();
  web.put('/tool', PROGRAM, { kind: 'hold', after: 100_000, onHeld: () => held.resolve() });
  const first = start(folder, 'one');
  const second = start(folder, 'two');
  await Promise.all([held.promise, Promise.race([first.waits, second.waits])]);
  web.breakHeld();
  const ends = await Promise.all([first.end, second.end]);
  expect(
    ends.map(({ code }) => code),
    ends.map(({ told }) => told).join('\n'),
  ).toEqual([0, 0]);
  // What was cut, and the rest of it.
  expect(web.requestsFor('/tool').filter(({ method }) => method === 'GET')).toHaveLength(2);
  expect(fetchedIn(folder)).toEqual(whole(all));
});

it('what a killed run was fetching is taken over by the one that waits', async () => {
  await using all = await world();
  const { registry, folder } = all;
  const asked = Promise.withResolvers<void>();
  const when = (): boolean => {
    asked.resolve();
    return true;
  };
  const rule = registry.fail({
    match: { kind: 'blob-get', when },
    times: Infinity,
    fault: { kind: 'silence', afterBytes: 100 },
  });
  const first = start(folder, 'one');
  await Promise.race([asked.promise, first.end]);
  const second = start(folder, 'two');
  await second.waits;
  rule.stop();
  first.kill();
  const { code, told } = await second.end;
  expect(code, told).toBe(0);
  expect(fetchedIn(folder)).toEqual(whole(all));
});
