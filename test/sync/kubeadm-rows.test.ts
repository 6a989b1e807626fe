import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { LearntTags } from '../../src/config/kubernetes/kubeadm-tags.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { openSqlite } from '../../src/lib/sqlite.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';
import { joinStates } from '../../src/sync/state/joined-state.ts';
import { State } from '../../src/sync/state/state.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { destinationOf, imagesIn, seenImage, warningKeeper } from '../support/state-sample.ts';

const learnt = (version: string, etcd = '3.8.0-0'): LearntTags => ({
  version: parseKubernetesVersion(version, 'test'),
  tags: { etcd: parseTag(etcd), coredns: parseTag('v1.15.0'), pause: parseTag('3.11') },
  origin: `kubernetes v${version}`,
});

const DESTINATION = destinationOf('pause');

/** Opens a state, and returns what `work` does with it; no warning is expected. */
function open<Result>(file: string, mode: 'read' | 'write', work: (state: State) => Result): Result {
  const { reporter, warnings } = warningKeeper();
  using state = State.open(file, { reporter, mode });
  const result = work(state);
  expect([state.rejected, warnings]).toEqual([undefined, []]);
  return result;
}

const tables = (file: string) => {
  const database = openSqlite(file);
  try {
    return database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all()
      .map(({ name }) => name);
  } finally {
    database.close();
  }
};

/** A state as versions before left it, that knows one image. */
function oldState(): string {
  const file = join(scratchFolder(), 'state.db');
  open(file, 'write', (state) => state.record(DESTINATION, { images: [seenImage('pause', '3.10')] }));
  expect(tables(file)).not.toContain('kubeadm');
  return file;
}

it('a state of earlier versions is used as it is, and keeps what is learnt from then on', () => {
  const file = oldState();
  expect(open(file, 'read', (state) => state.learntTags())).toEqual([]);
  open(file, 'write', (state) => {
    expect(state.learntTags()).toEqual([]);
    state.learn([learnt('1.38.1'), learnt('1.38.0')]);
    state.learn([learnt('1.39.0-rc.0'), learnt('1.38.0', '3.8.1-0')]);
    expect(state.learntTags()).toHaveLength(3);
  });
  for (const mode of ['read', 'write'] as const) {
    open(file, mode, (state) => {
      expect(state.learntTags()).toEqual([
        learnt('1.38.0', '3.8.1-0'),
        learnt('1.38.1'),
        learnt('1.39.0-rc.0'),
      ]);
      expect([...imagesIn(state, DESTINATION).keys()]).toEqual(['3.10']);
    });
  }
});

it('a state in which nothing was learnt stays one that earlier versions can use', () => {
  const file = oldState();
  open(file, 'write', (state) => state.learn([]));
  expect(tables(file)).not.toContain('kubeadm');
});

it('nothing is kept of a run that only reads', () => {
  const file = oldState();
  open(file, 'read', (state) => state.learn([learnt('1.38.0')]));
  expect(tables(file)).not.toContain('kubeadm');
});

it('rows that hold no versions and tags are left out, and an origin stays one line', () => {
  const file = oldState();
  open(file, 'write', (state) => state.learn([learnt('1.38.0')]));
  const database = openSqlite(file);
  const insert = database.prepare('INSERT INTO kubeadm VALUES (?, ?, ?, ?, ?)');
  insert.run('latest', '3.8.0-0', 'v1.15.0', '3.11', 'test');
  insert.run('1.38.1', '../etcd', 'v1.15.0', '3.11', 'test');
  insert.run('1.38.2', '3.8.0-0', 'v1.15.0', '3.11', 'a\r\n\u001b[31mb');
  database.close();
  const known = open(file, 'read', (state) => state.learntTags());
  expect(known.map(({ version, origin }) => [version, origin])).toEqual([
    ['1.38.0', 'kubernetes v1.38.0'],
    ['1.38.2', 'a \ufffd[31mb'],
  ]);
});

it('a table of that name with other columns is not taken for it', () => {
  const file = oldState();
  const database = openSqlite(file);
  database.exec('CREATE TABLE kubeadm (version TEXT)');
  database.close();
  const { reporter, warnings } = warningKeeper();
  using state = State.open(file, { reporter, mode: 'read' });
  expect([state.rejected, warnings.length]).toEqual(['damaged', 1]);
});

it('more rows or longer texts than runs ever write make a state that is not used', () => {
  const file = oldState();
  open(file, 'write', (state) => state.learn([learnt('1.38.0')]));
  const database = openSqlite(file);
  database.prepare('UPDATE kubeadm SET origin = ?').run('x'.repeat(129));
  database.close();
  const { reporter } = warningKeeper();
  using state = State.open(file, { reporter, mode: 'read' });
  expect(state.rejected).toBe('oversized');
});

it('the states of shards are joined with what each of them learnt, or did not', () => {
  const [first, second, third] = [oldState(), oldState(), oldState()];
  open(second, 'write', (state) => state.learn([learnt('1.38.0')]));
  open(third, 'write', (state) => state.learn([learnt('1.38.0'), learnt('1.38.1')]));
  expect(joinStates(first, [second, third, oldState()], (reason) => expect.unreachable(reason))).toBe(3);
  expect(open(first, 'read', (state) => state.learntTags())).toEqual([learnt('1.38.0'), learnt('1.38.1')]);
});
