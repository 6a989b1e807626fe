import { expect, it } from 'vitest';
import { withinSignal } from '../../src/lib/within-signal.ts';

const OVER = new Error('the run is over');

it('returns the result of a promise, or throws its error', async () => {
  const { signal } = new AbortController();
  expect(await withinSignal(Promise.resolve(7), signal)).toBe(7);
  await expect(withinSignal(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
});

it('throws the reason of the signal as soon as it aborts', async () => {
  const run = new AbortController();
  const late = Promise.withResolvers<number>();
  const result = withinSignal(late.promise, run.signal);
  run.abort(OVER);
  await expect(result).rejects.toBe(OVER);
  // What comes of it later is unheard, also an error.
  late.reject(new Error('too late'));
});

it('throws the reason of a signal that was aborted before, whatever has come of the promise', async () => {
  await expect(withinSignal(Promise.resolve(7), AbortSignal.abort(OVER))).rejects.toBe(OVER);
  await expect(withinSignal(Promise.reject(new Error('no')), AbortSignal.abort(OVER))).rejects.toBe(OVER);
});
