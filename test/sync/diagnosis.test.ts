import { expect, test } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import {
  type Check,
  type Diagnosis,
  diagnose,
  doubtful,
  type Finding,
  fine,
  wouldWork,
} from '../../src/sync/doctor/diagnosis.ts';

const NEVER = new AbortController().signal;

function check(name: string, run: () => Finding, needs: readonly string[] = []): Check {
  return { name, needs, run: async () => run() };
}

function fail(): never {
  throw new Failure({ code: 'UNREACHABLE', about: 'r.example', message: 'no such host', hint: 'check it' });
}

const short = ({ check, outcome, message, hint }: Diagnosis) => [check, outcome, message, hint];

test('checks are made in turn, and what needs one that did not go well is skipped', async () => {
  const seen: Diagnosis[] = [];
  const checks = [
    check('set', () => fine('two names')),
    check('source', () => doubtful('plain HTTP', 'use TLS'), ['set']),
    check('destination', fail),
    check('login', () => fine('as robot'), ['source', 'destination']),
    check('others', () => ({ outcome: 'partial', message: '1 extra cannot be reached' }), ['source']),
    check('push', () => fine('allowed'), ['others']),
    check('strange', () => {
      throw new TypeError('a bug');
    }),
  ];
  const diagnoses = await diagnose(checks, NEVER, (diagnosis) => void seen.push(diagnosis));
  expect(diagnoses.map(short)).toEqual([
    ['set', 'ok', 'two names', undefined],
    ['source', 'warning', 'plain HTTP', 'use TLS'],
    ['destination', 'failed', 'r.example: no such host', 'check it'],
    ['login', 'skipped', 'needs destination', undefined],
    ['others', 'partial', '1 extra cannot be reached', undefined],
    ['push', 'skipped', 'needs others', undefined],
    ['strange', 'failed', 'a bug', undefined],
  ]);
  expect(seen).toEqual(diagnoses);
});

test('an abort ends it, whatever a check made of that', async () => {
  const reason = new Error('enough');
  const checks = [check('set', fail), check('source', () => fine('never asked'))];
  await expect(diagnose(checks, AbortSignal.abort(reason), () => undefined)).rejects.toBe(reason);
});

test.each<[boolean, readonly Diagnosis['outcome'][]]>([
  [true, []],
  [true, ['ok', 'warning', 'skipped']],
  [false, ['ok', 'partial']],
  [false, ['failed', 'skipped']],
])('a sync would work is %s where checks are %j', (works, outcomes) => {
  const diagnoses = outcomes.map((outcome) => ({ check: 'a', outcome, message: '', milliseconds: 0 }));
  expect(wouldWork(diagnoses)).toBe(works);
});
