import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { draftOf, removeLeftovers } from '../../../src/pack/archive/leftovers.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const LONG_AGO = new Date('2020-01-01T00:00:00Z');
/** More than any process of Linux has. */
const DEAD = 99_999_999;

test('a draft lies beside its archive, under a name that no other has', () => {
  const drafts = [draftOf('/out/a.tar.gz'), draftOf('/out/a.tar.gz')];
  expect(drafts.map(dirname)).toEqual(['/out', '/out']);
  expect(drafts[0]).not.toBe(drafts[1]);
  expect(basename(drafts[0] ?? '')).toMatch(new RegExp(`^\\.a\\.tar\\.gz\\.${process.pid}-\\w+\\.partial$`));
});

test.each<[string, string, Date | undefined, boolean]>([
  ['what a process left that is gone', `.a.tar.gz.${DEAD}-abc.partial`, LONG_AGO, false],
  [
    'not what was written a moment ago, perhaps by another machine',
    `.a.tar.gz.${DEAD}-abc.partial`,
    undefined,
    true,
  ],
  ['not what a living process writes', `.a.tar.gz.${process.pid}-abc.partial`, LONG_AGO, true],
  ['not what belongs to another archive', `.b.tar.gz.${DEAD}-abc.partial`, LONG_AGO, true],
  ['not what has another form', `.a.tar.gz.${DEAD}-abc.txt`, LONG_AGO, true],
])('%s is removed', async (_, name, touched, isKept) => {
  const folder = scratchFolder();
  const file = join(folder, name);
  writeFileSync(file, '');
  if (touched !== undefined) utimesSync(file, touched, touched);
  await removeLeftovers(join(folder, 'a.tar.gz'));
  expect(readdirSync(folder)).toEqual(isKept ? [name] : []);
});
