import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REPORT_SCHEMA_FILE, reportJsonSchema } from '../../scripts/report-schema.ts';
import { Failure } from '../../src/lib/failure.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import {
  countImages,
  formatReport,
  type Report,
  type ReportedImage,
  readReport,
  reasonOf,
  writeReport,
} from '../../src/sync/report/report.ts';
import { mergeReports } from '../../src/sync/report/report-merge.ts';
import { sampleReport } from '../support/report-sample.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

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

describe('a report', () => {
  test('is read as it was written, with each image on a line of its own', () => {
    const file = join(scratchFolder(), 'out', 'report.json');
    const copied: ReportedImage = {
      ...image('3.10', 'copied', 320_000),
      digest: digestOf(Buffer.from('pause')),
      blobs: { uploaded: 1, mounted: 2, present: 3 },
    };
    const failed = {
      ...image('3.9', 'failed'),
      reason: reasonOf(
        new Failure({
          code: 'DENIED',
          about: 'keel/pause',
          message: 'pushing is not allowed',
          hint: 'log in',
        }),
      ),
    };
    const report = reportOf([copied, failed], {
      interrupted: { message: 'the time limit of 15 m was reached', left: 3 },
      unmatched: [
        { pattern: 'puase', place: { file: 'image_set.json', line: 3, column: 5 }, matchedBefore: true },
      ],
      warnings: [{ message: 'the listing of pause shrank' }],
      requests: [{ host: 'registry.k8s.io', requests: 12, retried: 1, rateLimited: 0 }],
    });
    writeReport(file, report);
    expect(readReport(file)).toEqual(report);
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines.filter((line) => line.includes('"source":"registry.k8s.io/pause'))).toHaveLength(2);
    expect(failed.reason).toEqual({ code: 'DENIED', message: 'pushing is not allowed', hint: 'log in' });
  });

  test('without images is whole JSON too', () => {
    expect(JSON.parse(formatReport(reportOf([])))).toEqual(reportOf([]));
  });

  test('has the form that docs/report.schema.json tells', () => {
    // When this fails: node scripts/report-schema.ts
    expect(JSON.parse(readFileSync(REPORT_SCHEMA_FILE, 'utf8'))).toEqual(reportJsonSchema());
  });

  test('counts every image once', () => {
    const outcomes: ReportedImage['outcome'][] = [
      'copied',
      'skipped',
      'checked',
      'failed',
      'collision',
      'withdrawn',
      'deferred',
    ];
    expect(countImages(outcomes.map((outcome) => image('1', outcome, 10)))).toEqual({
      total: 7,
      copied: 1,
      skipped: 2,
      failed: 3,
      deferred: 1,
      bytes: 70,
    });
  });
});

describe('a file that is not a report', () => {
  test.each([
    ['no JSON', '<html>', 'REPORT_MALFORMED', 'this is not JSON'],
    ['another JSON', '[]', 'REPORT_MALFORMED', 'this is not a report: the whole file'],
    ['an image set', '{"names": []}', 'REPORT_MALFORMED', 'it has no schemaVersion'],
    ['a newer report', '{"schemaVersion": 2}', 'REPORT_MALFORMED', 'its schemaVersion is 2'],
    [
      'a report with a wrong outcome',
      formatReport(reportOf([image('3.10', 'copied')])).replace('"copied",', '"stolen",'),
      'REPORT_MALFORMED',
      'images.0.outcome',
    ],
  ])('%s is named', (_name, content, code, text) => {
    const file = join(scratchFolder(), 'report.json');
    writeFileSync(file, content);
    expect(() => readReport(file)).toThrow(
      expect.objectContaining({ code, about: file, message: expect.stringContaining(text) }),
    );
  });

  test('missing is told as such', () => {
    expect(() => readReport('/nowhere/report.json')).toThrow(
      expect.objectContaining({ code: 'REPORT_UNREADABLE' }),
    );
  });
});

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

  test('gives a single report back as it is', () => {
    const report = reportOf([image('3.10', 'copied', 5)]);
    expect(mergeReports([{ file: 'one.json', report }])).toEqual(report);
  });

  test.each<[string, Partial<Report>, string]>([
    ['the same shard twice', shard(1, 2), 'it tells about shard 1/2, and so does one.json'],
    ['another division', shard(2, 3), 'its number of shards is 3, and that of one.json is 2'],
    [
      'another destination',
      { ...shard(2, 2), destination: 'ghcr.io' },
      'its destination is ghcr.io, and that of one.json is harbor.example:5000',
    ],
    ['another namespace', { ...shard(2, 2), namespace: 'other' }, 'its namespace is other'],
  ])('refuses %s, naming both files', (_name, more, message) => {
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
    expect(() => mergeReports([])).toThrow(expect.objectContaining({ code: 'REPORTS_MISSING' }));
  });
});
