import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { mergeCommand } from '../../src/cli/merge-command.ts';
import { Listener } from '../publish/listener.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { LOGIN, loginVariables } from '../support/token-server.ts';

/** `npm test` and `make test` compile before they test. */
const built = (name: string): string => fileURLToPath(new URL(`../../build/src/${name}.js`, import.meta.url));

/** Runs a tool where one of the files that it reads is a pipe into which nobody writes, with a second of time. */
async function run(program: string, pipe: string, line: readonly string[], environment: object = {}) {
  const folder = scratchFolder();
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using sink = await startRegistry({ access: TOKENS });
  seedImage(source.storage, 'app', { tags: ['1.0'] });
  writeFileSync(join(folder, 'image_set.json'), JSON.stringify({ names: ['app'] }));
  writeFileSync(
    join(folder, 'versions.json'),
    JSON.stringify({ images: [{ name: 'pause', tag: '3.10' }], components: [] }),
  );
  mkdirSync(join(folder, 'package'));
  mkdirSync(dirname(join(folder, pipe)), { recursive: true });
  execFileSync('mkfifo', ['--', join(folder, pipe)]);
  const where = ['--source', source.host, '--push-to', sink.host, '--ca-file', AUTHORITY_FILE];
  const about = program === 'synctl' ? where : [];
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [built(program), ...line, ...about, '--command-timeout', '1s'], {
    cwd: folder,
    env: { PATH, HOME: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await once(child, 'close');
  return { code: Number(code), told: (await output).join('') };
}

const TIME_IS_OVER = expect.stringContaining('the time limit of 1.0 s is over');

it.each<[file: string, program: string, line: readonly string[], pipe: string, environment?: object]>([
  ['the image set', 'synctl', ['sync', '--image-set', 'pipe'], 'pipe'],
  ['the image set, of check', 'synctl', ['check', 'app:1.0', '--image-set', 'pipe'], 'pipe'],
  ['the file of logins', 'synctl', ['sync'], '.docker/config.json'],
  [
    'the trusted root',
    'synctl',
    ['sync', '--verify-signatures', 'warn', '--trusted-root', 'pipe'],
    'pipe',
    loginVariables(LOGIN),
  ],
  ['versions.json', 'packer', ['--version-config', 'pipe', '--dry-run'], 'pipe'],
  ['the lock', 'packer', ['--lock', 'pipe', '--dry-run', '--kube-version', '1.37.1'], 'pipe'],
])(
  'a pipe for %s is waited for until the time of the run is over',
  async (_file, program, line, pipe, environment) => {
    expect(await run(program, pipe, line, environment)).toEqual({ code: 1, told: TIME_IS_OVER });
  },
);

it('a pipe for a report to merge is waited for until the run is stopped', async () => {
  const pipe = join(scratchFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const stop = new AbortController();
  const context = { reporter: new Listener(), signal: stop.signal, print: () => undefined };
  const merging = mergeCommand([pipe], { report: undefined, failOn: 'any', json: false }, context);
  stop.abort(new Error('stopped'));
  await expect(merging).rejects.toThrow('stopped');
});
