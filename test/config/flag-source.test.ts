import { expect, test } from 'vitest';
import { flagText, inheritedTexts } from '../../src/config/flags/flag-source.ts';

const LIMIT = { name: 'limit', default: '5', environment: 'LIMIT', group: 'Pace', description: 'Limit' };
const TOKEN = {
  name: 'token',
  environment: 'TOKEN',
  otherEnvironment: 'OTHER',
  secret: true,
  group: 'Login',
  description: 'Token',
};
const TO = { ...LIMIT, refusesEmpty: true };

function source(values: Record<string, string>, environment: Record<string, string> = {}) {
  return { values: new Map(Object.entries(values)), environment, label: (name: string) => name };
}

test.each([
  ['the default', LIMIT, {}, {}, '5'],
  ['the default for a blank text', LIMIT, { limit: '  ' }, {}, '5'],
  ['the text without white space around it', LIMIT, { limit: ' 7 ' }, { LIMIT: '6' }, '7'],
  ['the variable', LIMIT, {}, { LIMIT: '6' }, '6'],
  ['the default for an empty variable', LIMIT, {}, { LIMIT: '' }, '5'],
  ['a secret as it is', TOKEN, { token: ' a b ' }, {}, ' a b '],
  ['the first variable', TOKEN, {}, { TOKEN: 't', OTHER: 'o' }, 't'],
  ['the other variable', TOKEN, {}, { OTHER: 'o' }, 'o'],
  ['the empty text, to be refused', TO, { limit: ' ' }, { LIMIT: '6' }, ''],
  ['the default where it refuses to be empty', TO, {}, { LIMIT: '' }, '5'],
  ['nothing', TOKEN, {}, {}, undefined],
])('a flag has %s', (_what, flag, values, environment, expected) => {
  expect(flagText(flag, source(values, environment))).toBe(expected);
});

test('texts of both variables are returned, empty ones too', () => {
  expect(inheritedTexts(TOKEN, source({}, { OTHER: 'o' }))).toEqual(['', 'o']);
});
