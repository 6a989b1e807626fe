import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSqlite } from '../../src/lib/sqlite.ts';
import { State } from '../../src/sync/state/state.ts';
import { TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { destinationOf, seenImage, warningKeeper } from '../support/state-sample.ts';
import { measured } from './measured-program.ts';

const COUNTED = 'WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted LIMIT 1200000)';

it.each([
  [
    'more than a million rows about one repository',
    `${COUNTED} INSERT INTO image SELECT 1, n, 1, NULL, x'', NULL, 1, 1, 1, 1 FROM counted`,
  ],
  ['a tag of 50 MB', 'UPDATE image SET tag = hex(zeroblob(25000000))'],
])('a state that holds %s is set aside, and the run continues without it', async (_, sql) => {
  await using source = await startRegistry({ frontDoor: true });
  await using destination = await startRegistry({ access: TOKENS });
  seedImage(source.storage, 'pause', { tags: ['3.10'] });
  const folder = scratchFolder();
  const [state, set] = [join(folder, 'state'), join(folder, 'image_set.json')];
  writeFileSync(set, '{ "names": ["pause"] }');
  const early = State.open(state, warningKeeper());
  early.record(destinationOf('pause'), { images: [seenImage('pause', '3.10')] });
  early.close();
  const database = openSqlite(state);
  database.exec(`PRAGMA synchronous = OFF; ${sql}`);
  database.close();
  const line = ['sync', '--source', source.host, '--push-to', destination.host, '--push-ns', 'keel'];
  const run = await measured(
    'synctl',
    folder,
    [...line, '--image-set', set, '--db', state],
    destination.login,
  );
  expect(run.told).toContain('this holds more than a state may hold; it was set aside as');
  expect(run.code).toBe(0);
  expect(destination.storage.manifest('keel/pause', '3.10')).toBeDefined();
  expect(run.memory).toBeLessThan(256);
  // What the post step of a workflow saves is the new one.
  expect(readdirSync(folder).filter((name) => name.startsWith('state.oversized-'))).toHaveLength(1);
  expect(statSync(state).size).toBeLessThan(200_000);
});
