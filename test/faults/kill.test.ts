import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { killAgainAndAgain } from './killing.ts';
import { killPackAgainAndAgain } from './killing-pack.ts';
import { randomFrom } from './random.ts';
import { brokenTags } from './wholeness.ts';

const PACKER = fileURLToPath(new URL('../../src/packer.ts', import.meta.url));
const SYNCTL = fileURLToPath(new URL('../../src/synctl.ts', import.meta.url));

it('leaves nothing broken and sends nothing twice that had arrived, however often it is killed', async () => {
  const tally = await killAgainAndAgain({
    kills: 20,
    program: [process.execPath, SYNCTL],
    signals: ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'],
    random: randomFrom(20),
  });
  expect(tally).toMatchObject({ kills: 20, resumes: 3, brokenTags: 0, wrongBytes: 0, blobsInExcess: 0 });
}, 900_000);

it('packs and publishes nothing broken, and moves nothing twice that had arrived, however often it is killed', async () => {
  const tally = await killPackAgainAndAgain({
    kills: 10,
    program: [process.execPath, PACKER],
    signals: ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'],
    random: randomFrom(10),
  });
  const clean = { filesFetchedAgain: 0, partsResent: 0, brokenPackages: 0, wrongBytes: 0 };
  expect(tally).toMatchObject({ kills: 10, resumes: 2, ...clean });
});

it('knows in which repository a layer had arrived when it was killed', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  const shared = { layers: [100_000], layerSeeds: ['base'] };
  for (const name of ['first', 'second'])
    seedImage(source.storage, name, { seed: name, tags: ['v1'], ...shared });
  const route = new SyncRoute({ source, destination, set: { names: ['first', 'second'] } });
  // The second takes the layer in hand this time; the next run begins with the first.
  const late = source.fail({
    match: { kind: 'manifest-get', path: /first/ },
    fault: { kind: 'hold', until: destination.journal.next({ kind: 'manifest-put' }) },
  });
  const sync = route.start();
  await destination.journal.next({ kind: 'manifest-put' });
  sync.kill('SIGKILL');
  await sync.end();
  late.stop();
  const isTagged = destination.storage.manifest('keel/second', 'v1') !== undefined;
  destination.journal.clear();
  const { report } = await route.run();
  expect(report.totals).toMatchObject({ total: 2, failed: 0, copied: isTagged ? 1 : 2 });
  const sizes = destination.journal.filter({ kind: 'upload-put' }).map(({ bytesIn }) => bytesIn);
  expect(sizes.filter((size) => size > 50_000)).toEqual([]);
  expect(brokenTags(destination.storage)).toEqual([]);
});
