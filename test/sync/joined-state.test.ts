import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqlite } from '../../src/lib/sqlite.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';
import type { SeenImage } from '../../src/sync/state/image-rows.ts';
import { joinStates } from '../../src/sync/state/joined-state.ts';
import { STATE_LIMIT } from '../../src/sync/state/schema.ts';
import { type RepositoryNews, State } from '../../src/sync/state/state.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import {
  DESTINATION_HOST,
  destinationOf,
  imagesIn,
  seenImage,
  warningKeeper,
} from '../support/state-sample.ts';

const DAYS = [1, 2, 3].map((day) => new Date(Date.UTC(2026, 2, day)));
const [FIRST, SECOND, THIRD] = DAYS;

/** Writes a state that knows some repositories at a time, and returns its file. */
function stateOf(
  folder: string,
  name: string,
  now: Date | undefined,
  news: Record<string, RepositoryNews>,
): string {
  const file = join(folder, name);
  const state = State.open(file, { ...warningKeeper(), now: () => now ?? new Date(0) });
  for (const [repository, one] of Object.entries(news)) state.record(destinationOf(repository), one);
  state.close();
  return file;
}

const blobsOf = (images: readonly SeenImage[]) => images.map(({ sourceDigest }) => sourceDigest);

test('knows what each of them knew, and of a tag what was confirmed last', () => {
  const folder = scratchFolder();
  const [old, renewed] = [seenImage('pause', '3.10'), seenImage('pause', '3.10', 'second')];
  const [proxy, dns] = [
    seenImage('kube-proxy', 'v1.36.2'),
    { ...seenImage('coredns/coredns', 'v1'), options: '' },
  ];
  const failures = [{ tag: parseTag('v9'), code: 'DENIED' }];
  const first = stateOf(folder, 'first.db', SECOND, {
    'kube-proxy': { images: [proxy], blobs: blobsOf([proxy]) },
    pause: { images: [renewed] },
  });
  // Other repositories come first here, so that all ids differ.
  const second = stateOf(folder, 'second.db', FIRST, {
    dns: { images: [dns], failures },
    pause: { images: [old] },
  });
  const third = stateOf(folder, 'third.db', THIRD, {
    dns: { confirmed: [dns.tag], blobs: blobsOf([dns, proxy]) },
  });
  expect(joinStates(first, [second, third], (reason) => expect.unreachable(reason))).toBe(2);
  const { reporter, warnings } = warningKeeper();
  using joined = State.open(first, { reporter, mode: 'read' });
  const known = (name: string) => [...imagesIn(joined, destinationOf(name)).values()];
  expect(known('pause')).toEqual([{ ...renewed, pushed: SECOND, confirmed: SECOND }]);
  expect(known('kube-proxy')).toEqual([{ ...proxy, pushed: SECOND, confirmed: SECOND }]);
  expect(known('dns')).toEqual([{ ...dns, pushed: FIRST, confirmed: FIRST }]);
  expect([...joined.failures(destinationOf('dns')).keys()]).toEqual(['v9']);
  expect(joined.blobHolders(DESTINATION_HOST, proxy.sourceDigest)).toEqual(['keel/dns', 'keel/kube-proxy']);
  expect(warnings).toEqual([]);
});

test('leaves out those with which it would hold too much', () => {
  const folder = scratchFolder();
  const other = stateOf(folder, 'other.db', FIRST, { pause: { images: [seenImage('pause', '3.10')] } });
  const database = openSqlite(other);
  // Free pages count, as the file counts.
  database.exec(
    `INSERT INTO failure VALUES (1, '1', hex(zeroblob(${STATE_LIMIT / 4})), 1); DELETE FROM failure`,
  );
  database.close();
  const whole = join(folder, 'whole.db');
  copyFileSync(other, whole);
  const refused: string[] = [];
  expect(joinStates(whole, [other], (reason) => refused.push(reason))).toBe(0);
  expect(refused).toEqual(['together, they hold more than a state may hold']);
});

test('begins with none, and leaves out what is no state', () => {
  const folder = scratchFolder();
  const junk = join(folder, 'junk.db');
  writeFileSync(junk, 'no state');
  const good = stateOf(folder, 'good.db', FIRST, { pause: { images: [seenImage('pause', '3.10')] } });
  const file = join(folder, 'joined.db');
  const refused: string[] = [];
  const missing = join(folder, 'missing.db');
  expect(joinStates(file, [junk, missing, good], (reason) => refused.push(reason))).toBe(1);
  expect(refused).toEqual([expect.stringContaining('is not a state of synctl')]);
  using joined = State.open(file, { ...warningKeeper(), mode: 'read' });
  expect(imagesIn(joined, destinationOf('pause')).size).toBe(1);
});
