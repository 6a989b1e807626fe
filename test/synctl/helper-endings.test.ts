import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { MisbehavedProgram, type Misbehaviour } from '../support/misbehaved-program.ts';
import { keptBy, watchedToItsEnd } from '../support/processes.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';

/** `npm test` and `make test` compile before they test. */
const PROGRAM = fileURLToPath(new URL('../../build/src/synctl.js', import.meta.url));

/** Mirrors with a credential helper that misbehaves, and returns how that ended, once nothing of the helper runs. */
async function mirror(
  misbehaviour: Misbehaviour,
  ending: { flags?: string[]; signal?: 'SIGINT' | 'SIGTERM' },
) {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using sink = await startRegistry({ access: TOKENS });
  seedImage(source.storage, 'app', { tags: ['1.0'] });
  const folder = scratchFolder();
  const helper = new MisbehavedProgram(folder, 'docker-credential-odd', misbehaviour);
  const { started, ended } = helper.watch();
  const end = join(folder, 'end.json');
  mkdirSync(join(folder, '.docker'));
  const logins = { credHelpers: { [sink.host]: 'odd' } };
  writeFileSync(join(folder, '.docker/config.json'), JSON.stringify(logins));
  writeFileSync(join(folder, 'image_set.json'), JSON.stringify({ names: ['app'] }));
  const where = ['--source', source.host, '--push-to', sink.host, '--ca-file', AUTHORITY_FILE];
  const patience = ['--retry', '2', '--retry-interval', '5ms'];
  const line = ['sync', ...where, ...patience, ...(ending.flags ?? [])];
  const { PATH = '' } = process.env;
  const said = join(folder, 'said.txt');
  const output = openSync(said, 'w');
  const child = spawn(process.execPath, [...watchedToItsEnd(PROGRAM), ...line], {
    cwd: folder,
    env: { PATH: `${folder}:${PATH}`, HOME: folder, KEEL_TEST_END: end },
    // Pipes would keep it for a moment of their own.
    stdio: ['ignore', output, output],
  });
  const closed = once(child, 'close');
  await started;
  if (ending.signal !== undefined) child.kill(ending.signal);
  const [code] = await closed;
  await ended;
  return {
    code: Number(code),
    kept: existsSync(end) ? keptBy(end) : ['all'],
    told: readFileSync(said, 'utf8'),
  };
}

it.each<[misbehaviour: Misbehaviour, told: string]>([
  ['leaves a child that holds its output, and exits', 'there is no login for this registry'],
  ['prints without end', 'is larger than 64 KiB'],
  ['closes its input and says nothing', 'is not what Docker expects'],
  ['kills itself', 'it was killed before it answered'],
])('a helper that %s leaves nothing behind, and the run ends', async (misbehaviour, told) => {
  const end = await mirror(misbehaviour, {});
  expect(end).toEqual({ code: 1, kept: [], told: expect.stringContaining(told) });
});

it.each<[Misbehaviour]>([
  ['hangs without a word'],
  ['ignores termination'],
  ['leaves a child that holds its output, and hangs'],
])('a helper that %s ends with --command-timeout', async (misbehaviour) => {
  const end = await mirror(misbehaviour, { flags: ['--command-timeout', '3s'] });
  const told = expect.stringContaining('the time limit of 3.0 s is over');
  expect(end).toEqual({ code: 1, kept: [], told });
});

it.each<[signal: 'SIGINT' | 'SIGTERM', code: number, misbehaviour: Misbehaviour]>([
  ['SIGINT', 130, 'hangs without a word'],
  ['SIGINT', 130, 'ignores termination'],
  ['SIGTERM', 143, 'leaves a child that holds its output, and hangs'],
])('%s stops the run with %i, and its helper: one that %s', async (signal, code, misbehaviour) => {
  expect(await mirror(misbehaviour, { signal })).toMatchObject({ code, kept: [] });
});
