import { expect, test } from 'vitest';
import { code, escapeMarkdown, tableHead, tableRow } from '../../src/lib/text/markdown.ts';

test.each([
  ['etcd:3.6.5-0', 'etcd:3.6.5-0'],
  ['kube-apiserver', 'kube-apiserver'],
  ['<script>alert(1)</script>', '&#60;script&#62;alert(1)&#60;/script&#62;'],
  ['a|b `c` *d* _e_ ~f~', 'a&#124;b &#96;c&#96; &#42;d&#42; &#95;e&#95; &#126;f&#126;'],
  ['[x](https://evil)', '&#91;x&#93;(https&#58;//evil)'],
  ['@octocat #1 &amp; !', '&#64;octocat &#35;1 &#38;amp; &#33;'],
  ['two\nlines\r\nand\ta tab', 'two lines and a tab'],
  ['- list', '&#45; list'],
  ['1. list', '&#49;. list'],
  ['a\u202Eb\u0007', 'ab'],
])('%j is shown as it is', (text, escaped) => {
  expect(escapeMarkdown(text)).toBe(escaped);
});

test('names are code, and tables have their lines', () => {
  expect(tableRow([code('a|b'), 'x'])).toBe('| <code>a&#124;b</code> | x |');
  expect(tableHead(['Image', '>Sent'])).toBe('| Image | Sent |\n| --- | --: |');
});
