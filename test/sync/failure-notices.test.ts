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

test('images are told as loud as what became of them deserves, when all are known', () => {
  const { reporter, told } = keeper();
  const teller = new TroubleTeller(reporter, () => undefined);
  for (const outcome of ['copied', 'skipped', 'checked'] as const) teller.take(image('a:1', outcome));
  expect(told).toEqual([]);
  teller.take(image('b:1', 'deferred', reason('INTERRUPTED', 'the run ended first')));
  teller.take(image('c:1', 'deferred', reason('RATE_LIMITED', 'too many requests')));
  teller.take(image('d:1', 'failed', reason('DENIED', 'the push was refused')));
  teller.take(image('e:1', 'withdrawn'));
  expect(teller.failed).toBe(2);
  const lines = [
    'registry.k8s.io/c:1: deferred, too many requests',
    'registry.k8s.io/d:1: the push was refused',
    'registry.k8s.io/e:1: given up, it took longer than --push-timeout',
  ];
  const early = ['registry.k8s.io/b:1: deferred, the run ended first', ...lines];
  expect(told.splice(0)).toEqual(early.map((line) => `detail: ${line}`));
  teller.finish();
  expect(told).toEqual([`warning: ${lines[0]}`, `error: ${lines[1]}`, `error: ${lines[2]}`]);
});

test('refusals of one kind are one line with their number, with the first ones by name', () => {
  const { reporter, told } = keeper();
  const teller = new TroubleTeller(reporter, () => PLACE);
  const refused = (name: string) => ({
    reason: {
      ...{ code: 'DENIED', host: 'r.example', status: 403, hint: 'check the account' },
      message: `r.example: cannot start an upload, the registry answered 403: no push to ${name}`,
    },
  });
  for (const name of ['a:1', 'a:2', 'b:1', 'c:1', 'd:1']) teller.take(image(name, 'failed', refused(name)));
  told.splice(0);
  teller.finish();
  expect(told).toEqual([
    'error: 5 images: r.example: cannot start an upload, the registry answered 403: no push to a:1 ' +
      '(check the account): registry.k8s.io/a:1, registry.k8s.io/a:2, registry.k8s.io/b:1 and 2 more',
  ]);
});

test('the host of a source that cannot be reached is told before the reason', () => {
  const { reporter, told } = keeper();
  const teller = new TroubleTeller(reporter, () => PLACE);
  const silent = { reason: { code: 'UNREACHABLE', host: 'registry.k8s.io', message: 'no such host' } };
  for (const name of ['a', 'b:1']) teller.take(image(name, 'failed', silent));
  told.splice(0);
  teller.finish();
  expect(told).toEqual([
    'error: 2 images: registry.k8s.io: no such host: registry.k8s.io/a and registry.k8s.io/b:1',
  ]);
});

test('an image that the source does not have is told at the line that wants it', () => {
  const { reporter, told } = keeper();
  const teller = new TroubleTeller(reporter, (sources) =>
    sources.includes('registry.k8s.io/nginx:9') ? PLACE : undefined,
  );
  const missing = { code: 'NOT_FOUND', host: 'registry.k8s.io', status: 404, message: 'not there' };
  teller.take(image('nginx:9', 'failed', { reason: missing }));
  told.splice(0);
  teller.finish();
  expect(told).toEqual(['error at 3: registry.k8s.io/nginx:9: not there']);
});

test('a name that is too long is told at the line that wants it', () => {
  const { reporter, told } = keeper();
  const teller = new TroubleTeller(reporter, (claimants) =>
    claimants.includes('registry.k8s.io/long') ? PLACE : undefined,
  );
  teller.take(image('long', 'failed', reason('NAME_TOO_LONG', 'its name has 300 characters')));
  told.splice(0);
  teller.finish();
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
  told.splice(0);
  teller.finish();
  expect(told).toEqual([
    'error at 3: registry.k8s.io/node (2 tags, v1 and v2): no linux/s390x',
    'error at 3: r.example/keel/proxy (2 tags, v1 and v2): claimed by a/proxy and b/proxy; left unchanged',
    'error at 3: registry.k8s.io/node:v3: no linux/arm64',
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
