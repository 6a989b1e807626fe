import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { InputsRefused, reportObstacles } from '../../src/actions/obstacles.ts';
import { ConfigurationFailure } from '../../src/config/problem.ts';
import { Failure } from '../../src/lib/failure.ts';
import { Listener } from '../publish/listener.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const WORDS = { stopped: 'the run was stopped', title: 'No package' };
const calm = new AbortController().signal;
let summary: string;

beforeEach(() => {
  summary = join(scratchFolder(), 'summary.md');
  vi.stubEnv('GITHUB_STEP_SUMMARY', summary);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

async function errorsOf(error: unknown, signal = calm): Promise<readonly string[]> {
  const reporter = new Listener();
  await reportObstacles(error, { reporter, signal }, WORDS);
  return reporter.errors;
}

function failure(about: string): Failure {
  return new Failure({ code: 'SOMETHING', about, message: 'is wrong', hint: 'mend it' });
}

test('a failure is one line, in the log and under the headline of the summary', async () => {
  expect(await errorsOf(failure('--retry'))).toEqual(['--retry: is wrong (mend it)']);
  expect(readFileSync(summary, 'utf8')).toMatch(/No package\n[\s\S]*retry: is wrong/);
});

test('each wrong input is told by itself', async () => {
  const refused = new InputsRefused([failure('input "a"'), failure('input "b"')]);
  expect(await errorsOf(refused)).toEqual(['input "a": is wrong (mend it)', 'input "b": is wrong (mend it)']);
});

test('each problem of a configuration file is told by itself, at its place', async () => {
  const problems = [3, 1].map((line) => ({
    message: `line ${line} is wrong`,
    place: { file: 'image_set.json', line, column: 1 },
  }));
  const errors = await errorsOf(new ConfigurationFailure('image_set.json', problems));
  expect(errors).toEqual(['line 1 is wrong', 'line 3 is wrong']);
  expect(readFileSync(summary, 'utf8')).toContain('set.json:3:1');
});

test('a run that was stopped says so, and not why', async () => {
  const reason = new Error('SIGTERM');
  expect(await errorsOf(reason, AbortSignal.abort(reason))).toEqual(['the run was stopped']);
  // What failed by itself just before is told.
  expect(await errorsOf(failure('a disk'), AbortSignal.abort(reason))).toEqual([
    'a disk: is wrong (mend it)',
  ]);
});

test('a fault of ours comes with its stack, and what is no error as a text', async () => {
  expect(await errorsOf(new TypeError('oh'))).toEqual([expect.stringMatching(/^TypeError: oh\n +at /)]);
  expect(await errorsOf('oh')).toEqual(['oh']);
});
