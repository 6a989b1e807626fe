import { expect, it } from 'vitest';
import { RequestAttempts } from '../../src/registry/blob/request-attempts.ts';

const MEBIBYTE = 1024 * 1024;

it('counts each request on its own', () => {
  const attempts = new RequestAttempts<'open' | 'put'>();
  const counts = (['open', 'put', 'open', 'put', 'put'] as const).map((request) => attempts.failed(request));
  expect(counts).toEqual([1, 1, 2, 2, 3]);
});

it('begins anew after progress, which is a mebibyte beyond all before', () => {
  const attempts = new RequestAttempts<'put'>();
  attempts.failed('put');
  expect(attempts.reached(MEBIBYTE - 1)).toBe(false);
  expect(attempts.failed('put')).toBe(2);
  expect(attempts.reached(MEBIBYTE)).toBe(true);
  expect(attempts.failed('put')).toBe(1);
  // An upload that was started over has to come further than the one before.
  expect([attempts.reached(1000), attempts.reached(MEBIBYTE), attempts.reached(2 * MEBIBYTE - 1)]).toEqual([
    false,
    false,
    false,
  ]);
  expect(attempts.failed('put')).toBe(2);
  expect(attempts.reached(2 * MEBIBYTE)).toBe(true);
});
