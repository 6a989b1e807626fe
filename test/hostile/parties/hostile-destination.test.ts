import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultHandle } from '../../support/registry/faults.ts';
import type { TestRegistry } from '../../support/registry/registry.ts';
import { DESTINATION_ATTACKS } from './destination-attacks.ts';
import { brokenPromises } from './promise.ts';
import type { SourceAttack } from './source-attack.ts';
import { endingOf, type Night, SourceWorld } from './source-world.ts';
import { ME, TAG } from './stage.ts';

/** The source is honest. */
const IMAGES: readonly SourceAttack[] = DESTINATION_ATTACKS.map(({ ends, ...attack }) => {
  return { ...attack, bend: () => undefined, ends: { off: ends, warn: ends, require: ends } };
});

test('each attack is one that the documents speak of', () => {
  expect(brokenPromises(IMAGES)).toEqual([]);
});

describe.each(['off', 'require'] as const)('a hostile destination, with --verify-signatures %s,', (mode) => {
  let world: SourceWorld;
  let honest: Night;
  let hostile: Night;
  const handles: FaultHandle[][] = [];

  function bend(destination: TestRegistry): void {
    DESTINATION_ATTACKS.forEach(({ answers }, index) => {
      const met: FaultHandle[] = [];
      handles.push(met);
      const repository = `keel/image-${index + 10}`;
      const when = (entry: { readonly repository: string }): boolean => entry.repository === repository;
      for (const { to, fault } of answers) {
        const match = { kind: to, when };
        destination.fail({
          match,
          times: Number.POSITIVE_INFINITY,
          fault: fault(world.strangers),
        });
      }
    });
  }

  /** Has the source hold back the image whose layers are to be mounted, until the other one of them is there. */
  function order(destination: TestRegistry): void {
    const [first, second] = IMAGES.filter(({ seed }) => seed !== undefined).map((image) =>
      world.stage(image),
    );
    const isFirst = ({ repository, reference }: { repository: string; reference: string }): boolean =>
      repository === `keel/${first?.repository}` && reference === TAG;
    const until = destination.journal.next({ kind: 'manifest-put', when: isFirst });
    second?.answer('manifest-get', { kind: 'hold', until });
  }

  beforeAll(async () => {
    world = await SourceWorld.open({ attacks: IMAGES, policies: (host) => ({ [host]: ME }) });
    honest = await world.night(mode);
    hostile = await world.night(mode, {
      prepare: (destination) => {
        bend(destination);
        order(destination);
      },
    });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test('is trusted while it is honest', () => {
    expect(honest.said.code, honest.said.stderr).toBe(0);
    expect(honest.report.totals).toMatchObject({ copied: IMAGES.length });
  });

  test.each(IMAGES)('tries $tries', (attack) => {
    const { signature: _, ...ending } = { signature: undefined, ...endingOf(hostile, world.stage(attack)) };
    expect(ending).toEqual(attack.ends[mode]);
    const met = handles[IMAGES.indexOf(attack)] ?? [];
    expect(met.map(({ hits }) => hits > 0)).toEqual(met.map(() => true));
  });

  test('gets the login for itself alone', () => {
    const { elsewhere, plain } = world.strangers;
    expect(plain.journal.entries).toEqual([]);
    expect(elsewhere.journal.count()).toBeGreaterThan(0);
    expect(elsewhere.journal.filter({ when: ({ headers }) => 'authorization' in headers })).toEqual([]);
  });
});
