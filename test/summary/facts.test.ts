import { expect, test } from 'vitest';
import { seconds } from '../../src/lib/duration.ts';
import { factsOfReport } from '../../src/summary/facts.ts';
import type { ReportedImage } from '../../src/sync/report/report.ts';
import { sampleReport } from '../support/report-sample.ts';

function image(name: string, more: Partial<ReportedImage> = {}): ReportedImage {
  const source = `registry.k8s.io/${name}`;
  const destination = `127.0.0.1:5000/keel/${name}`;
  return { source, destination, outcome: 'copied', bytes: 10, milliseconds: 2000, ...more };
}

test('a report is told by what moved, what failed and what is left', () => {
  const reason = { code: 'DENIED', message: 'the push was refused', hint: 'log in' };
  const facts = factsOfReport(
    sampleReport([
      image('pause:3.10'),
      image('etcd:3.6.1', { outcome: 'skipped', bytes: 0 }),
      image('coredns', { outcome: 'failed', bytes: 0, reason }),
      image('kube-proxy:v1.36.1', { outcome: 'withdrawn', bytes: 0 }),
      image('flannel:v1', { outcome: 'deferred', bytes: 0 }),
    ]),
    [],
  );
  expect(facts).toMatchObject({
    headline: '1 copied (10 B), 1 unchanged, 2 failed, 1 deferred in 42 s',
    outcome: 'failed',
    wanted: 5,
    skipped: 1,
    bytes: 10,
    duration: seconds(42),
    copied: [{ repository: '127.0.0.1:5000/keel/pause', tag: '3.10', bytes: 10, duration: seconds(2) }],
    failures: [
      { images: ['registry.k8s.io/coredns'], message: 'the push was refused', hint: 'log in' },
      { images: ['registry.k8s.io/kube-proxy:v1.36.1'], message: 'withdrawn', hint: undefined },
    ],
    deferred: [{ images: ['registry.k8s.io/flannel:v1'] }],
  });
});

test('tags that the same sources want are one quarrel with one patch', () => {
  const patch = '{"match": "b/proxy", "name": "b-proxy"}';
  const quarrel = (tag: string) =>
    image(`proxy:${tag}`, {
      outcome: 'collision',
      claimants: [`a.example/proxy:${tag}`, `a.example:5000/b/proxy:${tag}`],
      patch,
    });
  expect(factsOfReport(sampleReport([quarrel('v1'), quarrel('v2')]), []).collisions).toEqual([
    {
      destination: '127.0.0.1:5000/keel/proxy:v1, v2',
      sources: ['a.example/proxy', 'a.example:5000/b/proxy'],
      patch,
    },
  ]);
  expect(factsOfReport(sampleReport([quarrel('v1')]), []).collisions[0]?.sources).toEqual([
    'a.example/proxy:v1',
    'a.example:5000/b/proxy:v1',
  ]);
});

test('a name that matched before and does not now is told as the reason of a red run', () => {
  const place = { file: 'image_set.json', line: 3, column: 5 };
  const facts = factsOfReport(
    sampleReport([], { unmatched: [{ pattern: 'gone', place, matchedBefore: true }] }),
    [],
  );
  expect(facts.headline).toBe('1 vanished in 42 s');
  expect(facts.unmatched).toEqual([{ name: 'gone', place }]);
  expect(facts.warnings).toEqual([expect.stringContaining('"gone" matched in the last run')]);
});
