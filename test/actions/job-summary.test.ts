import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { writeJobSummary } from '../../src/actions/job-summary.ts';
import { Listener } from '../publish/listener.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('a page goes behind what the summary has', async () => {
  const file = join(scratchFolder(), 'summary.md');
  vi.stubEnv('GITHUB_STEP_SUMMARY', file);
  for (const page of ['one\n', 'two\n']) await writeJobSummary(page, new Listener());
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
});

test('a summary that cannot be written is a warning', async () => {
  const folder = join(scratchFolder(), 'summary.md');
  mkdirSync(folder);
  vi.stubEnv('GITHUB_STEP_SUMMARY', folder);
  const reporter = new Listener();
  await writeJobSummary('one\n', reporter);
  expect(reporter.warnings).toEqual([expect.stringMatching(/^the job summary could not be written: /)]);
});

test('where there is none, nothing is warned of', async () => {
  vi.stubEnv('GITHUB_STEP_SUMMARY', '');
  const reporter = new Listener();
  await writeJobSummary('one\n', reporter);
  expect(reporter.warnings).toEqual([]);
});
