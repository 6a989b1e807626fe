import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { explainAside, setAside } from '../../src/sync/state/set-aside.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const NOW = new Date('2026-03-01T02:03:04.567Z');

test('a file is renamed with its journals, and never onto another', () => {
  const folder = scratchFolder();
  const file = join(folder, 'sync.db');
  for (const content of ['first', 'second']) {
    writeFileSync(file, content);
    writeFileSync(`${file}-wal`, `journal of ${content}`);
    const aside = setAside(file, 'damaged', NOW);
    expect(readFileSync(aside, 'utf8')).toBe(content);
    expect(readFileSync(`${aside}-wal`, 'utf8')).toBe(`journal of ${content}`);
  }
  expect(readdirSync(folder).toSorted()).toEqual([
    'sync.db.damaged-20260301T020304Z',
    'sync.db.damaged-20260301T020304Z-2',
    'sync.db.damaged-20260301T020304Z-2-wal',
    'sync.db.damaged-20260301T020304Z-wal',
  ]);
});

test('what cannot be renamed is a state that cannot be used', () => {
  const file = join(scratchFolder(), 'none', 'sync.db');
  expect(() => setAside(file, 'bolt', NOW)).toThrow(
    expect.objectContaining({
      code: 'STATE_UNUSABLE',
      about: file,
      message: expect.stringContaining('the state file cannot be set aside'),
    }),
  );
});

test.each([
  ['bolt', 'is a BoltDB of an earlier generation of synctl'],
  ['newer', 'was written by a newer version of synctl'],
] as const)('%s is told as: it %s', (reason, words) => {
  expect(explainAside(reason)).toBe(words);
});
