import { expect, test } from 'vitest';
import { asIs, malformed, oneOf, parseSwitch, wholeNumber } from '../../src/config/flags/flag-value.ts';

test.each([
  ['true', true],
  ['YES', true],
  ['1', true],
  ['False', false],
  ['no', false],
  ['0', false],
])('%s switches a flag to %s', (text, value) => {
  expect(parseSwitch(text, '--dry-run')).toBe(value);
});

test.each([
  ['0', 0],
  ['12', 12],
  ['100', 100],
  ['007', 7],
])('%s is a whole number', (text, value) => {
  expect(wholeNumber(0, 100)(text, '--limit')).toBe(value);
});

test('a word is one of those that are taken', () => {
  expect(oneOf('off', 'warn', 'require')('warn', '--verify')).toBe('warn');
});

test('a text may be taken as it is', () => {
  expect(asIs(' a ')).toBe(' a ');
});

test.each<[what: string, read: () => unknown, message: string, hint: string]>([
  [
    'a switch',
    () => parseSwitch('maybe', '--x'),
    '"maybe" is neither true nor false',
    'write true or false; yes, no, 1 and 0 work too',
  ],
  [
    'a number below',
    () => wholeNumber(1, 9)('0', '--x'),
    '"0" is out of bounds',
    'write a whole number from 1 to 9',
  ],
  [
    'a number above',
    () => wholeNumber(1, 9)('10', '--x'),
    '"10" is out of bounds',
    'write a whole number from 1 to 9',
  ],
  [
    'a fraction',
    () => wholeNumber(1, 9)('1.5', '--x'),
    '"1.5" is not a whole number',
    'write a whole number from 1 to 9',
  ],
  [
    'less than nothing',
    () => wholeNumber(0, 9)('-1', '--x'),
    '"-1" is not a whole number',
    'write a whole number from 0 to 9',
  ],
  [
    'no number',
    () => wholeNumber(0, 9)('', '--x'),
    '"" is not a whole number',
    'write a whole number from 0 to 9',
  ],
  ['a word', () => oneOf('on', 'off')('On', '--x'), '"On" is not an allowed value', 'write on or off'],
])('%s is refused', (_what, read, message, hint) => {
  expect(read).toThrow(
    expect.objectContaining({ code: 'FLAG_MALFORMED', fault: 'usage', about: '--x', message, hint }),
  );
});

test('a long text is not repeated in full', () => {
  expect(malformed('--x', 'y'.repeat(300), 'is long', 'shorten it').message).toBe(
    `"${'y'.repeat(200)}" is long`,
  );
});
