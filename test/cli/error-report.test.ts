import { expect, test } from 'vitest';
import { reportError } from '../../src/cli/error-report.ts';
import { TerminalReporter } from '../../src/cli/terminal-reporter.ts';
import { ConfigurationFailure } from '../../src/config/problem.ts';
import { Failure } from '../../src/lib/failure.ts';
import { Screen } from '../support/screen.ts';

const place = { file: 'image_set.json', line: 3, column: 7 };

test.each<[string, Error, string]>([
  [
    'world',
    new Failure({ code: 'UNREACHABLE', about: 'r.example', message: 'it does not answer', hint: 'wait' }),
    'error: r.example: it does not answer (wait)\n',
  ],
  [
    'usage',
    new ConfigurationFailure('image_set.json', [
      { place, message: 'expected a name' },
      { place: { ...place, line: 9 }, message: 'expected a comma' },
    ]),
    'error: image_set.json:3:7: expected a name\nerror: image_set.json:9:7: expected a comma\n',
  ],
  [
    'program',
    new TypeError('x is undefined'),
    'error: x is undefined (this is a bug in synctl; KEEL_DEBUG=1 shows where)\n',
  ],
])('an end by the fault of %s is told', (fault, error, told) => {
  const stderr = new Screen({});
  const reporter = new TerminalReporter({ stdout: new Screen({}), stderr, environment: {} });
  expect(reportError(error, reporter, 'synctl')).toBe(fault);
  expect(stderr.written).toBe(told);
});
