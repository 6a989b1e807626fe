import { expect, test } from 'vitest';
import { Transfer } from '../../src/sync/copy/transfer.ts';

const KIB = 1024;

/** A transfer with a clock that the test sets. */
function transfer() {
  const clock = { now: 1000 };
  return { clock, image: new Transfer(() => clock.now) };
}

test('a transfer tells how far it is, and at which rate', () => {
  const { clock, image } = transfer();
  expect(image.describe()).toBeUndefined();
  image.expect(100 * KIB);
  expect(image.describe()).toBe('0 B of 100 KiB');
  image.move(20 * KIB);
  expect(image.describe()).toBe('20 KiB of 100 KiB');
  clock.now += 4000;
  image.move(20 * KIB);
  expect(image.describe()).toBe('40 KiB of 100 KiB, 10 KiB/s');
});

test('one that stands still says since when', () => {
  const { clock, image } = transfer();
  clock.now += 5000;
  expect(image.describe()).toBe('no bytes for 5 s');
  image.expect(100 * KIB);
  image.move(40 * KIB);
  clock.now += 75_000;
  expect(image.describe()).toBe('40 KiB of 100 KiB, no bytes for 1 m 15 s');
});

test('a layer that was there, or moved twice, counts for what moved', () => {
  const { image } = transfer();
  image.expect(100 * KIB);
  image.expect(50 * KIB);
  image.settle(100 * KIB, 0);
  expect(image.describe()).toBe('0 B of 50 KiB');
  image.move(70 * KIB);
  image.settle(50 * KIB, 70 * KIB);
  expect(image.describe()).toBe('70 KiB of 70 KiB');
});

test('the size is known when the manifest and all that it lists were read', () => {
  const { image } = transfer();
  expect(image.isRead).toBe(false);
  image.read(2);
  image.read();
  expect(image.isRead).toBe(false);
  image.read();
  expect(image.isRead).toBe(true);
});
