import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MOVED_ATTACKS, modesOfMovedTags } from './moved-attacks.ts';
import { brokenPromises } from './promise.ts';
import { endingOf, MODES, type Night, SourceWorld } from './source-world.ts';
import { ME } from './stage.ts';

test('each attack is one that the documents speak of', () => {
  expect(brokenPromises(MOVED_ATTACKS)).toEqual([]);
});

describe.each(MODES)('a source that moves tags, with --verify-signatures %s,', (mode) => {
  let world: SourceWorld;
  let honest: Night;
  let hostile: Night;

  beforeAll(async () => {
    const policies = (host: string) => ({ [host]: ME });
    world = await SourceWorld.open({ attacks: MOVED_ATTACKS, policies, movedTags: modesOfMovedTags });
    const first = await world.night(mode);
    honest = await world.night(mode, { before: first });
    await world.bend();
    hostile = await world.night(mode, { before: first });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test('is told nothing of while none moved', () => {
    expect(honest.said.code, honest.said.stderr).toBe(0);
    expect(honest.report.images.filter(({ moved }) => moved !== undefined)).toEqual([]);
    expect(honest.report.totals).toMatchObject({ skipped: MOVED_ATTACKS.length });
  });

  test.each(MOVED_ATTACKS)('tries $tries', (attack) => {
    expect(endingOf(hostile, world.stage(attack))).toEqual(attack.ends[mode]);
  });

  test('makes the run red, and is told before other warnings', () => {
    expect(hostile.said.code, hostile.said.stderr).toBe(1);
    const [first] = hostile.said.stderr.split('\n').filter((line) => line.startsWith('warning: '));
    expect(first).toMatch(
      /:(?:v1\.0\.0 went back to an older image, but should not move|latest went back to an older image); .*: the source had sha256:/,
    );
  });
});
