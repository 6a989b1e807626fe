import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { componentKeeper } from '../../src/actions/tool-cache.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

beforeEach(() => {
  // The toolkit tells a runner everything it does, in a language that a runner of these tests would obey.
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test.each([
  [{}],
  [{ RUNNER_ENVIRONMENT: 'github-hosted', RUNNER_TOOL_CACHE: '/opt/tools' }],
  [{ RUNNER_ENVIRONMENT: 'self-hosted', RUNNER_TOOL_CACHE: '' }],
])('with %j nothing is kept', (environment) => {
  expect(componentKeeper(environment)).toBeUndefined();
});

test('what is saved is found by its key on the same runner', async () => {
  const folder = scratchFolder();
  // The toolkit reads them from its process.
  vi.stubEnv('RUNNER_TOOL_CACHE', join(folder, 'tools'));
  vi.stubEnv('RUNNER_TEMP', folder);
  const keeper = componentKeeper({ RUNNER_ENVIRONMENT: 'self-hosted', RUNNER_TOOL_CACHE: folder });
  const file = join(folder, 'kubelet');
  writeFileSync(file, 'a program');
  expect(await keeper?.find('sha256-1')).toBeUndefined();
  await keeper?.save('sha256-1', file);
  const found = (await keeper?.find('sha256-1')) ?? '';
  expect(readFileSync(found, 'utf8')).toBe('a program');
  expect(await keeper?.find('sha256-2')).toBeUndefined();
});
