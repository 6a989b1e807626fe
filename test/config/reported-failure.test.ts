import { expect, test } from 'vitest';
import { ConfigurationFailure } from '../../src/config/problem.ts';
import { describeReported, reportedFailures } from '../../src/config/reported-failure.ts';
import { Failure } from '../../src/lib/failure.ts';

const DENIED = new Failure({ code: 'DENIED', about: 'e.org', message: 'no', hint: 'log in' });

test('a failure is stated with its code, what it is about, its message and its hint', () => {
  expect(reportedFailures(DENIED)).toEqual([
    { code: 'DENIED', about: 'e.org', message: 'no', hint: 'log in' },
  ]);
});

test('each problem of a configuration file is stated at its place', () => {
  const place = { file: 'image_set.json', line: 2, column: 3 };
  const other = { ...place, line: 4 };
  const failure = new ConfigurationFailure('image_set.json', [
    { place, message: 'unknown key' },
    { place: other, message: 'not a name' },
  ]);
  const stated = { code: 'CONFIGURATION_MALFORMED', about: 'image_set.json' };
  expect(reportedFailures(failure)).toEqual([
    { ...stated, message: 'unknown key', place },
    { ...stated, message: 'not a name', place: other },
  ]);
});

test('a failure that sums up others holds them', () => {
  const cause = new AggregateError([DENIED, DENIED], 'DENIED, DENIED');
  const all = new Failure({ code: 'ALL_FAILED', about: 'images', message: '2 of 2\n  e.org: no', cause });
  const part = { code: 'DENIED', about: 'e.org', message: 'no', hint: 'log in' };
  expect(reportedFailures(all)).toEqual([
    { code: 'ALL_FAILED', about: 'images', message: '2 of 2', failures: [part, part] },
  ]);
});

test('the errors of Node behind a failure are not stated', () => {
  const cause = new AggregateError([new Error('ECONNREFUSED'), new Error('ENETUNREACH')]);
  const failure = new Failure({ code: 'UNREACHABLE', about: 'e.org', message: 'none', cause });
  expect(reportedFailures(failure)).toEqual([{ code: 'UNREACHABLE', about: 'e.org', message: 'none' }]);
});

test.each<[unknown, object]>([
  [Object.assign(new Error('gone'), { code: 'ENOENT' }), { code: 'ENOENT', message: 'gone' }],
  [new TypeError('oops'), { code: 'UNEXPECTED', message: 'oops' }],
  [
    new DOMException('cancelled by SIGINT', 'AbortError'),
    { code: 'INTERRUPTED', message: 'cancelled by SIGINT' },
  ],
  ['text', { code: 'UNEXPECTED', message: 'text' }],
])('any other error is stated with its message: %s', (error, stated) => {
  expect(reportedFailures(error)).toEqual([stated]);
});

test.each([
  [{ code: 'X', about: 'e.org', message: 'no', hint: 'log in' }, 'e.org: no (log in)'],
  [{ code: 'X', message: 'no' }, 'no'],
  [{ code: 'X', about: 'a', message: 'no', place: { file: 'a', line: 1, column: 2 } }, 'a:1:2: no'],
])('a stated failure is shown as one line: %j', (failure, line) => {
  expect(describeReported(failure)).toBe(line);
});
