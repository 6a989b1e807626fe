import { describe, expect, test } from 'vitest';
import { DerError, derContent, derValues, requireSmallDer } from '../../src/signatures/der.ts';
import { der } from '../support/sigstore/der-writer.ts';

const NULL = Buffer.from([5, 0]);

function many(count: number): Buffer {
  return Buffer.alloc(count * NULL.length, NULL);
}

function nested(depth: number, tag: number): Buffer {
  let bytes: Buffer = NULL;
  for (let level = 0; level < depth; level += 1) bytes = der(tag, bytes);
  return bytes;
}

test('values are read one after the other', () => {
  const long = Buffer.alloc(300, 1);
  expect(derValues(Buffer.concat([NULL, der(4, long)]))).toEqual([
    { tag: 5, content: Buffer.alloc(0) },
    { tag: 4, content: long },
  ]);
});

test.each<[what: string, bytes: Buffer]>([
  ['that ends after its tag', Buffer.from([0x30])],
  ['that is shorter than it says', Buffer.from([4, 2, 0])],
  ['whose length is cut off', Buffer.from([4, 0x82, 1])],
  ['whose length has a byte too many', Buffer.from([4, 0x81, 1, 0])],
  ['whose length begins with zeros', Buffer.concat([Buffer.from([4, 0x82, 0, 0x80]), Buffer.alloc(128)])],
  ['without an end', Buffer.from([0x30, 0x80, 0, 0])],
  ['of four gigabytes', Buffer.from([4, 0x84, 0xff, 0xff, 0xff, 0xff])],
  ['with a long tag', Buffer.from([0x1f, 1, 0])],
  ['with the tag 0', Buffer.from([0, 0])],
])('a value %s is malformed', (_what, bytes) => {
  expect(() => derValues(bytes)).toThrow(DerError);
  expect(() => requireSmallDer(bytes, 10)).toThrow(DerError);
});

test('one value of a kind is wanted, and nothing after it', () => {
  expect(derContent(der(4, NULL), 4)).toEqual(NULL);
  expect(() => derContent(der(4, NULL), 5)).toThrow(DerError);
  expect(() => derContent(Buffer.concat([NULL, NULL]), 5)).toThrow(DerError);
  expect(() => derContent(Buffer.alloc(0), 5)).toThrow(DerError);
});

describe('the number of values is limited', () => {
  test.each<[what: string, bytes: Buffer, isSmall: boolean]>([
    ['in a sequence', der(0x30, many(99)), true],
    ['in a longer sequence', der(0x30, many(100)), false],
    ['in a string of bytes, where a reader looks for more', der(4, many(100)), false],
    ['in a string of bytes that turns out to be no values', der(4, many(100), Buffer.from([9])), false],
    ['in a string of mere bytes', der(4, Buffer.alloc(1000, 0xff)), true],
    ['nested in sequences', nested(51, 0x30), false],
    ['nested in strings of bytes, of which some may be mere bytes', nested(51, 4), true],
    ['nested less', nested(40, 0x30), true],
  ])('%s', (_what, bytes, isSmall) => {
    const check = () => requireSmallDer(bytes, 100);
    if (isSmall) expect(check).not.toThrow();
    else expect(check).toThrow(DerError);
  });
});
