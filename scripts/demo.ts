import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { styleText } from 'node:util';
import { formatSize } from '../src/lib/text/size.ts';
import { fillRegistry } from '../test/support/images/fill.ts';
import { KUBERNETES_SET } from '../test/support/images/kubernetes-set.ts';
import { startRegistry, type TestRegistry } from '../test/support/registry/registry.ts';
import { AUTHORITY_FILE } from '../test/support/test-authority.ts';
import { showPacking } from './demo-pack.ts';

const FOLDER = resolve('.demo');
/** The authority of both registries, below the folder. */
const AUTHORITY = 'ca.pem';
const LOGIN = { username: 'demo', password: 'demo-password' };

const IMAGE_SET = {
  names: ['etcd', 'coredns/coredns', 'metrics-server/metrics-server'],
  prefixes: ['kube-', 'pause', 'sig-storage/'],
  exclude: ['-amd64', '-rc.'],
  patches: [
    { match: 'pause', tags: { latest: 2 } },
    { match: 'coredns/coredns', name: 'coredns/coredns' },
  ],
};

/** The registries of the demo: a read-only front like registry.k8s.io, and a private registry with a password. */
interface Stage {
  /** Where images are put before the front shows them. */
  readonly back: TestRegistry;
  readonly source: TestRegistry;
  readonly destination: TestRegistry;
}

function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

function heading(text: string): void {
  say();
  say(process.stdout.isTTY ? styleText('bold', text) : text);
}

/** Returns a word as a shell reads it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Prints a command as a person would type it, and runs it. Returns its exit code. */
function run(
  command: string,
  commandArguments: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<number> {
  say(`$ ${[command, ...commandArguments].map(quoted).join(' ')}`);
  const login = { KEEL_USERNAME: LOGIN.username, KEEL_PASSWORD: LOGIN.password };
  const child = spawn(command, commandArguments, {
    cwd: FOLDER,
    env: { ...process.env, ...login, ...more },
    stdio: 'inherit',
  });
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('exit', (code) => done(code ?? 1));
  });
}

function route(source: TestRegistry, destination: TestRegistry): string[] {
  const registries = ['--source', source.host, '--push-to', destination.host, '--push-ns', 'k8s'];
  return [...registries, '--ca-file', AUTHORITY];
}

async function mirror({ source, destination }: Stage): Promise<void> {
  source.journal.clear();
  destination.journal.clear();
  const code = await run('../synctl', [
    'sync',
    ...route(source, destination),
    '--signatures',
    'copy',
    '--report',
    'report.json',
  ]);
  if (code !== 0) throw new Error(`synctl ended with ${code}`);
  const writes = destination.journal.count({
    when: ({ method }) => ['POST', 'PUT', 'PATCH'].includes(method),
  });
  const sent = destination.journal.entries.reduce((sum, { bytesIn }) => sum + bytesIn, 0);
  const asked = source.journal.count({ listener: 'registry' }) + destination.journal.count();
  say(`  (the registries counted ${asked} requests; ${writes} of them were writes with ${formatSize(sent)})`);
}

/** Moves a tag at the source to another image, as `latest` tags do. */
async function moveTag({ back }: Stage): Promise<void> {
  const recipe = KUBERNETES_SET.find(({ name }) => name === 'etcd');
  const image = recipe?.tags.get('3.6.8-0');
  if (image === undefined) throw new Error('the demo set has no etcd:3.6.8-0');
  const moved = { ...image, own: [{ name: 'etcd-rebuilt', size: 200 * 1024 }] };
  await fillRegistry(back, [{ name: 'etcd', tags: new Map([['3.6.8-0', moved]]) }]);
}

async function show(stage: Stage): Promise<void> {
  const images = await fillRegistry(stage.back, KUBERNETES_SET);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER);
  copyFileSync(AUTHORITY_FILE, join(FOLDER, AUTHORITY));
  writeFileSync(join(FOLDER, 'image_set.json'), `${JSON.stringify(IMAGE_SET, undefined, 2)}\n`);
  say(
    `A stand-in for registry.k8s.io on ${stage.source.host}: ${KUBERNETES_SET.length} repositories, ${images.size} tags.`,
  );
  say(`A private registry on ${stage.destination.host}, empty, with a password.`);
  say(`Both speak TLS; their certificate authority is ${join('.demo', AUTHORITY)}.`);
  say(`The image set is ${join('.demo', 'image_set.json')}.`);
  say(
    'The commands run in .demo. Their login is in KEEL_USERNAME and KEEL_PASSWORD, which are left out below.',
  );

  heading('The first run copies the images');
  await mirror(stage);
  heading('The second run finds nothing to do');
  await mirror(stage);
  heading('Someone moves one tag at the source: only what differs is copied');
  await moveTag(stage);
  await mirror(stage);
  heading('One image, side by side');
  const { source, destination } = stage;
  await run('../synctl', ['check', ...route(source, destination), 'etcd:3.6.8-0']);
  const mirrored = `${destination.host}/k8s`;
  await showPacking({
    folder: FOLDER,
    source: source.host,
    mirror: mirrored,
    authority: AUTHORITY,
    heading,
    say,
    run,
  });
  say();
  say('The state, the report, the package and its configuration are in .demo/.');
}

// Only this process puts images there.
await using back = await startRegistry({ tls: false });
await using source = await startRegistry({ frontDoor: true, storage: back.storage });
await using destination = await startRegistry({
  access: { mode: 'bearer', users: { [LOGIN.username]: LOGIN.password } },
});
await show({ back, source, destination });
