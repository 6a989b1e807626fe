import { expect, test } from 'vitest';
import { Redactor } from '../../src/registry/redactor.ts';

function redact(text: string, ...known: readonly string[]): string {
  const redactor = new Redactor();
  for (const secret of known) redactor.add(secret, 'password');
  return redactor.redact(text);
}

test.each<[what: string, text: string, secrets: readonly string[], clean: string]>([
  ['nothing where none is known', 'the password is hush', [], 'the password is hush'],
  ['a secret, however often', 'hush hush', ['hush'], '*** ***'],
  ['a secret within a word', 'xhushx', ['hush'], 'x***x'],
  ['one in base64', `Basic ${Buffer.from('me:hush').toString('base64')}`, ['me:hush'], 'Basic ***'],
  ['one in a query', '?password=a%2Fb%3Dc+d&x=1', ['a/b=c d'], '?password=***&x=1'],
  ['one in a URL', 'https://me:a%2Fb%20c@host', ['a/b c'], 'https://me:***@host'],
  ['one in a URL with small letters', 'https://me:a%2fb%20c@host', ['a/b c'], 'https://me:***@host'],
  ['one in JSON', '{"p":"a\\/b\\u0026c"}', ['a/b&c'], '{"p":"***"}'],
  ['one in HTML', 'the password a&amp;b&#39;c', ["a&b'c"], 'the password ***'],
  ['one in hexadecimal', 'x 68757368 HUSH', ['hush'], 'x *** HUSH'],
  ['a longer one before a shorter one in it', 'secretlong', ['secret', 'secretlong'], '***'],
  ['none that is too short to be one', 'abc', ['abc'], 'abc'],
])('redacts %s', (_what, text, secrets, clean) => {
  expect(redact(text, ...secrets)).toBe(clean);
});

test('a token is redacted as it is alone, for there may be thousands', () => {
  const redactor = new Redactor();
  redactor.add('djE6', 'token');
  expect(redactor.redact('djE6, in hexadecimal 646a4536')).toBe('***, in hexadecimal 646a4536');
});

test('a password is redacted in every form however long it is, as a key of Google Cloud', () => {
  const key = `{\n  "private_key": "${'k'.repeat(2000)}/"\n}`;
  const said = `no such user: ${JSON.stringify(key)}, ${encodeURIComponent(key)}`;
  expect(redact(said, key)).toBe('no such user: "***", ***');
});

test('what was a token first is redacted in every form once it is a password', () => {
  const redactor = new Redactor();
  redactor.add('hush', 'token');
  redactor.add('hush', 'password');
  expect(redactor.redact('x 68757368')).toBe('x ***');
});
