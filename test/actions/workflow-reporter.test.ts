import { expect, test } from 'vitest';
import { WorkflowReporter } from '../../src/actions/workflow-reporter.ts';
import { seconds } from '../../src/lib/duration.ts';
import { WorkflowLog } from '../support/workflow-log.ts';

function start() {
  const lines: string[] = [];
  const log = new WorkflowLog();
  let now = 0;
  const reporter = new WorkflowReporter({
    write: (line) => {
      lines.push(line);
      log.add(line);
    },
    workspace: '/home/runner/work/mirror/mirror',
    interval: seconds(5),
    clock: () => now,
  });
  const wait = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { reporter, lines, log, wait };
}

test('sections are groups; a new one and the end close the one before', () => {
  const { reporter, lines } = start();
  reporter.section('Discover');
  reporter.line('12 repositories');
  reporter.section('Mirror');
  reporter.close();
  reporter.line('all is well');
  reporter.close();
  expect(lines).toEqual([
    '::group::Discover',
    '12 repositories',
    '::endgroup::',
    '::group::Mirror',
    '::endgroup::',
    'all is well',
  ]);
});

test('warnings and errors are annotations at their place, relative to the workspace', () => {
  const { reporter, log } = start();
  reporter.warning('100% odd\nnext line', { file: 'image_set.json', line: 3, column: 7 });
  reporter.error('bad', { file: '/home/runner/work/mirror/mirror/conf/a,b:c.json', line: 1, column: 2 });
  reporter.error('no place');
  expect(log.annotations).toEqual([
    { level: 'warning', message: '100% odd\nnext line', file: 'image_set.json', line: 3, column: 7 },
    { level: 'error', message: 'bad', file: 'conf/a,b:c.json', line: 1, column: 2 },
    { level: 'error', message: 'no place' },
  ]);
});

test('what a registry says is never taken for a command', () => {
  const { reporter, log } = start();
  reporter.line('answered:\n::add-mask::a\r\n  ::error::gone\n##[group]x');
  reporter.section('a\n::error::b');
  reporter.warning('x\n::add-mask::y');
  expect(log.masks).toEqual([]);
  expect(log.annotations).toEqual([{ level: 'warning', message: 'x\n::add-mask::y' }]);
  expect(log.text).toContain('answered:\n: :add-mask::a\n  : :error::gone\n## [group]x\n');
});

test('progress is one line in an interval, with the rate of its own activity', () => {
  const { reporter, lines, wait } = start();
  const progress = { activity: 'mirroring', total: 40, unit: 'images', current: ['etcd:3.6.5'] };
  reporter.progress({ ...progress, done: 0, bytes: 0 });
  wait(4000);
  reporter.progress({ ...progress, done: 5, bytes: 40 << 20 });
  wait(6000);
  reporter.progress({ ...progress, done: 10, bytes: 100 << 20 });
  wait(1000);
  reporter.progress({ ...progress, done: 11, bytes: 110 << 20 });
  reporter.progress({ ...progress, activity: 'checking', done: 1, bytes: 0 });
  expect(lines).toEqual(['mirroring 10 of 40 images, 100 MiB, 10 MiB/s, about 30.0 s left; now etcd:3.6.5']);
});

test('details are shown to those who ask for debug logs only', () => {
  const { reporter, lines } = start();
  reporter.detail('GET https://registry.k8s.io/v2/');
  expect(lines).toEqual(['::debug::GET https://registry.k8s.io/v2/']);
});
