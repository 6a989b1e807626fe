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
  reasonOf,
} from '../../src/sync/report/report.ts';
import { readReport, writeReport } from '../../src/sync/report/report-file.ts';
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
    ['no JSON on two lines', 'dear\ndiary', 'REPORT_MALFORMED', '"dear diary" is not valid JSON'],
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
