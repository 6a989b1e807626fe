import { expect, it, onTestFinished, vi } from 'vitest';
import { LoginTrial } from '../../src/registry/auth/login-trial.ts';

/** Lets these requests enter a trial at once; returns those that are in, in order. */
function entering(trial: LoginTrial, requests: readonly string[]) {
  const inside: string[] = [];
  const all = Promise.all(requests.map((request) => trial.enter(request).then(() => inside.push(request))));
  return { inside, all };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

it('lets one request in after the other, until one is accepted', async () => {
  const trial = new LoginTrial();
  const { inside, all } = entering(trial, ['a', 'a', 'b', 'c', 'd']);
  await settle();
  expect(inside).toEqual(['a', 'a']);
  trial.leave('b');
  await settle();
  expect(inside).toEqual(['a', 'a']);
  trial.leave('a');
  await settle();
  expect(inside).toEqual(['a', 'a', 'b']);
  trial.accept();
  await all;
  expect(inside.slice(3).toSorted()).toEqual(['c', 'd']);
  await trial.enter('e');
});

it('lets the next one in if a request is not answered for long', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const trial = new LoginTrial();
  const { inside, all } = entering(trial, ['a', 'b', 'c']);
  await settle();
  vi.advanceTimersByTime(4999);
  await settle();
  expect(inside).toEqual(['a']);
  vi.advanceTimersByTime(1);
  await settle();
  expect(inside).toEqual(['a', 'b']);
  trial.leave('a');
  await settle();
  expect(inside).toEqual(['a', 'b']);
  trial.leave('b');
  await all;
  trial.leave('c');
  expect(vi.getTimerCount()).toBe(0);
});
