import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { isPost, keepForPost, keptByMain, markMain } from '../../src/actions/post-handover.ts';
import { parseKeyValues } from '../support/command-files.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Does what main does, and hands what it left to this process, as the runner does for post. */
function becomePost(main: () => void): void {
  const file = join(scratchFolder(), 'state');
  vi.stubEnv('GITHUB_STATE', file);
  main();
  const left = parseKeyValues(readFileSync(file, 'utf8'));
  for (const [name, value] of Object.entries(left)) vi.stubEnv(`STATE_${name}`, value);
}

test('main is not post, and has nothing kept for it', () => {
  expect(isPost()).toBe(false);
  expect(keptByMain()).toBeUndefined();
});

test('post knows what it is, also where main came to no state', () => {
  becomePost(markMain);
  expect(isPost()).toBe(true);
  expect(keptByMain()).toBeUndefined();
});

test('post knows which file to save, and as what', () => {
  const kept = { key: 'a key', database: '/a folder/sync.bolt.db' };
  becomePost(() => keepForPost(kept));
  expect(keptByMain()).toEqual(kept);
});
