import { expect, test } from 'vitest';
import { readInputs } from '../../src/actions/inputs.ts';
import { SYNC_FLAGS } from '../../src/sync/flags.ts';
import { readActionMetadata } from '../support/action-metadata.ts';

test('inputs are read by the table of flags, as they were written', () => {
  const { values, warnings } = readInputs(SYNC_FLAGS, {
    'INPUT_PUSH-TO': 'registry.example',
    INPUT_PASSWORD: ' with spaces ',
    'INPUT_ADDITION-NS': 'etcd\ncoredns',
    INPUT_SHARD: '',
    GITHUB_ACTIONS: 'true',
  });
  expect(Object.fromEntries(values)).toEqual({
    'push-to': 'registry.example',
    password: ' with spaces ',
    'addition-ns': 'etcd\ncoredns',
  });
  expect(warnings).toEqual([]);
});

test('an input that is given empty is told from one that is left out, where the runner fills in a default', () => {
  const { values, warnings } = readInputs(SYNC_FLAGS, {
    'INPUT_PUSH-TO': '',
    INPUT_USERNAME: '',
    INPUT_X: '',
  });
  expect([Object.fromEntries(values), warnings]).toEqual([{ 'push-to': '' }, []]);
});

test('a destination that is left out is told from the default one that is given', async () => {
  const { inputs } = await readActionMetadata('action-sync/action.yml');
  const leftOut = inputs['push-to']?.default ?? '';
  const given = leftOut.trim();
  expect(given).toBe('registry.cn-hangzhou.aliyuncs.com');
  expect(readInputs(SYNC_FLAGS, { 'INPUT_PUSH-TO': leftOut }).values.get('push-to')).toBeUndefined();
  expect(readInputs(SYNC_FLAGS, { 'INPUT_PUSH-TO': given }).values.get('push-to')).toBe(given);
});

test.each([
  [
    'INPUT_PUSH_TO',
    'input "push_to": the action has no such input, so it was ignored (did you mean "push-to"?)',
  ],
  ['INPUT_JSON', 'input "json": the action has no such input, so it was ignored (remove it)'],
  ['INPUT_COLOUR', 'input "colour": the action has no such input, so it was ignored (remove it)'],
])('the unknown %s is told', (variable, warning) => {
  expect(readInputs(SYNC_FLAGS, { [variable]: 'x' }).warnings).toEqual([warning]);
});
