import fc from 'fast-check';
import { expect, test } from 'vitest';
import { code, escapeMarkdown, tableHead, tableRow } from '../../src/lib/text/markdown.ts';

test.each([
  ['etcd:3.6.5-0', 'etcd:3.6.5-0'],
  ['kube-apiserver', 'kube-apiserver'],
  ['<script>alert(1)</script>', '&#60;script&#62;alert(1)&#60;/script&#62;'],
  ['a|b `c` *d* _e_ ~f~', 'a&#124;b &#96;c&#96; &#42;d&#42; &#95;e&#95; &#126;f&#126;'],
  ['[x](https://evil)', '&#91;x&#93;(https&#58;<!-- -->//evil)'],
  ['@octocat #1 &amp; !', '&#64;<!-- -->octocat &#35;<!-- -->1 &#38;amp; &#33;'],
  ['two\nlines\r\nand\ta tab', 'two lines and a tab'],
  ['see www.example.com', 'see www<!-- -->.example.com'],
  ['me@example.com', 'me&#64;<!-- -->example.com'],
  ['GH-12 and o/r#3', 'GH<!-- -->-12 and o/r&#35;<!-- -->3'],
  ['at 0123456789abcdef', 'at <code>0123456789abcdef</code>'],
  ['is :smile: or $x$', 'is &#58;<!-- -->smile: or &#36;x&#36;'],
  ['at :1234: but registry:5000: it', 'at &#58;<!-- -->1234: but registry:5000: it'],
  ['- list', '&#45; list'],
  ['1. list', '&#49;. list'],
  ['1)', '&#49;)'],
  ['a\u202Eb\u0007', 'ab'],
])('%j is shown as it is', (text, escaped) => {
  expect(escapeMarkdown(text)).toBe(escaped);
});

test('names are code, and tables have their lines', () => {
  expect(tableRow([code('a|b'), 'x'])).toBe('| <code>a&#124;b</code> | x |');
  expect(tableHead(['Image', '>Sent'])).toBe('| Image | Sent |\n| --- | --: |');
});

/** The pieces of text between what Markdown passes on as HTML, with their character references resolved. */
function piecesOf(markdown: string): string[] {
  return markdown
    .split(/<!-- -->|<\/?code>/)
    .map((piece) => piece.replaceAll(/&#(\d+);/g, (_, number) => String.fromCodePoint(Number(number))));
}

// https://github.github.com/gfm/#autolinks-extension-, taken widely: no matter what stands before and behind. Implementations
// look for some of these in the source, and for others in the text that comes of it, so none may be in either.
const ADDRESSES: readonly RegExp[] = [
  /www\./i,
  /(?:https?|ftp|mailto|xmpp):\/\//i,
  /[\w.+-]+@[\w-]+(?:\.[\w-]+)*/,
];
// https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
const REFERENCES: readonly RegExp[] = [
  /@[a-z\d]/i,
  /#\d/,
  /(?<![a-z\d])gh-\d/i,
  /:(?:[+-]1|100|1234|(?=[\w+-]{1,40}:)[\d_+-]*[a-z][\w+-]*):/i,
];
/** Not looked for in code. */
const COMMIT = /(?<![a-z\d])[0-9a-f]{7,40}(?![a-z\d])/i;

const words = fc.constantFrom(
  ...[
    'www.',
    'example.com',
    'https://',
    'ftp://',
    'me',
    '@',
    'o/r',
    '#1',
    'GH-',
    '7',
    'deadbeef',
    ':smile:',
    ':+1:',
  ],
  ...[
    'a',
    '.',
    ':',
    '/',
    '-',
    '_',
    ' ',
    '<',
    '>',
    '&#64;',
    '&',
    ';',
    '`',
    '|',
    '[x](',
    ')',
    '\n',
    '\u200b',
    '$',
    'W',
  ],
);
const foreign = fc.oneof(
  fc.array(words, { maxLength: 12 }).map((all) => all.join('')),
  fc.string({ unit: 'grapheme' }),
);

test('no foreign text makes a link, and it is shown as it is', () => {
  fc.assert(
    fc.property(foreign, (text) => {
      const shown = text.replace(/\s+/g, ' ').replace(/\p{Cc}|\p{Cf}/gu, '');
      expect(escapeMarkdown(text).replaceAll(/<code>[^<]*<\/code>/g, '')).not.toMatch(COMMIT);
      for (const [markdown, rules] of [
        [escapeMarkdown(text), [...ADDRESSES, ...REFERENCES]],
        [code(text), ADDRESSES],
      ] as const) {
        const pieces = piecesOf(markdown);
        expect(pieces.join('')).toBe(shown);
        expect(markdown.replaceAll(/<!-- -->|<\/?code>/g, '')).not.toMatch(/[<>`*_~[\]\\|@$]/);
        for (const rule of ADDRESSES) expect(markdown).not.toMatch(rule);
        for (const rule of rules) expect(pieces.filter((piece) => rule.test(piece))).toEqual([]);
      }
    }),
    { numRuns: 1000 },
  );
});
