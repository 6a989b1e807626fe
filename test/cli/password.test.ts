import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { takePassword } from '../../src/cli/password.ts';

function take(flags: Readonly<Record<string, string>>, input = '', isTTY = false) {
  const stdin = Object.assign(Readable.from([input]), { isTTY });
  return takePassword(new Map(Object.entries(flags)), stdin, 'synctl sync');
}

test.each([
  ['open sesame\n', 'open sesame'],
  ['open sesame\r\n', 'open sesame'],
  [' two\nlines ', ' two\nlines '],
])('%j on standard input is the password %j', async (input, password) => {
  const { values, notices } = await take({ 'password-stdin': 'true' }, input);
  expect([values.get('password'), notices]).toEqual([password, []]);
});

test('one on the command line is taken, with a word on who sees it', async () => {
  const { values, notices } = await take({ password: 'hush' });
  expect(values.get('password')).toBe('hush');
  expect(notices).toEqual([expect.stringMatching(/^--password: every user of this machine can read it/)]);
});

test('without either nothing is read', async () => {
  expect(await take({ 'password-stdin': 'no' }, 'unread')).toEqual({
    values: new Map([['password-stdin', 'no']]),
    notices: [],
  });
});

test.each([
  ['--password is given too', { password: 'x', 'password-stdin': 'yes' }, '', false],
  ['--images - reads standard input as well', { 'password-stdin': 'yes', images: 'a.txt\n-' }, 'x', false],
  ['standard input is empty', { 'password-stdin': 'yes' }, '\n', false],
  ['standard input is a terminal, which would show the password', { 'password-stdin': 'yes' }, 'x', true],
  ['standard input contains more than a password', { 'password-stdin': 'yes' }, 'x'.repeat(70_000), false],
  ['"perhaps" is neither true nor false', { 'password-stdin': 'perhaps' }, 'x', false],
])('%s', async (message, flags, input, isTTY) => {
  await expect(take(flags, input, isTTY)).rejects.toMatchObject({
    code: 'FLAG_MALFORMED',
    about: '--password-stdin',
    message,
  });
});

test('input that does not end is waited for as long as the command may take, and then left', async () => {
  const stdin = Object.assign(new Readable({ read: () => undefined }), { isTTY: false });
  const flags = new Map([
    ['password-stdin', 'yes'],
    ['command-timeout', '10ms'],
  ]);
  await expect(takePassword(flags, stdin, 'synctl sync')).rejects.toMatchObject({
    code: 'COMMAND_TIMED_OUT',
  });
  expect(stdin.destroyed).toBe(true);
});
