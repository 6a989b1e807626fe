import { expect, test } from 'vitest';
import { decodeText } from '../../src/lib/text/decoded-text.ts';

const TEXT = '{"names": ["pause"]}\r\n';
const utf16le = Buffer.from(TEXT, 'utf16le');
const utf16be = Buffer.from(utf16le).swap16();
const mark = (...bytes: number[]) => Buffer.from(bytes);

test.each([
  ['UTF-8', Buffer.from(TEXT)],
  ['UTF-8 with a mark', Buffer.concat([mark(0xef, 0xbb, 0xbf), Buffer.from(TEXT)])],
  ['UTF-16 of PowerShell', Buffer.concat([mark(0xff, 0xfe), utf16le])],
  ['UTF-16 of the other order', Buffer.concat([mark(0xfe, 0xff), utf16be])],
  ['UTF-16 without a mark', utf16le],
  ['UTF-16 of the other order without a mark', utf16be],
])('reads %s', (_, bytes) => {
  expect(decodeText(bytes)).toBe(TEXT);
});

test('reads nothing, and characters of all lengths', () => {
  expect(decodeText(Buffer.alloc(0))).toBe('');
  expect(decodeText(Buffer.from('aä€😀'))).toBe('aä€😀');
});

test.each([
  ['Latin-1', Buffer.from('a\nGr\u00f6\u00dfe', 'latin1'), 'byte 5, on line 2,'],
  ['a cut character', Buffer.from('a€').subarray(0, 3), 'byte '],
  ['half a character of UTF-16', Buffer.concat([mark(0xff, 0xfe), utf16le, mark(0x20)]), 'byte '],
])('says where %s does not fit', (_, bytes, where) => {
  expect(() => decodeText(bytes)).toThrow(where);
  expect(() => decodeText(bytes)).toThrow('save it as UTF-8');
});
