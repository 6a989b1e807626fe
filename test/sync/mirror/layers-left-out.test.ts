import { expect, test } from 'vitest';
import { PUBLIC_TOKENS, TOKENS } from '../../support/registry/access.ts';
import { startRegistry } from '../../support/registry/registry.ts';
import { seedImage, seedWindows } from '../../support/registry/seed.ts';
import { outcomes, SyncRoute } from '../../support/sync-run.ts';

test('foreign layers that the source lacks are told each night, without a request for them', async () => {
  await using source = await startRegistry({ listing: { style: 'google' }, access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  seedWindows(source.storage, 'windows', { tags: ['1.0.0'] });
  seedImage(source.storage, 'linux', { tags: ['1.0.0'] });
  const route = new SyncRoute({ source, destination, set: { names: ['windows', 'linux'] } });
  for (const outcome of ['copied', 'skipped']) {
    source.journal.clear();
    const { report, lines } = await route.run({ verify: 'none' });
    expect(outcomes(report)).toEqual({ 'linux:1.0.0': outcome, 'windows:1.0.0': outcome });
    const told = report.images.map(({ destination: name, layersLeftOut }) => [name, layersLeftOut]);
    expect(told.toSorted()).toEqual([
      [`${destination.host}/keel/linux:1.0.0`, undefined],
      [`${destination.host}/keel/windows:1.0.0`, 1],
    ]);
    expect(lines).toContain(
      'warning: 1 image is mirrored in part, without 1 layer of a type that is not distributed (their addresses are ' +
        `in the manifests): ${destination.host}/keel/windows:1.0.0`,
    );
    if (outcome === 'skipped') expect(source.journal.count('blob-get')).toBe(0);
  }
});

test('foreign layers that are missing are told by a deep look, also when the state is lost', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  seedWindows(source.storage, 'windows', { tags: ['1.0.0'] });
  const set = { names: ['windows'] };
  await new SyncRoute({ source, destination, set }).run();
  const route = new SyncRoute({ source, destination, set });
  for (const night of [1, 2]) {
    const { report } = await route.run({ verify: night === 1 ? 'deep' : 'none' });
    expect(report.images, `night ${night}`).toMatchObject([{ outcome: 'checked', layersLeftOut: 1 }]);
  }
});
