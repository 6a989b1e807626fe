import { expect, test } from 'vitest';
import { shown, unfit } from '../../src/signatures/candidate.ts';

test.each<[text: string, most: number | undefined, line: string]>([
  ['registry.k8s.io/pause', undefined, 'registry.k8s.io/pause'],
  ['a\n::error::b', undefined, 'a ::error::b'],
  ['a \r\n\t b', undefined, 'a b'],
  ['a\u001b[2Jb', undefined, 'a\ufffd[2Jb'],
  ['x'.repeat(200), undefined, 'x'.repeat(200)],
  ['x'.repeat(201), undefined, `${'x'.repeat(199)}…`],
  ['sha256:0123456789', 8, 'sha256:…'],
  ['', undefined, ''],
])('%j is shown in at most %s characters as %j', (text, most, line) => {
  expect(shown(text, most)).toBe(line);
});

test('what is no signature says why', () => {
  expect(unfit('it is empty')).toEqual({ kind: 'unfit', reason: 'it is empty' });
});
