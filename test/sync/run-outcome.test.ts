import { expect, test } from 'vitest';
import type { ReportedImage } from '../../src/sync/report/report.ts';
import { outcomeOf } from '../../src/sync/report/run-outcome.ts';
import { sampleReport } from '../support/report-sample.ts';

const image = (outcome: ReportedImage['outcome']): ReportedImage => ({
  source: 'registry.k8s.io/a:1',
  destination: '127.0.0.1:5000/keel/a:1',
  outcome,
  bytes: 0,
  milliseconds: 0,
});
const lost = { pattern: 'gone', matchedBefore: true };
const misspelt = { ...lost, matchedBefore: false };
const filtered = { image: 'a', tags: 2, emptied: 'filters' } as const;
const older = { ...filtered, emptied: 'since' } as const;
const interrupted = { message: 'the time limit of 15 m is over', left: 1 };

test.each([
  ['succeeded', 'without images', sampleReport([])],
  ['succeeded', 'with what is there', sampleReport([image('copied'), image('skipped'), image('checked')])],
  ['succeeded', 'with a misspelt name', sampleReport([image('skipped')], { unmatched: [misspelt] })],
  ['failed', 'when nothing matches at all', sampleReport([], { unmatched: [misspelt] })],
  ['failed', 'when filters let no tag pass at all', sampleReport([], { unselected: [filtered] })],
  [
    'succeeded',
    'when filters leave one image out',
    sampleReport([image('copied')], { unselected: [filtered] }),
  ],
  [
    'succeeded',
    'when nothing is as new as "since" asks',
    sampleReport([], { unselected: [older, filtered] }),
  ],
  [
    'succeeded',
    'when nothing is new and a name is misspelt',
    sampleReport([], { unselected: [older], unmatched: [misspelt] }),
  ],
  [
    'succeeded',
    'when the tags of one shard do not pass',
    sampleReport([], { unselected: [filtered], shards: [{ index: 1, count: 2 }] }),
  ],
  [
    'failed',
    'when filters let no tag pass in any shard',
    sampleReport([], {
      unselected: [filtered],
      shards: [1, 2].map((index) => ({ index, count: 2 })),
    }),
  ],
  ['failed', 'with a name that matched before', sampleReport([], { unmatched: [lost] })],
  ['failed', 'with an image that failed', sampleReport([image('copied'), image('failed')])],
  ['failed', 'with an image that was deferred', sampleReport([image('deferred')])],
  ['failed', 'with one given up', sampleReport([image('withdrawn')])],
  ['failed', 'with a collision', sampleReport([image('collision')])],
  ['interrupted', 'when stopped', sampleReport([], { interrupted })],
  ['interrupted', 'when stopped after a failure', sampleReport([image('failed')], { interrupted })],
  ['interrupted', 'when stopped with a lost name', sampleReport([], { interrupted, unmatched: [lost] })],
])('a run is %s %s', (outcome, _, report) => {
  expect(outcomeOf(report)).toBe(outcome);
});
