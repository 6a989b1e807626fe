import { expect, it } from 'vitest';
import type { Digest } from '../../../src/registry/oci/digest.ts';
import { State } from '../../../src/sync/state/state.ts';
import { PUBLIC_TOKENS, TOKENS } from '../../support/registry/access.ts';
import { startRegistry } from '../../support/registry/registry.ts';
import { seedImage } from '../../support/registry/seed.ts';
import { warningKeeper } from '../../support/state-sample.ts';
import { SyncRoute } from '../../support/sync-run.ts';

const NAMES = ['a', 'b', 'c'];

/** Three images over one layer, mirrored one a night. */
async function world() {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  const [layer] = NAMES.flatMap((seed) => {
    const image = seedImage(source.storage, seed, {
      seed,
      tags: ['1.0'],
      layers: [3000],
      layerSeeds: ['shared'],
    });
    return image.kind === 'image' ? image.layers : [];
  });
  if (layer === undefined) throw new Error('the images have no layer');
  const route = new SyncRoute({ source, destination, set: { names: NAMES } });
  /** Mirrors one image, and returns how its blobs came to the destination. */
  const mirror = async (name: string) => {
    route.wants({ names: [name] });
    const { report } = await route.run();
    expect(report.totals).toMatchObject({ copied: 1, failed: 0 });
    return report.images[0]?.blobs;
  };
  const holdersOf = (digest: Digest): readonly string[] => {
    using state = State.open(route.database, { ...warningKeeper(), mode: 'read' });
    return state.blobHolders(destination.host, digest);
  };
  return { destination, layer, mirror, holdersOf, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it('a repository that holds a layer no more is forgotten, and the next image is mounted from another', async () => {
  await using all = await world();
  const { destination, layer, mirror, holdersOf } = all;
  await mirror('a');
  destination.storage.deleteBlob('keel/a', layer.digest);
  expect(await mirror('b')).toEqual({ uploaded: 2, mounted: 0, present: 0 });
  expect(holdersOf(layer.digest)).toEqual(['keel/b']);
  expect(await mirror('c')).toEqual({ uploaded: 1, mounted: 1, present: 0 });
});

it('a repository that a layer was mounted from is remembered', async () => {
  await using all = await world();
  const { layer, mirror, holdersOf } = all;
  await mirror('a');
  expect(await mirror('b')).toEqual({ uploaded: 1, mounted: 1, present: 0 });
  expect(holdersOf(layer.digest)).toEqual(['keel/a', 'keel/b']);
});
