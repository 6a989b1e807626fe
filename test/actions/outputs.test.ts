import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import {
  NO_PACKAGE,
  NOTHING_DONE,
  PACK_OUTPUTS,
  SYNC_OUTPUTS,
  setOutputs,
} from '../../src/actions/outputs.ts';
import { Listener } from '../publish/listener.ts';
import { parseKeyValues } from '../support/command-files.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

function outputsAfter(set: () => void): Record<string, string> {
  const file = join(scratchFolder(), 'output');
  vi.stubEnv('GITHUB_OUTPUT', file);
  set();
  return parseKeyValues(readFileSync(file, 'utf8'));
}

test.each([
  ['mirrored', NOTHING_DONE, SYNC_OUTPUTS, { failed: '0', report: '', 'state-restored': 'false' }],
  ['packed', NO_PACKAGE, PACK_OUTPUTS, { size: '0', package: '', locations: '[]' }],
])('every output is set, as text, also where nothing was %s', (_what, nothing, described, some) => {
  const outputs = outputsAfter(() => setOutputs(nothing, new Listener()));
  expect(Object.keys(outputs).toSorted()).toEqual(Object.keys(described).toSorted());
  expect(outputs).toMatchObject(some);
});

test('outputs that cannot be set are a warning, as the work of the step is done', () => {
  vi.stubEnv('GITHUB_OUTPUT', scratchFolder());
  const reporter = new Listener();
  setOutputs(NOTHING_DONE, reporter);
  expect(reporter.warnings).toEqual([
    expect.stringMatching(
      /^the outputs of this step could not be set: GITHUB_OUTPUT: the file cannot be written: EISDIR \(check /,
    ),
  ]);
});
