import { expect, test } from 'vitest';
import { PATIENT } from '../faults/causes.ts';
import { PACKAGE, packCellWorld } from '../faults/pack-cell-world.ts';
import { HOSTS } from '../support/test-authority.ts';

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
    new RegExp(`^retrying after ${world.mirror.host}/keel/kube-proxy.*cannot fetch a layer.*503`, 'm'),
  );
  expect(world.left()).toEqual([PACKAGE]);
});

test("a maker's registry that is not trusted is told once, with what to give, and the package is made", async () => {
  await using world = await packCellWorld(false, undefined, HOSTS);
  const { error, told } = await world.pack(PATIENT);
  expect(error).toBeUndefined();
  const said = told.split('\n').filter((line) => line.includes('--ca-file'));
  expect(said).toEqual([
    expect.stringMatching(
      new RegExp(`^${world.maker.host}: its certificate is signed by .* does not trust \\(`),
    ),
  ]);
  expect(told).toContain(`${world.maker.host} cannot be reached`);
});
