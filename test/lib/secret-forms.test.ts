import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { secretForms } from '../../src/lib/secret-forms.ts';
import { findSecrets } from '../support/secret-search.ts';

// As each of them prints this password, which has all that they treat differently.
const SECRET = 'a/b+c=é"&<>\'`\\d';
const PRINTED: readonly (readonly [by: string, text: string])[] = [
  ['JSON.stringify', 'a/b+c=é\\"&<>\'`\\\\d'],
  ['encoding/json of Go', 'a/b+c=é\\"\\u0026\\u003c\\u003e\'`\\\\d'],
  ['json_encode of PHP', 'a\\/b+c=\\u00e9\\"&<>\'`\\\\d'],
  ['json.dumps of Python', 'a/b+c=\\u00e9\\"&<>\'`\\\\d'],
  ['Jackson, with what is not ASCII escaped', 'a/b+c=\\u00E9\\"&<>\'`\\\\d'],
  ['System.Text.Json of .NET', 'a/b\\u002Bc\\u003D\\u00E9\\u0022\\u0026\\u003C\\u003E\\u0027\\u0060\\\\d'],
  ['html.EscapeString of Go', 'a/b+c=é&#34;&amp;&lt;&gt;&#39;`\\d'],
  ['html.escape of Python', 'a/b+c=é&quot;&amp;&lt;&gt;&#x27;`\\d'],
  ['htmlspecialchars of PHP', 'a/b+c=é&quot;&amp;&lt;&gt;&#039;`\\d'],
  ['CGI.escapeHTML of Ruby', 'a/b+c=é&quot;&amp;&lt;&gt;&#39;`\\d'],
  ['an XML writer', 'a/b+c=é&quot;&amp;&lt;&gt;&apos;`\\d'],
  ['Mustache', 'a&#x2F;b+c&#x3D;é&quot;&amp;&lt;&gt;&#39;&#x60;\\d'],
  ['HTML by numbers', 'a&#47;b&#43;c&#61;&#233;&#34;&#38;&#60;&#62;&#39;&#96;&#92;d'],
  ['encodeURIComponent', "a%2Fb%2Bc%3D%C3%A9%22%26%3C%3E'%60%5Cd"],
  ['URLEncoder with small letters', 'a%2fb%2bc%3d%c3%a9%22%26%3c%3e%27%60%5cd'],
  ['a query', 'a%2Fb%2Bc%3D%C3%A9%22%26%3C%3E%27%60%5Cd'],
  ['hexadecimal', Buffer.from(SECRET).toString('hex')],
  ['hexadecimal with capitals', Buffer.from(SECRET).toString('hex').toUpperCase()],
  ['base64', Buffer.from(SECRET).toString('base64')],
  [
    'base64 in a query with small letters',
    encodeURIComponent(Buffer.from(SECRET).toString('base64')).replaceAll(/%../g, (byte) =>
      byte.toLowerCase(),
    ),
  ],
];

describe('the forms of a secret', () => {
  test.each(PRINTED)('include that of %s', (_by, text) => {
    expect([...secretForms(SECRET)]).toContain(text);
  });

  test('are all found by the search that looks through what runs print', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 6, maxLength: 40 }), (secret) => {
        // What a reader undoes must not be in the secret itself.
        fc.pre(!/[%&\\]/.test(secret) && secret.isWellFormed());
        for (const form of secretForms(secret)) expect(findSecrets('here', form, { secret })).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
  });

  test.each(['a', '42', 'é'])('are no ordinary words where the secret is as short as %s', (secret) => {
    expect([...secretForms(secret)].filter((form) => form !== secret && form.length < 4)).toEqual([]);
  });

  test('are few where nothing has to be escaped', () => {
    expect(secretForms('hunter2hunter2').size).toBeLessThanOrEqual(8);
  });
});
