import { expect, test } from 'vitest';
import { groupFailures, isAboutOne } from '../../src/sync/report/failure-groups.ts';
import type { ReportedImage } from '../../src/sync/report/report.ts';

type Reason = NonNullable<ReportedImage['reason']>;

function failed(name: string, reason: Partial<Reason>, outcome: ReportedImage['outcome'] = 'failed') {
  const source = `s.example/${name}`;
  const destination = `d.example/keel/${name}`;
  return { source, destination, outcome, reason: { code: 'X', message: 'm', ...reason } };
}

function groupsOf(images: readonly ReturnType<typeof failed>[]): string[][] {
  return groupFailures(images).map((group) => group.map(({ source }) => source.slice('s.example/'.length)));
}

test.each([401, 403, 405, 429, 500, 503])(
  'refusals of a host with status %i are one kind, whatever text they have and what they refuse',
  (status) => {
    const refused = (name: string, host = 'd.example') =>
      failed(name, { host, status, message: `${name} was refused, request ${name.length}` });
    expect(groupsOf([refused('a:1'), refused('long/name:1'), refused('b:1', 'ghcr.io')])).toEqual([
      ['a:1', 'long/name:1'],
      ['b:1'],
    ]);
  },
);

test('refusals of one status and code are several kinds if their texts differ in more than names and numbers', () => {
  const refused = (name: string, message: string) =>
    failed(name, { host: 'd.example', status: 403, code: 'DENIED', message });
  expect(
    groupsOf([
      refused('a/web:1', 'DENIED: no right to push to "keel/a/web" (request 7f3a)'),
      refused('db:2', 'DENIED: no right to push to "keel/db" (request 01bc)'),
      refused('web:1', 'DENIED: the quota of keel is used up, 5 GiB'),
      refused('x:1', 'DENIED: the quota of keel is used up, 6 GiB'),
    ]),
  ).toEqual([
    ['a/web:1', 'db:2'],
    ['web:1', 'x:1'],
  ]);
});

test('refusals with other statuses, codes or advice are other kinds', () => {
  const host = 'd.example';
  expect(
    groupsOf([
      failed('a:1', { host, status: 403, code: 'DENIED' }),
      failed('b:1', { host, status: 401, code: 'UNAUTHORIZED' }),
      failed('c:1', { host, status: 403, code: 'TAG_IMMUTABLE' }),
      failed('d:1', { host, status: 403, code: 'DENIED', hint: 'a quota is used up' }),
      failed('e:1', { host, status: 403, code: 'DENIED' }, 'deferred'),
    ]),
  ).toHaveLength(5);
});

test.each([400, 413, 415])('of status %i each text is another cause', (status) => {
  const refused = (name: string, message: string) => failed(name, { host: 'd.example', status, message });
  expect(groupsOf([refused('a:1', 'too big'), refused('b:1', 'no'), refused('c:1', 'no')])).toEqual([
    ['a:1'],
    ['b:1', 'c:1'],
  ]);
});

test('a source that cannot be reached is one cause, and a platform that is missing is one for each repository', () => {
  const silent = { code: 'UNREACHABLE', host: 'ghcr.io', message: 'no such host' };
  const foreign = { code: 'PLATFORM_MISSING', message: 'no linux/s390x' };
  expect(
    groupsOf([
      failed('a:1', silent),
      failed('n:1', foreign),
      failed('b', silent),
      failed('q', { ...silent, host: 'quay.io' }),
      failed('n:2', foreign),
      failed('o:1', foreign),
    ]),
  ).toEqual([['a:1', 'b'], ['n:1', 'n:2'], ['q'], ['o:1']]);
});

test.each([
  ['PLATFORM_MISSING', undefined, true],
  ['NAME_TOO_LONG', undefined, true],
  ['NOT_FOUND', 's.example', true],
  ['NOT_FOUND', 'd.example', false],
  ['DENIED', 's.example', false],
] as const)('%s of %s is about one repository: %s', (code, host, expected) => {
  expect(isAboutOne(failed('a:1', { code, host }))).toBe(expected);
});
