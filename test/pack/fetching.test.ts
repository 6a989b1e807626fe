import { expect, test } from 'vitest';
import { PATIENT } from '../faults/causes.ts';
import { PACKAGE, packCellWorld } from '../faults/pack-cell-world.ts';

test('an attempt at a layer that failed and is repeated is told', async () => {
  await using world = await packCellWorld();
  const broken = world.mirror.fail({
    match: { kind: 'storage-get' },
    fault: { kind: 'status', status: 503 },
  });
  const { error, told } = await world.pack(PATIENT);
  expect(error).toBeUndefined();
  expect(broken.hits).toBe(1);
  expect(told).toMatch(
    new RegExp(`^once more after ${world.mirror.host}/keel/kube-proxy.*cannot fetch a layer.*503`, 'm'),
  );
  expect(world.left()).toEqual([PACKAGE]);
});
