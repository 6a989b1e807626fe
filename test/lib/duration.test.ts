import { expect, it } from 'vitest';
import { formatDuration, milliseconds, parseAge, parseDuration } from '../../src/lib/duration.ts';

it.each([
  ['0', 0],
  ['15m0s', 900_000],
  ['1.5h', 5_400_000],
  ['1h2m3s4ms', 3_723_004],
  ['.5s', 500],
  ['596h', 2_145_600_000],
])('reads %s', (text, expected) => {
  expect(parseDuration(text, '--push-timeout')).toBe(expected);
});

it.each([
  ['', '"" is not a duration'],
  ['1', '"1" is not a duration'],
  ['-1s', '"-1s" is not a duration'],
  ['1s ', undefined],
  ['1 s', '"1 s" is not a duration'],
  // A timer that is given more goes off at once.
  ['720h', '"720h" is longer than 24 days'],
  ['9'.repeat(400).concat('h'), 'is not a duration'],
])('refuses %s', (text, message) => {
  const read = () => parseDuration(text, '--push-timeout');
  if (message === undefined) expect(read()).toBe(1000);
  else
    expect(read).toThrow(
      expect.objectContaining({ code: 'DURATION_MALFORMED', message: expect.stringContaining(message) }),
    );
});

it('tells a duration in two units', () => {
  expect(formatDuration(milliseconds(7_500_000))).toBe('2 h 5 m');
});

it.each([
  ['48h', 172_800_000],
  ['2d', 172_800_000],
  [' 1d12h30m ', 131_400_000],
  ['0', 0],
  ['0h', 0],
  ['365d', 31_536_000_000],
])('reads the age %j', (text, expected) => {
  expect(parseAge(text, 'minimumAge')).toBe(expected);
});

it.each(['', '48', '2 days', '-1h', '1.5d', '1h2d', '366d', '30s', '9'.repeat(400).concat('h')])(
  'refuses the age %j',
  (text) => {
    expect(() => parseAge(text, 'minimumAge')).toThrow(
      expect.objectContaining({ code: 'DURATION_MALFORMED', about: 'minimumAge' }),
    );
  },
);
