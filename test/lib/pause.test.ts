import { expect, test } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { pause } from '../../src/lib/pause.ts';

test('ends after its time', async () => {
  await expect(pause(milliseconds(1), new AbortController().signal)).resolves.toBeUndefined();
});

test('ends at once with the reason of a signal that is aborted meanwhile', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const paused = pause(milliseconds(3_600_000), stop.signal);
  stop.abort(reason);
  await expect(paused).rejects.toBe(reason);
});

test('does not begin with a signal that is aborted already', async () => {
  const reason = new Error('enough');
  await expect(pause(milliseconds(3_600_000), AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('waits, and not a moment less, for longer than a timer can', async () => {
  const stop = new AbortController();
  const paused = pause(milliseconds(2 ** 40), stop.signal);
  stop.abort(new Error('enough'));
  await expect(paused).rejects.toThrow('enough');
});
