import { expect, test } from 'vitest';
import { wantsColour } from '../../src/cli/stream.ts';

const terminal = { isTTY: true, write: () => true };
const file = { write: () => true };

test.each([
  [true, terminal, {}],
  [false, file, {}],
  [false, terminal, { NO_COLOR: '1' }],
  [true, terminal, { NO_COLOR: '' }],
  [false, terminal, { TERM: 'dumb' }],
  [true, file, { FORCE_COLOR: '1' }],
  [true, file, { FORCE_COLOR: '1', NO_COLOR: '1' }],
  [false, terminal, { FORCE_COLOR: '0' }],
  [false, terminal, { FORCE_COLOR: 'false' }],
])('colour is %s', (wanted, stream, environment) => {
  expect(wantsColour(stream, environment)).toBe(wanted);
});
