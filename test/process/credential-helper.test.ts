import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { askCredentialHelper } from '../../src/process/credential-helper.ts';

const calm = new AbortController().signal;
let folder: string;
const SLOW: ReadonlySet<string> = new Set(['asleep', 'parent']);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keel-credential-helper-'));
  const { PATH: path } = process.env;
  vi.stubEnv('PATH', `${folder}${delimiter}${path}`);
  await install(
    'keychain',
    'read host; printf \'{"ServerURL":"%s","Username":"robot","Secret":"for %s"}\' $host $host',
  );
  await install('empty', 'echo "credentials not found in native keychain"; exit 1');
  await install('locked', 'echo "the secret is hush"; echo "so is hush" >&2; exit 3');
  await install('chatty', 'echo "welcome"');
  await install('asleep', 'exec sleep 60');
  // It holds the output of its parent open.
  await install('parent', 'sleep 30 & wait');
  await install('deaf', 'exec <&-; printf \'{"Username":"robot","Secret":"x"}\'');
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function install(name: string, script: string): Promise<void> {
  const file = join(folder, `docker-credential-${name}`);
  await writeFile(file, `#!/bin/sh\n[ "$1" = get ] || exit 9\n${script}\n`);
  await chmod(file, 0o755);
}

test('the helper is given the host and gives its credentials', async () => {
  const credentials = await askCredentialHelper('keychain', 'r.example:5000', calm);
  expect(credentials).toEqual({ username: 'robot', password: 'for r.example:5000' });
});

test('a helper need not read its input', async () => {
  expect(await askCredentialHelper('deaf', 'r.example', calm)).toEqual({ username: 'robot', password: 'x' });
});

test('a helper that has none is no failure', async () => {
  expect(await askCredentialHelper('empty', 'r.example', calm)).toBeUndefined();
});

test.each([
  ['locked', 'it failed for r.example with exit code 3'],
  ['chatty', 'its answer for r.example is not what Docker expects'],
  ['missing', 'it could not be run for r.example'],
  ['../bin/sh', 'this is not the name of a credential helper'],
  ['asleep', 'it did not answer for r.example within 200 ms'],
  ['parent', 'it did not answer for r.example within 200 ms'],
])(
  '%s: %s',
  async (helper, message) => {
    const asked = askCredentialHelper(
      helper,
      'r.example',
      calm,
      milliseconds(SLOW.has(helper) ? 200 : 120_000),
    );
    await expect(asked).rejects.toMatchObject({ code: 'CREDENTIAL_HELPER_FAILED', message });
    await expect(asked).rejects.not.toMatchObject({ message: expect.stringContaining('hush') });
  },
  20_000,
);

test('a helper that hangs ends with the run', async () => {
  const stop = new AbortController();
  const asked = askCredentialHelper('asleep', 'r.example', stop.signal);
  stop.abort(new Error('the run is over'));
  await expect(asked).rejects.toThrow('the run is over');
  await expect(askCredentialHelper('asleep', 'r.example', stop.signal)).rejects.toThrow('the run is over');
});
