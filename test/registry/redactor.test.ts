import { expect, test } from 'vitest';
import { Redactor } from '../../src/registry/redactor.ts';

function redact(text: string, ...known: readonly string[]): string {
  const redactor = new Redactor();
  for (const secret of known) redactor.add(secret);
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
  ['a token as it is', `x${'t'.repeat(300)}y`, ['t'.repeat(300)], 'x***y'],
])('redacts %s', (_what, text, secrets, clean) => {
  expect(redact(text, ...secrets)).toBe(clean);
});
