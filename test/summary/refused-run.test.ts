import { expect, test } from 'vitest';
import { formatRefusal } from '../../src/summary/refused-run.ts';

const place = { file: 'image_set.json', line: 3, column: 7 };

test('says why nothing was done, each reason with its place', () => {
  expect(formatRefusal([{ text: 'expected a value', place }, { text: 'no *such* host' }])).toBe(
    [
      '## ❌ Nothing was mirrored',
      '',
      '- <code>image&#95;set.json:3:7</code> expected a value',
      '- no &#42;such&#42; host',
      '',
    ].join('\n'),
  );
});

test('may have another title', () => {
  expect(formatRefusal([{ text: 'no' }], 'Nothing was packed')).toMatch(/^## ❌ Nothing was packed\n/);
});

test('tells how many reasons there was no room for', () => {
  const many = Array.from({ length: 50_000 }, (_, index) => ({ text: `reason ${index} ${'x'.repeat(50)}` }));
  expect(formatRefusal(many)).toMatch(/^- and \d+ more in the log$/m);
});
