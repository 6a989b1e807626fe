import { expect, test } from 'vitest';
import type { Place, Reporter } from '../../src/lib/reporter.ts';
import { TroubleTeller, tellUnmatched } from '../../src/sync/report/failure-notices.ts';
import type { ReportedImage } from '../../src/sync/report/report.ts';

const PLACE: Place = { file: 'image_set.json', line: 3, column: 5 };

/** A reporter that keeps what it is told, each line with how loud it was. */
function keeper(): { reporter: Reporter; told: string[] } {
  const told: string[] = [];
  const loud = (kind: string) => (text: string, place?: Place) => {
    told.push(`${kind}${place === undefined ? '' : ` at ${place.line}`}: ${text}`);
  };
  const quiet = () => undefined;
  const reporter = {
    ...{ section: quiet, line: quiet, progress: quiet, close: quiet },
    ...{ detail: loud('detail'), warning: loud('warning'), error: loud('error') },
  };
  return { reporter, told };
}

function image(
  name: string,
  outcome: ReportedImage['outcome'],
  more: Partial<ReportedImage> = {},
): ReportedImage {
  const source = `registry.k8s.io/${name}`;
  const destination = `r.example/keel/${name}`;
  return { source, destination, outcome, bytes: 0, milliseconds: 0, ...more };
}

const reason = (code: string, message: string) => ({ reason: { code, message } });

test('images are told as loud as what became of them deserves', () => {
  const { reporter, told } = keeper();
  const teller = new TroubleTeller(reporter, () => undefined);
  for (const outcome of ['copied', 'skipped', 'checked'] as const) teller.take(image('a:1', outcome));
  expect(told).toEqual([]);
  teller.take(image('b:1', 'deferred', reason('INTERRUPTED', 'the run ended first')));
  teller.take(image('c:1', 'deferred', reason('RATE_LIMITED', 'too many requests')));
  teller.take(image('d:1', 'failed', reason('DENIED', 'the push was refused')));
  teller.take(image('e:1', 'withdrawn'));
  expect(told).toEqual([
    'detail: registry.k8s.io/b:1: deferred, the run ended first',
    'warning: registry.k8s.io/c:1: deferred, too many requests',
    'error: registry.k8s.io/d:1: the push was refused',
    'error: registry.k8s.io/e:1: given up, it took longer than --push-timeout',
  ]);
});

test('a name that is too long is told at the line that wants it', () => {
  const { reporter, told } = keeper();
  const teller = new TroubleTeller(reporter, (claimants) =>
    claimants.includes('registry.k8s.io/long') ? PLACE : undefined,
  );
  teller.take(image('long', 'failed', reason('NAME_TOO_LONG', 'its name has 300 characters')));
  expect(told).toEqual(['error at 3: registry.k8s.io/long: its name has 300 characters']);
});

test('what is wanted in vain for many tags is told once, at the end and at its place', () => {
  const { reporter, told } = keeper();
  const teller = new TroubleTeller(reporter, (claimants) => (claimants.length > 0 ? PLACE : undefined));
  for (const tag of ['v1', 'v2']) {
    teller.take(image(`node:${tag}`, 'failed', reason('PLATFORM_MISSING', 'no linux/s390x')));
    teller.take(image(`proxy:${tag}`, 'collision', { claimants: [`a/proxy:${tag}`, `b/proxy:${tag}`] }));
  }
  teller.take(image('node:v3', 'failed', reason('PLATFORM_MISSING', 'no linux/arm64')));
  expect(told).toEqual([]);
  teller.finish();
  expect(told).toEqual([
    'error: registry.k8s.io/node (2 tags, v1 and v2): no linux/s390x',
    'error at 3: r.example/keel/proxy (2 tags, v1 and v2): wanted by a/proxy and b/proxy; left as they are',
    'error: registry.k8s.io/node:v3: no linux/arm64',
  ]);
  teller.finish();
  expect(told).toHaveLength(3);
});

test('names that matched before are errors, and of the others the first five are told one by one', () => {
  const { reporter, told } = keeper();
  const never = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((pattern) => ({ pattern, matchedBefore: false }));
  const all = [...never, { pattern: 'lost', matchedBefore: true, place: PLACE }];
  expect(tellUnmatched(all, reporter)).toBe(all);
  expect(told).toEqual([
    expect.stringMatching(/^error at 3: "lost" matched in the last run/),
    ...['a', 'b', 'c', 'd', 'e'].map((name) => expect.stringMatching(`^warning: "${name}" matches nothing`)),
    'warning: 2 more names match nothing at the source; the report lists all',
  ]);
});
