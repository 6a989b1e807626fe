import { describe, expect, test } from 'vitest';
import type { Report, ReportedImage } from '../../src/sync/report/report.ts';
import { mergeReports } from '../../src/sync/report/report-merge.ts';
import { sampleReport } from '../support/report-sample.ts';

function image(tag: string, outcome: ReportedImage['outcome'], bytes = 0): ReportedImage {
  return {
    source: `registry.k8s.io/pause:${tag}`,
    destination: `harbor.example:5000/keel/pause:${tag}`,
    outcome,
    bytes,
    milliseconds: 120,
  };
}

function reportOf(images: readonly ReportedImage[], more: Partial<Report> = {}): Report {
  return sampleReport(images, { destination: 'harbor.example:5000', namespace: 'keel', ...more });
}

const shard = (index: number, count: number): Pick<Report, 'shards'> => ({ shards: [{ index, count }] });

describe('mergeReports', () => {
  test('sums shards, lists their images, and keeps what is true for all', () => {
    const unmatched = (...patterns: string[]) =>
      patterns.map((pattern) => ({ pattern, matchedBefore: false }));
    const merged = mergeReports([
      {
        file: 'two.json',
        report: reportOf([image('3.9', 'failed')], {
          ...shard(2, 3),
          started: '2026-03-01T02:00:05.000Z',
          ended: '2026-03-01T02:03:00.000Z',
          stateRestored: false,
          interrupted: { message: 'stopped', left: 4 },
          unmatched: unmatched('puase', 'only-here'),
          warnings: [{ message: 'shrank' }],
          requests: [{ host: 'registry.k8s.io', requests: 10, retried: 1, rateLimited: 2 }],
        }),
      },
      {
        file: 'one.json',
        report: reportOf([image('3.10', 'copied', 100), image('3.8', 'skipped')], {
          ...shard(1, 3),
          unmatched: unmatched('puase'),
          warnings: [{ message: 'shrank' }],
          requests: [
            { host: 'registry.k8s.io', requests: 5, retried: 0, rateLimited: 0 },
            { host: 'quay.io', requests: 1, retried: 0, rateLimited: 0 },
          ],
        }),
      },
    ]);
    expect(merged).toMatchObject({
      started: '2026-03-01T02:00:00.000Z',
      ended: '2026-03-01T02:03:00.000Z',
      shards: [
        { index: 1, count: 3 },
        { index: 2, count: 3 },
      ],
      stateRestored: false,
      interrupted: { message: 'stopped', left: 4 },
      totals: { total: 3, copied: 1, skipped: 1, failed: 1, deferred: 0, bytes: 100 },
      unmatched: unmatched('puase'),
      warnings: [{ message: 'shrank' }, { message: 'the report of shard 3/3 is missing' }],
      requests: [
        { host: 'registry.k8s.io', requests: 15, retried: 1, rateLimited: 2 },
        { host: 'quay.io', requests: 1, retried: 0, rateLimited: 0 },
      ],
    });
    expect(merged.images.map(({ source }) => source)).toEqual([
      'registry.k8s.io/pause:3.9',
      'registry.k8s.io/pause:3.10',
      'registry.k8s.io/pause:3.8',
    ]);
  });

  test('joins what a word for releases means, as the source may change between shards', () => {
    const of = (...versions: string[]) => ({
      ...reportOf([]),
      kubernetes: [
        { word: '1.38', versions: versions.map((version) => ({ version, origin: 'test' })) },
        { word: 'latest', versions: [], unknown: true as const },
      ],
    });
    const unlisted = {
      ...reportOf([]),
      kubernetes: [{ word: '1.38', versions: [], unknown: true as const }],
    };
    const reports = [unlisted, of('1.38.9'), of('1.38.10', '1.38.9')].map((report, index) => ({
      file: `${index}`,
      report,
    }));
    const shards = reports.map(({ file, report }, index) => ({
      file,
      report: { ...report, shards: [{ index: index + 1, count: 3 }] },
    }));
    const told = mergeReports(shards).kubernetes?.map(({ word, versions, unknown }) => [
      word,
      unknown === true,
      ...versions.map(({ version }) => version),
    ]);
    expect(told).toEqual([
      ['1.38', false, '1.38.10', '1.38.9'],
      ['latest', true],
    ]);
  });

  test('gives a single report back as it is', () => {
    const report = reportOf([image('3.10', 'copied', 5)]);
    expect(mergeReports([{ file: 'one.json', report }])).toEqual(report);
  });

  test.each<[string, Partial<Report>, string, hint: string]>([
    [
      'the same shard twice',
      shard(1, 2),
      'it covers shard 1/2, and so does one.json',
      'name each report once',
    ],
    [
      'another division',
      shard(2, 3),
      'its number of shards is 3, but that of one.json is 2',
      'join only the reports of one run',
    ],
    [
      'another destination',
      { ...shard(2, 2), destination: 'ghcr.io' },
      'its destination is ghcr.io, but that of one.json is harbor.example:5000',
      'join only the reports of one run',
    ],
    [
      'another namespace',
      { ...shard(2, 2), namespace: 'other' },
      'its namespace is other',
      'join only the reports of one run',
    ],
  ])('refuses %s, naming both files', (_name, more, message, hint) => {
    const merge = () =>
      mergeReports([
        { file: 'one.json', report: reportOf([], shard(1, 2)) },
        { file: 'two.json', report: reportOf([], more) },
      ]);
    expect(merge).toThrow(
      expect.objectContaining({
        code: 'REPORTS_DISAGREE',
        about: 'two.json',
        message: expect.stringContaining(message),
        hint,
      }),
    );
  });

  test('refuses an undivided report twice, and no report at all', () => {
    const named = { file: 'one.json', report: reportOf([]) };
    expect(() => mergeReports([named, named])).toThrow(
      expect.objectContaining({ code: 'REPORTS_DISAGREE', message: 'it is named twice' }),
    );
    const copy = { ...named, file: 'copy.json' };
    expect(() => mergeReports([named, copy])).toThrow('and so does one.json');
    expect(() => mergeReports([])).toThrow(
      expect.objectContaining({ code: 'REPORTS_MISSING', message: 'there is no report to join' }),
    );
  });
});
