import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { draftOf, removeLeftovers } from '../../../src/pack/archive/leftovers.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const LONG_AGO = new Date('2026-01-31T00:00:00Z');

/** More than any process of Linux has, so that it is nobody's. */
const GONE = 99_999_999;

/** Writes a file that nobody touched for long, and returns its path. */
function leave(folder: string, name: string, touched: Date | undefined = LONG_AGO): string {
  const file = join(folder, name);
  writeFileSync(file, 'half of an archive');
  if (touched !== undefined) utimesSync(file, touched, touched);
  return file;
}

test('a draft stands beside its archive, hidden, under a name of its own', () => {
  const draft = draftOf('/out/kube.tar.gz');
  expect(dirname(draft)).toBe('/out');
  expect(basename(draft)).toMatch(new RegExp(`^\\.kube\\.tar\\.gz\\.${process.pid}-[0-9a-f]{12}\\.partial$`));
  expect(draftOf('/out/kube.tar.gz')).not.toBe(draft);
});

test('what a killed run left of this archive is removed', async () => {
  const folder = scratchFolder();
  const left = leave(folder, `.kube.tar.gz.${GONE}-0123456789ab.partial`);
  await removeLeftovers(join(folder, 'kube.tar.gz'));
  expect(existsSync(left)).toBe(false);
});

test.each<[what: string, name: string, touched?: Date]>([
  ['of a run that is at work', `.kube.tar.gz.${process.pid}-0123456789ab.partial`],
  ['of another archive', `.other.tar.gz.${GONE}-0123456789ab.partial`],
  ['that only looks like it', `.kube.tar.gz.${GONE}-0123456789ab.partial.txt`],
  ['that is the archive', 'kube.tar.gz'],
])('a file %s stays', async (_what, name) => {
  const folder = scratchFolder();
  const file = leave(folder, name);
  await removeLeftovers(join(folder, 'kube.tar.gz'));
  expect(existsSync(file)).toBe(true);
});

test('a file that was touched just now stays: a machine that shares the folder may be at work', async () => {
  const folder = scratchFolder();
  const file = leave(folder, `.kube.tar.gz.${GONE}-0123456789ab.partial`, new Date(8_640_000_000_000));
  await removeLeftovers(join(folder, 'kube.tar.gz'));
  expect(existsSync(file)).toBe(true);
});
