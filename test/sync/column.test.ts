import { expect, test } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import {
  digestBytes,
  digestIn,
  numberIn,
  preciseTimeIn,
  readable,
  textIn,
  timeIn,
  wholeSeconds,
} from '../../src/sync/state/column.ts';

const TIME = new Date('2026-03-01T02:03:04.567Z');

test('what is stored comes back', () => {
  const row = {
    text: 'keel/pause',
    number: 7,
    seconds: wholeSeconds(TIME),
    precise: TIME.getTime(),
    sha256: Uint8Array.from(digestBytes(digestOf(Buffer.from('a')))),
    sha512: Uint8Array.from(digestBytes(digestOf(Buffer.from('a'), 'sha512'))),
  };
  expect(textIn(row, 'text')).toBe('keel/pause');
  expect(numberIn(row, 'number')).toBe(7);
  expect(timeIn(row, 'seconds')).toEqual(new Date('2026-03-01T02:03:04Z'));
  expect(preciseTimeIn(row, 'precise')).toEqual(TIME);
  expect(digestIn(row, 'sha256')).toBe(digestOf(Buffer.from('a')));
  expect(digestIn(row, 'sha512')).toBe(digestOf(Buffer.from('a'), 'sha512'));
});

test.each([
  ['a number for a text', () => textIn({ a: 1 }, 'a')],
  ['a text for a number', () => numberIn({ a: '1' }, 'a')],
  ['nothing', () => textIn({}, 'a')],
  ['null', () => numberIn({ a: null }, 'a')],
  ['a time beyond all times', () => timeIn({ a: 1e15 }, 'a')],
  ['a text for a digest', () => digestIn({ a: 'sha256' }, 'a')],
])('%s cannot be read', (_what, read) => {
  expect(read).toThrow(
    expect.objectContaining({
      code: 'STATE_ROW_UNREADABLE',
      message: 'the column a has an unexpected value',
    }),
  );
});

test('rows that cannot be read are left out, and faults of the program are not', () => {
  expect(readable([{ a: 1 }, { a: 'x' }, { a: 2 }], (row) => numberIn(row, 'a'))).toEqual([1, 2]);
  expect(() => digestIn({ a: new Uint8Array(5) }, 'a')).toThrow(Failure);
  expect(readable([{ a: new Uint8Array(5) }], (row) => digestIn(row, 'a'))).toEqual([]);
  const broken = () =>
    readable([{ a: 1 }], () => {
      throw new TypeError('a bug');
    });
  expect(broken).toThrow('a bug');
});
