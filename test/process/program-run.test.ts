import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { milliseconds, seconds } from '../../src/lib/duration.ts';
import { runProgram } from '../../src/process/program-run.ts';
import { MisbehavedProgram, type Misbehaviour } from '../support/misbehaved-program.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const OUTPUT = 64 * 1024;
const SHORT = milliseconds(1500);
const LONG = seconds(300);
const calm = new AbortController().signal;

it.each<[misbehaviour: Misbehaviour, patience: typeof LONG, end: object]>([
  ['hangs without a word', SHORT, { by: 'patience' }],
  ['ignores termination', SHORT, { by: 'patience' }],
  ['leaves a child that holds its output, and hangs', SHORT, { by: 'patience' }],
  ['leaves a child that holds its output, and exits', LONG, { by: 'itself', code: 0, output: '{}' }],
  ['prints without end', LONG, { by: 'output' }],
  ['closes its input and says nothing', LONG, { by: 'itself', code: 0, output: '' }],
  ['kills itself', LONG, { by: 'itself', code: undefined, output: '' }],
])('a program that %s ends with all that it started', async (misbehaviour, patience, end) => {
  const program = new MisbehavedProgram(scratchFolder(), 'program', misbehaviour);
  const { ended } = program.watch();
  const result = await runProgram([program.file], 'input', { patience, output: OUTPUT, signal: calm });
  expect(result).toEqual(end);
  expect(await ended).toBe('started\n');
});

it('a child that left the group of its program is not waited for', async () => {
  const away = new MisbehavedProgram(
    scratchFolder(),
    'program',
    'leaves a child that left its group, and exits',
  );
  const { ended } = away.watch();
  const result = await runProgram([away.file], 'input', { patience: LONG, output: OUTPUT, signal: calm });
  expect(result).toEqual({ by: 'itself', code: 0, output: '{}' });
  await writeFile(`${away.file}.release`, '');
  expect(await ended).toBe('started\n');
});

it.each<[Misbehaviour]>([
  ['hangs without a word'],
  ['ignores termination'],
  ['leaves a child that holds its output, and hangs'],
])('a program that %s ends with the run that asked for it', async (misbehaviour) => {
  const program = new MisbehavedProgram(scratchFolder(), 'program', misbehaviour);
  const { started, ended } = program.watch();
  const stop = new AbortController();
  const limits = { patience: LONG, output: OUTPUT, signal: stop.signal };
  const result = runProgram([program.file], 'input', limits);
  await started;
  stop.abort();
  expect(await result).toEqual({ by: 'signal' });
  expect(await ended).toBe('started\n');
});

it('a program that is not there is an error of the system', async () => {
  const limits = { patience: LONG, output: OUTPUT, signal: calm };
  await expect(runProgram(['/nothing/here'], '', limits)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('many programs at once leave one listener at the process while they run, and none afterwards', async () => {
  const before = process.listenerCount('exit');
  const limits = { patience: LONG, output: OUTPUT, signal: calm };
  const results = Array.from({ length: 12 }, () => runProgram(['cat'], 'input', limits));
  expect(process.listenerCount('exit')).toBe(before + 1);
  expect(new Set((await Promise.all(results)).map((end) => JSON.stringify(end))).size).toBe(1);
  expect(process.listenerCount('exit')).toBe(before);
});

it('a process that ends at once, as at a second Ctrl-C, ends the program too', async () => {
  const program = new MisbehavedProgram(scratchFolder(), 'program', 'ignores termination');
  const { started, ended } = program.watch();
  const module = new URL('../../build/src/process/program-run.js', import.meta.url).href;
  const script = `const { runProgram } = await import('${module}');
    process.on('SIGINT', () => process.exit(130));
    const limits = { patience: 300_000, output: 1, signal: new AbortController().signal };
    await runProgram([process.argv[1]], '', limits);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, program.file], {
    stdio: 'ignore',
  });
  const closed = once(child, 'close');
  await started;
  child.kill('SIGINT');
  expect(await closed).toEqual([130, null]);
  expect(await ended).toBe('started\n');
});
