import { describe, expect, test } from 'vitest';
import { filesOfWrongFlags, headOfWrongFlags, refusedReport } from '../../src/sync/report/refused-report.ts';
import { REPORT_SCHEMA } from '../../src/sync/report/report.ts';
import { mergeReports } from '../../src/sync/report/report-merge.ts';
import { outcomeOf } from '../../src/sync/report/run-outcome.ts';
import { headlineOf } from '../../src/sync/report/wording.ts';
import { sampleReport } from '../support/report-sample.ts';

const TIMES = { started: new Date('2026-03-01T02:00:00Z'), ended: new Date('2026-03-01T02:00:01Z') };
const FAILURE = { code: 'UNREACHABLE', about: 's.example', message: 'no such host', hint: 'check it' };

const flags = (values: Readonly<Record<string, string>>) => ({
  values: new Map(Object.entries(values)),
  environment: {},
  label: (name: string) => `--${name}`,
});

function refused(values: Readonly<Record<string, string>> = {}) {
  return refusedReport(headOfWrongFlags(flags(values), 'v1.2.3'), [FAILURE], TIMES);
}

describe('the report of a run that could not start', () => {
  test('is a report with the reasons', () => {
    const report = refused({
      source: 's.example',
      'push-to': 'd.example:5000',
      'push-ns': 'a/b',
      shard: '2/3',
    });
    expect(REPORT_SCHEMA.parse(report)).toMatchObject({
      source: 's.example',
      destination: 'd.example:5000',
      namespace: 'a/b',
      shards: [{ index: 2, count: 3 }],
      failures: [FAILURE],
      totals: { total: 0, failed: 0 },
      images: [],
    });
    expect(outcomeOf(report)).toBe('failed');
    expect(headlineOf(report)).toBe('1 error in 1 s');
  });

  test('leaves out what cannot be read, as it may hold a password', () => {
    const report = refused({
      source: 'robot:hush@s.example',
      'push-to': 'https://robot:hush@d.example',
      'push-ns': 'UPPER',
      shard: '9/2',
    });
    expect(report).toMatchObject({ source: '', destination: '', namespace: undefined, shards: [] });
    expect(JSON.stringify(report)).not.toContain('hush');
  });

  test('has no destination for images that were given without one', () => {
    const head = (values: Readonly<Record<string, string>>, operands: readonly string[] = []) =>
      headOfWrongFlags({ ...flags(values), operands }, 'v1').destination;
    expect(head({}, ['nginx'])).toBe('');
    expect(head({ images: 'nginx' })).toBe('');
    expect(head({ 'push-to': 'd.example' }, ['nginx'])).toBe('d.example');
    expect(head({})).toBe('registry.cn-hangzhou.aliyuncs.com');
  });

  test('has the defaults for images that cannot be read', () => {
    const from = { ...flags({ 'push-to': 'd.example' }), operands: ['nginx', 'Upper:1'] };
    expect(headOfWrongFlags(from, 'v1')).toMatchObject({ destination: 'd.example', namespace: 'keel' });
  });

  test('says nothing of the reasons that only a program sums up', () => {
    const failures = [{ ...FAILURE, failures: [FAILURE] }];
    const report = refusedReport(headOfWrongFlags(flags({}), 'v1'), failures, TIMES);
    expect(report.failures).toEqual([FAILURE]);
  });

  test('has its place beside those of other shards', () => {
    const shard = (index: number) => ({ shards: [{ index, count: 2 }] });
    const good = sampleReport([], { ...shard(1), unmatched: [{ pattern: 'x', matchedBefore: false }] });
    const bad = { ...refused(), ...shard(2) };
    const merged = mergeReports([
      { file: '2.json', report: bad },
      { file: '1.json', report: good },
    ]);
    expect(merged).toMatchObject({
      source: 'registry.k8s.io',
      shards: [{ index: 1 }, { index: 2 }],
      failures: [FAILURE],
      unmatched: [{ pattern: 'x' }],
      warnings: [],
    });
    expect(outcomeOf(merged)).toBe('failed');
    expect(mergeReports([{ file: '2.json', report: bad }]).failures).toEqual([FAILURE]);
  });
});

test('the files of a run are known although other flags are wrong', () => {
  expect(filesOfWrongFlags(flags({ limit: 'many', report: ' r.json ', images: 'a.txt,b.yaml' }))).toEqual({
    report: 'r.json',
    others: ['sync.bolt.db', 'image_set.json', 'a.txt', 'b.yaml'],
  });
});
