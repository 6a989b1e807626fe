import { expect, test } from 'vitest';
import { diagnosisLine, doctorConclusion } from '../../src/cli/text/doctor-text.ts';
import type { Diagnosis } from '../../src/sync/doctor/diagnosis.ts';

function diagnosis(outcome: Diagnosis['outcome'], message = 'all is well', hint?: string): Diagnosis {
  return { check: 'destination', outcome, message, hint, milliseconds: 42 };
}

test.each<[string, Diagnosis]>([
  ['✓ ok         42 ms  destination       all is well', diagnosis('ok')],
  [
    '! warning    42 ms  destination       plain HTTP (use TLS)',
    diagnosis('warning', 'plain HTTP', 'use TLS'),
  ],
  ['- skipped           destination       needs login', diagnosis('skipped', 'needs login')],
  [
    '✗ failed     42 ms  destination       2 problems\n      a\n      b',
    diagnosis('failed', '2 problems\n  a\n  b'),
  ],
])('%s', (line, given) => {
  expect(diagnosisLine(given)).toBe(line);
});

test('a line that is too wide goes on below what it says', () => {
  const lines = diagnosisLine(diagnosis('ok', 'r.example answers over TLS'), 60).split('\n');
  expect(lines).toEqual([
    '✓ ok         42 ms  destination       r.example answers over',
    `${' '.repeat(38)}TLS`,
  ]);
});

test.each<[string, readonly Diagnosis[]]>([
  ['a sync would work', [diagnosis('ok'), diagnosis('skipped')]],
  ['a sync would work, with 2 warnings', [diagnosis('warning'), diagnosis('ok'), diagnosis('warning')]],
  [
    'a sync would work, as far as tested: pushing to 2 of 4 repositories was not tested',
    [diagnosis('ok'), { ...diagnosis('ok'), untried: 'pushing to 2 of 4 repositories was not tested' }],
  ],
  [
    'a sync would work, as far as tested, with 1 warning: this was not',
    [diagnosis('warning'), { ...diagnosis('ok'), untried: 'this was not' }],
  ],
  [
    'a sync would work in part: 1 extra is lost; large layers fail',
    [
      diagnosis('partial', '1 extra is lost'),
      diagnosis('warning'),
      diagnosis('partial', 'large layers fail'),
    ],
  ],
  ['a sync would not work: 1 check failed', [diagnosis('failed'), diagnosis('partial')]],
])('%s', (conclusion, diagnoses) => {
  expect(doctorConclusion(diagnoses)).toBe(conclusion);
});
