import { expect, test } from 'vitest';
import { stateSummaryJson, stateSummaryLines } from '../../src/cli/text/sum-text.ts';
import { destinationOf } from '../support/state-sample.ts';

const PUSHED = new Date('2026-03-01T02:03:04Z');
const RUN = {
  started: new Date('2026-03-01T02:00:00Z'),
  ended: new Date('2026-03-01T02:00:42Z'),
  outcome: 'succeeded' as const,
  ...{ copied: 2, skipped: 0, failed: 0, deferred: 0, bytes: 2048 },
};
const SUMMARY = {
  file: 'sync.bolt.db',
  repositories: [
    { destination: destinationOf('coredns'), tags: 1, bytes: 1024, unsized: 0, pushed: PUSHED },
    { destination: destinationOf('pause'), tags: 12, bytes: 2 << 20, unsized: 0, pushed: PUSHED },
  ],
  routes: [{ scope: 'registry.k8s.io registry.cn-hangzhou.aliyuncs.com/keel', runs: [RUN] }],
};

test('a state is a headline, its repositories and the runs of each route', () => {
  expect(stateSummaryLines(SUMMARY)).toEqual([
    'sync.bolt.db: 13 tags in 2 repositories, 2 MiB',
    '',
    'REPOSITORY                                      TAGS   SIZE  LAST PUSH (UTC)',
    'registry.cn-hangzhou.aliyuncs.com/keel/coredns     1  1 KiB  2026-03-01 02:03',
    'registry.cn-hangzhou.aliyuncs.com/keel/pause      12  2 MiB  2026-03-01 02:03',
    '',
    'Runs from registry.k8s.io to registry.cn-hangzhou.aliyuncs.com/keel',
    expect.stringMatching(/^2026-03-01 02:00 {2}█{20} {2}2 copied {2}2 KiB {2}42\.0 s$/),
    '',
    'SIZE counts a shared layer once for each image.',
  ]);
});

test('what a run found and did not push has no size and no time, and no number that is wrong', () => {
  const found = { destination: destinationOf('etcd'), tags: 3, bytes: 0, unsized: 3, pushed: undefined };
  const part = { destination: destinationOf('pause'), tags: 2, bytes: 1024, unsized: 1, pushed: PUSHED };
  const lines = stateSummaryLines({ ...SUMMARY, repositories: [found, part] });
  expect(lines[0]).toBe('sync.bolt.db: 5 tags in 2 repositories, over 1 KiB');
  expect(lines[3]).toMatch(/\/etcd +3 +\? {2}none, already there$/);
  expect(lines[4]).toMatch(/\/pause +2 {2}over 1 KiB {2}2026-03-01 02:03$/);
  expect(lines.at(-1)).toBe(
    'It leaves out images that were already there and not pushed in full: their size is unknown.',
  );
  expect(stateSummaryJson({ ...SUMMARY, repositories: [found] })).toMatchObject({
    repositories: [{ tags: 3, bytes: 0, unsized: 3, lastPush: null }],
  });
});

test('an empty state is one line', () => {
  expect(stateSummaryLines({ file: 'sync.bolt.db', repositories: [], routes: [] })).toEqual([
    'sync.bolt.db: no images yet',
  ]);
});

test('machines get repositories and runs with their route', () => {
  expect(stateSummaryJson(SUMMARY)).toEqual({
    file: 'sync.bolt.db',
    repositories: [
      {
        repository: 'registry.cn-hangzhou.aliyuncs.com/keel/coredns',
        tags: 1,
        bytes: 1024,
        unsized: 0,
        lastPush: PUSHED,
      },
      {
        repository: 'registry.cn-hangzhou.aliyuncs.com/keel/pause',
        tags: 12,
        bytes: 2 << 20,
        unsized: 0,
        lastPush: PUSHED,
      },
    ],
    runs: [{ source: 'registry.k8s.io', destination: 'registry.cn-hangzhou.aliyuncs.com/keel', ...RUN }],
  });
});
