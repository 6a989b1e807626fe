import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenPromises } from './promise.ts';
import { policiesOfMakers, SIGNER_ATTACKS } from './signer-attacks.ts';
import { endingOf, held, MODES, type Night, SourceWorld } from './source-world.ts';
import { ME } from './stage.ts';

test('each attack is one that the documents speak of', () => {
  expect(brokenPromises(SIGNER_ATTACKS)).toEqual([]);
});

describe.each(MODES)('makers who may sign something, with --verify-signatures %s,', (mode) => {
  let world: SourceWorld;
  let honest: Night;
  let hostile: Night;

  beforeAll(async () => {
    const policies = (host: string) => policiesOfMakers(host, ME);
    world = await SourceWorld.open({ attacks: SIGNER_ATTACKS, policies });
    honest = await world.night(mode);
    await world.bend();
    hostile = await world.night(mode);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test('are believed while they sign what is theirs', () => {
    expect(honest.said.code, honest.said.stderr).toBe(0);
    const signature = mode === 'off' ? {} : { signature: 'verified' };
    for (const [{ tries }, stage] of world.stages) {
      expect(endingOf(honest, stage), tries).toEqual({ copied: 'genuine', ...signature });
    }
  });

  test.each(SIGNER_ATTACKS)('try $tries', (attack) => {
    const stage = world.stage(attack);
    const ending = attack.ends[mode];
    expect(endingOf(hostile, stage)).toEqual(ending);
    if ('failed' in ending) expect(held(hostile, stage).parts).toEqual([]);
  });

  test('make the run red where a signature is required, and are told of where it is wanted', () => {
    expect(hostile.said.code, hostile.said.stderr).toBe(mode === 'require' ? 1 : 0);
    expect(hostile.said.stderr.includes('without a valid signature')).toBe(mode === 'warn');
  });
});
