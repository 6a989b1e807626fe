import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Job } from './action-runner.ts';
import { parseKeyValues } from './command-files.ts';
import { parseCommand } from './workflow-log.ts';

const PROBE = path.resolve('test/fixtures/actions/probe');

test('an action gets its inputs, a clean environment and its files, and post gets its state', async () => {
  await using folder = await mkdtempDisposable(path.join(tmpdir(), 'keel-runner-'));
  process.env['UNCLEAN'] = 'of the test';
  const job = await Job.start({ folder: folder.path });
  const main = await job.step({ action: PROBE, with: { secret: 's3cret' } });
  expect(main.exitCode).toBe(0);
  expect(main.outputs).toEqual({ said: 'hello\nagain' });
  expect(main.state).toEqual({ isPost: 'yes' });
  expect(main.env).toEqual({ PROBE: 'was here' });
  expect(main.summary).toBe('# Probed');
  expect(main.log.text).toBe('▼ A group\n  hidden: ***\nWarning: 50% odd,\nsecond: line\n');
  expect(main.log.groups).toEqual(['A group']);
  expect(main.log.annotations).toEqual([
    { level: 'warning', message: '50% odd,\nsecond: line', file: 'image_set.json', line: 3, column: 7 },
  ]);
  const [post] = await job.finish();
  expect(post?.log.text).toBe('post of hello, home clean\n');
  expect(job.status).toBe('success');
});

test('a secret in the open is found even where the log hides it', async () => {
  await using folder = await mkdtempDisposable(path.join(tmpdir(), 'keel-runner-'));
  const job = await Job.start({ folder: folder.path, secrets: ['hello'] });
  const main = await job.step({ action: PROBE, with: { secret: 's3cret' } });
  expect(main.leaks).toEqual([
    { secret: 'derived-s3cret', where: 'hidden: derived-s3cret' },
    { secret: 'hello', where: 'output said' },
  ]);
});

test.each([
  { ends: 'SIGINT', signals: ['SIGINT'], exitCode: 1, interrupt: 60_000, terminate: 60_000 },
  { ends: 'SIGTERM', signals: ['SIGINT', 'SIGTERM'], exitCode: 1, interrupt: 150, terminate: 60_000 },
  {
    ends: 'never',
    signals: ['SIGINT', 'SIGTERM', 'SIGKILL'],
    exitCode: null,
    interrupt: 150,
    terminate: 100,
  },
])('cancelling an action that ends on $ends', async ({ ends, signals, exitCode, ...patience }) => {
  await using folder = await mkdtempDisposable(path.join(tmpdir(), 'keel-runner-'));
  const job = await Job.start({ folder: folder.path, patience });
  const main = await job.step({
    action: PROBE,
    with: { secret: 'x', hang: ends },
    cancelWhen: (log) => log.includes('hanging'),
  });
  expect({ signals: main.signals, exitCode: main.exitCode }).toEqual({ signals, exitCode });
  expect(job.status).toBe('cancelled');
  expect((await job.finish()).length).toBe(1);
});

test.each([
  ['::warning file=a b.json,line=3::it: %25 %0A', 'warning', { file: 'a b.json', line: '3' }, 'it: % \n'],
  ['  ::group::A title', 'group', {}, 'A title'],
  ['::error title=a%3Ab%2Cc::', 'error', { title: 'a:b,c' }, ''],
])('the command %s', (line, name, properties, message) => {
  expect(parseCommand(line)).toEqual({ name, properties, message });
});

test.each(['warning::x', 'a ::warning::b', ':: ::', '::'])('no command: %s', (line) => {
  expect(parseCommand(line)).toBeUndefined();
});

test('key-value files hold lines and blocks', () => {
  expect(parseKeyValues('a=b=c\nd<<END\n1\n\n2=3\nEND\n')).toEqual({ a: 'b=c', d: '1\n\n2=3' });
  expect(() => parseKeyValues('d<<END\n1\n')).toThrow('no end');
});
