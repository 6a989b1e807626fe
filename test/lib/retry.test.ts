import { describe, expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { Failure } from '../../src/lib/failure.ts';
import { retry } from '../../src/lib/retry.ts';

const policy = { attempts: 3, interval: milliseconds(1) };
const { signal } = new AbortController();

function failing(more: { transient?: boolean; retryAt?: number } = {}): Failure {
  return new Failure({ code: 'BUSY', about: 'host', message: 'not now', transient: true, ...more });
}

/** Returns how often an operation was tried that fails with these errors in turn, the last one ever after. */
async function attemptsAt(
  errors: readonly Error[],
  options: Partial<Parameters<typeof retry>[0]> = {},
): Promise<number> {
  let count = 0;
  const last = errors.at(-1);
  const tried = retry({ policy, signal, ...options }, async () => {
    const error = errors[count] ?? last;
    count += 1;
    throw error;
  });
  await expect(tried).rejects.toBe(last);
  return count;
}

describe('retry', () => {
  it('repeats a transient failure as often as the policy allows, and throws the last as it is', async () => {
    expect(await attemptsAt([failing(), failing(), failing()])).toBe(3);
  });

  it('gives each request of an operation all attempts', async () => {
    const [one, other] = [failing(), failing()];
    const requestOf = (error: unknown) => (error === one ? 'one' : 'other');
    expect(await attemptsAt([one, other, one, other, other], { requestOf })).toBe(5);
  });

  it('throws the deferral of a failure that it would repeat, and the failure itself where it would not', async () => {
    const deferral = failing({ transient: false });
    const held = new Failure({ code: 'BUSY', about: 'host', message: 'later', transient: true, deferral });
    const operation = async (): Promise<never> => {
      throw held;
    };
    await expect(retry({ policy, signal }, operation)).rejects.toBe(deferral);
    await expect(retry({ policy: { ...policy, attempts: 1 }, signal }, operation)).rejects.toBe(held);
  });

  it('ends at a failure that is not transient', async () => {
    expect(await attemptsAt([failing(), failing({ transient: false })])).toBe(2);
  });

  it('does not repeat an error that is no failure', async () => {
    expect(await attemptsAt([Object.assign(new Error('read'), { code: 'ECONNRESET' })])).toBe(1);
  });

  it('repeats what the operation can mend, where it says so', async () => {
    const isWorthRepeating = (): boolean => true;
    expect(await attemptsAt([failing({ transient: false })], { isWorthRepeating })).toBe(3);
    const never = (): boolean => false;
    expect(await attemptsAt([failing()], { isWorthRepeating: never })).toBe(1);
  });

  it('tells of each attempt that will be repeated', async () => {
    const told: [unknown, number][] = [];
    const error = failing();
    await attemptsAt([error], { onRetry: (...each) => told.push(each) });
    expect(told).toEqual([
      [error, 1],
      [error, 2],
    ]);
  });

  it('waits as long as the other side asks for', async () => {
    const until = Date.now() + 50;
    const times: number[] = [];
    await retry({ policy, signal }, async (attempt) => {
      times.push(Date.now());
      if (attempt === 1) throw failing({ retryAt: until });
    });
    expect(times).toHaveLength(2);
    // Timers may be early by a part of a millisecond.
    expect(times[1]).toBeGreaterThanOrEqual(until - 1);
  });

  it('does not ask again who wants more patience than five minutes', async () => {
    expect(await attemptsAt([failing({ retryAt: Date.now() + 301_000 })])).toBe(1);
  });

  it('ends with the reason of the signal, also while it waits', async () => {
    const run = new AbortController();
    const reason = new Error('the run is over');
    const error = failing({ retryAt: Date.now() + 60_000 });
    const options = { policy, signal: run.signal, onRetry: () => run.abort(reason) };
    await expect(retry(options, () => Promise.reject(error))).rejects.toBe(reason);
    await expect(retry(options, () => Promise.resolve())).rejects.toBe(reason);
  });
});
