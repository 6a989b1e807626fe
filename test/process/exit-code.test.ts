import { expect, test } from 'vitest';
import { type Ending, type ExitCode, exitCodeFor, type StopSignal } from '../../src/process/exit-code.ts';

test.each<[Ending, StopSignal | undefined, ExitCode]>([
  ['complete', undefined, 0],
  ['incomplete', undefined, 1],
  ['usage', undefined, 2],
  ['world', undefined, 1],
  ['program', undefined, 1],
  ['complete', 'SIGINT', 130],
  ['incomplete', 'SIGINT', 130],
  ['usage', 'SIGINT', 130],
  ['incomplete', 'SIGTERM', 143],
  ['world', 'SIGTERM', 143],
])('what ends %s, with the signal %s, exits with %d', (ending, stoppedBy, code) => {
  expect(exitCodeFor(ending, stoppedBy)).toBe(code);
});
