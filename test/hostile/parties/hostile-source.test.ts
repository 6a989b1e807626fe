import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/registry/oci/digest.ts';
import { brokenPromises } from './promise.ts';
import { SOURCE_ATTACKS } from './source-attacks.ts';
import { endingOf, held, MODES, type Night, SourceWorld } from './source-world.ts';
import { ME } from './stage.ts';

test('each attack is one that the documents speak of', () => {
  expect(brokenPromises(SOURCE_ATTACKS)).toEqual([]);
});

describe.each(MODES)('a hostile source, with --verify-signatures %s,', (mode) => {
  let world: SourceWorld;
  let honest: Night;
  let hostile: Night;

  beforeAll(async () => {
    world = await SourceWorld.open({
      attacks: SOURCE_ATTACKS,
      policies: (host) => ({ [host]: ME }),
    });
    honest = await world.night(mode);
    await world.bend();
    hostile = await world.night(mode);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test('is trusted while it is honest', () => {
    expect(honest.said.code, honest.said.stderr).toBe(0);
    const signature = mode === 'off' ? {} : { signature: 'verified' };
    for (const stage of world.stages.values()) {
      expect(endingOf(honest, stage)).toEqual({ copied: 'genuine', ...signature });
    }
  });

  test.each(SOURCE_ATTACKS)('tries $tries', (attack) => {
    const stage = world.stage(attack);
    const ending = attack.ends[mode];
    expect(endingOf(hostile, stage)).toEqual(ending);
    // Without it, nobody asks for signatures.
    expect(stage.isMet || mode === 'off').toBe(true);
    // What has to be signed and is not is not even sent.
    const isUnsigned = 'failed' in ending && ending.failed.startsWith('SIGNATURE_');
    if (isUnsigned) expect(held(hostile, stage).parts).toEqual([]);
  });

  test('makes the run red, and is told of each image', () => {
    expect(hostile.said.code, hostile.said.stderr).toBe(1);
    const failed = SOURCE_ATTACKS.filter(({ ends }) => 'failed' in ends[mode]).length;
    const hidden = SOURCE_ATTACKS.filter(({ ends }) => 'hidden' in ends[mode]).length;
    expect(hostile.report.totals).toMatchObject({ total: SOURCE_ATTACKS.length - hidden, failed });
    expect(hostile.report.unmatched).toHaveLength(hidden);
  });

  test('leaves nothing at the destination that is not what its digest says, or that lacks a part', () => {
    const { repositories, contents } = hostile.destination.storage;
    for (const [digest, content] of contents) {
      expect(content.kind === 'bytes' && digestOf(content.bytes)).toBe(digest);
    }
    for (const { manifests, tags, blobs } of repositories.values()) {
      for (const digest of tags.values()) expect(manifests.has(digest)).toBe(true);
      for (const { bytes, digest } of manifests.values()) {
        expect(digestOf(bytes)).toBe(digest);
        const parts = bytes.toString('utf8').matchAll(/"mediaType":"([^"]+)","digest":"([^"]+)"/g);
        for (const [, type = '', part = ''] of parts) {
          if (!type.includes('foreign')) expect([...manifests.keys(), ...blobs]).toContain(part);
        }
      }
    }
  });

  test('learns nothing through others, and says nothing that a terminal or a workflow would obey', () => {
    const { elsewhere, plain } = world.strangers;
    expect(plain.journal.entries).toEqual([]);
    expect(elsewhere.journal.count()).toBeGreaterThan(0);
    expect(elsewhere.journal.filter({ when: ({ headers }) => 'authorization' in headers })).toEqual([]);
    const { stdout, stderr } = hostile.said;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(`${stdout}${stderr}`).not.toMatch(/[\u001b\u009b\r]|^::/m);
  });
});

test('a hostile source fools action-sync no more than synctl, and commands no workflow', async () => {
  await using world = await SourceWorld.open({
    attacks: SOURCE_ATTACKS,
    policies: (host) => ({ [host]: ME }),
  });
  await world.bend();
  const night = await world.job('require');
  for (const attack of SOURCE_ATTACKS) {
    expect(endingOf(night, world.stage(attack)), attack.tries).toEqual(attack.ends.require);
  }
  const { exitCode, log, leaks, outputs } = night.main;
  expect([exitCode, leaks, outputs['name'], log.masks.includes('v')]).toEqual([1, [], undefined, false]);
});
