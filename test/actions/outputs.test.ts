import { expect, test } from 'vitest';
import { NOTHING_DONE, SYNC_OUTPUTS, setSyncOutputs } from '../../src/actions/outputs.ts';

test('every output is set, as text, also where nothing was done', () => {
  const outputs = new Map<string, string>();
  setSyncOutputs(NOTHING_DONE, (name, value) => outputs.set(name, value));
  expect([...outputs.keys()].sort()).toEqual(Object.keys(SYNC_OUTPUTS).sort());
  expect(outputs.get('failed')).toBe('0');
  expect(outputs.get('state-restored')).toBe('false');
});
