import { expect, it } from 'vitest';
import { parseZone } from '../../src/publish/qiniu/kodo-region.ts';

it.each([
  ['keel', 'z0'],
  ['Huadong', 'z0'],
  ['z2', 'z2'],
  ['us-north-1', 'na0'],
  ['Zone_as0', 'as0'],
])('the zone %s is %s', (text, id) => {
  expect(parseZone(text, '--zone')).toBe(id);
});

it('a zone that is none is refused', () => {
  expect(() => parseZone('mars', '--zone')).toThrow(
    expect.objectContaining({ code: 'ZONE_UNKNOWN', message: '"mars" is not a zone of Qiniu' }),
  );
});
