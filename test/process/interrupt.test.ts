import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Interrupt } from '../../src/process/interrupt.ts';

/** An interrupt of a process that is only an emitter, with what it said and how it ended. */
function interrupted(...signals: readonly string[]) {
  const process = new EventEmitter();
  const told: string[] = [];
  const ended: number[] = [];
  const interrupt = new Interrupt(
    process,
    (signal) => told.push(signal),
    (code) => ended.push(code),
  );
  for (const signal of signals) process.emit(signal);
  return { process, interrupt, told, ended };
}

test('without a signal nothing is stopped', () => {
  const { interrupt, told, ended } = interrupted();
  expect(interrupt.signal.aborted).toBe(false);
  expect(interrupt.stoppedBy).toBeUndefined();
  expect([told, ended]).toEqual([[], []]);
});

test.each(['SIGINT', 'SIGTERM'])('the first %s aborts the run, says so and does not end it', (name) => {
  const { interrupt, told, ended } = interrupted(name);
  expect(interrupt.signal.reason).toMatchObject({ name: 'AbortError', message: `cancelled by ${name}` });
  expect(interrupt.stoppedBy).toBe(name);
  expect([told, ended]).toEqual([[name], []]);
});

describe('the second signal ends the process', () => {
  test.each([
    ['SIGINT', 'SIGINT', 130],
    ['SIGINT', 'SIGTERM', 143],
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGTERM', 'SIGINT', 130],
  ])('%s, %s: %i', (first, second, code) => {
    const { interrupt, told, ended } = interrupted(first, second);
    expect([told, ended]).toEqual([[first], [code]]);
    expect(interrupt.stoppedBy).toBe(first);
  });
});

test('another signal is no reason to stop', () => {
  const { interrupt, told } = interrupted('SIGHUP', 'SIGUSR1');
  expect(interrupt.signal.aborted).toBe(false);
  expect(told).toEqual([]);
});

test('once it is over, signals are left to Node', () => {
  const { process, interrupt, told } = interrupted();
  expect(process.listenerCount('SIGINT')).toBe(1);
  interrupt[Symbol.dispose]();
  expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual([0, 0]);
  process.emit('SIGINT');
  expect(told).toEqual([]);
});
