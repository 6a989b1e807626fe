import { expect, test } from 'vitest';
import { formatCommand, plainLines } from '../../src/actions/workflow-command.ts';

test.each([
  ['::endgroup::', formatCommand('endgroup')],
  ['::group::Mirror', formatCommand('group', 'Mirror')],
  ['::error::50%25%0D%0Aand more', formatCommand('error', '50%\r\nand more')],
  ['::warning file=a%2Cb%3Ac,line=3::bad', formatCommand('warning', 'bad', { file: 'a,b:c', line: 3 })],
  ['::warning line=1::bad', formatCommand('warning', 'bad', { file: undefined, line: 1, col: undefined })],
])('%s', (expected, command) => {
  expect(command).toBe(expected);
});

test.each([
  ['a\r\nb\rc\nd', ['a', 'b', 'c', 'd']],
  ['::error::x', [': :error::x']],
  ['  ::set-output name=a::b', ['  : :set-output name=a::b']],
  ['##[group]x ##[error]', ['## [group]x ## [error]']],
  ['a ::error::x: fine', ['a ::error::x: fine']],
])('the plain lines of %j are %j', (text, lines) => {
  expect(plainLines(text)).toEqual(lines);
});
