import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { writeReport } from '../../src/sync/report/report-file.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { Nights } from './nights.ts';

test('shards copy each image once, and one page tells them all', async () => {
  const nights = await Nights.start();
  nights.denied.add('mirror/kube-proxy');
  const folder = scratchFolder();
  const copied: string[] = [];
  for (const index of [1, 2, 3]) {
    const { report } = await nights.night({ with: { shard: `${index}/3` } });
    if (report === undefined) throw new Error(`shard ${index} left no report`);
    copied.push(...report.images.map(({ destination }) => destination));
    writeReport(path.join(folder, `${index}.json`), report);
  }
  expect(new Set(copied).size).toBe(9);
  expect(copied).toHaveLength(9);
  const page = path.join(folder, 'summary.md');
  await writeFile(page, '');
  const merged = await promisify(execFile)(
    process.execPath,
    [path.resolve('build/src/synctl.js'), 'merge', '--report', 'all.json', '1.json', '2.json', '3.json'],
    { cwd: folder, env: { ...process.env, GITHUB_STEP_SUMMARY: page } },
  ).catch((error: { code: number }) => error);
  expect(merged).toMatchObject({ code: 1 });
  const summary = await readFile(page, 'utf8');
  expect(summary).toMatch(/^## ❌ 7 copied \(432 KiB\), 2 failed in /);
  expect(JSON.parse(await readFile(path.join(folder, 'all.json'), 'utf8')).totals).toMatchObject({
    total: 9,
    copied: 7,
    failed: 2,
  });
});

test('an undivided run after shards goes on from what all of them knew', async () => {
  const nights = await Nights.start();
  for (const index of [1, 2, 3]) await nights.night({ with: { shard: `${index}/3` } });
  nights.destination.journal.clear();
  const { report, main } = await nights.night({ with: { verify: 'none' } });
  expect(main.log.text).toContain('state: restored from one shard and merged with 2 other states\n');
  expect(report?.stateRestored).toBe(true);
  const reasons = report?.images.map(({ reason }) => reason?.code).toSorted();
  expect(reasons).toEqual(['MOVING_TAG', ...Array.from({ length: 8 }, () => 'UNCHANGED')]);
  expect(nights.destination.journal.count('manifest-head')).toBe(1);
  // From then on its own state is the newest, and nothing is joined.
  const { main: next } = await nights.night({ with: { verify: 'none' } });
  expect(next.log.text).toContain('1of1-');
  expect(next.log.text).not.toContain('joined');
});
