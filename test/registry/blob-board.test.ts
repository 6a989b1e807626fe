import { expect, it } from 'vitest';
import { BlobBoard } from '../../src/registry/blob/blob-board.ts';
import { parseRepository, type Repository } from '../../src/registry/oci/reference.ts';
import { APP, BYTES, DIGEST, OTHER, pair, requests, stored } from '../registry/push-pair.ts';
import { bytesContent } from '../support/registry/content.ts';

const THIRD = parseRepository('keel/third');
const descriptor = { digest: DIGEST, size: BYTES.length, mediaType: 'application/octet-stream' };

/** A board for the destination of a pair, and how to ask it for the layer. */
async function boardOf(believed: readonly Repository[] = []) {
  const world = await pair();
  const uploaded: Repository[] = [];
  const missing: Repository[] = [];
  const asked: Repository[] = [];
  const board = new BlobBoard({
    registry: world.client.registry,
    wasAbsent: (repository) => {
      asked.push(repository);
      return true;
    },
    believedHolders: () => believed,
    onBytes: () => undefined,
    onUploaded: (repository) => uploaded.push(repository),
    onMissing: (repository) => missing.push(repository),
  });
  const place = (repository = APP, signal = new AbortController().signal) =>
    board.place({ descriptor, repository, signal }, world.from);
  return {
    ...world,
    board,
    place,
    uploaded,
    missing,
    /** Repositories for which a push was begun. */
    asked,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

it('a blob that several repositories want at once is fetched once, and mounted by the others', async () => {
  await using world = await boardOf();
  const placed = await Promise.all([APP, OTHER, THIRD].map((repository) => world.place(repository)));
  expect(placed).toEqual(['uploaded', 'mounted', 'mounted']);
  expect(world.source.journal.count('blob-get')).toBe(1);
  expect(world.sink.journal.count('upload-put')).toBe(1);
  expect(world.uploaded).toEqual([APP]);
  expect(world.board.provedIn(OTHER)).toEqual([DIGEST]);
});

it('a blob that is wanted twice in a repository is placed once, and present to the second', async () => {
  await using world = await boardOf();
  expect(await Promise.all([world.place(), world.place()])).toEqual(['uploaded', 'present']);
  expect(await world.place()).toBe('present');
  expect(requests(world.sink)).toEqual(['mount', 'upload-put']);
});

it('a blob that an earlier run left in another repository is mounted from there, until that is doubted', async () => {
  await using world = await boardOf([OTHER]);
  world.sink.storage.putBlob(OTHER, bytesContent(BYTES));
  expect(await world.place()).toBe('mounted');
  world.board.doubt(DIGEST, APP);
  expect(world.board.provedIn(APP)).toEqual([]);
  expect(world.missing).toEqual([APP, OTHER]);
  world.sink.journal.clear();
  await world.place();
  expect(world.sink.journal.filter({ kind: 'mount' }).map(({ query }) => query.get('from'))).not.toContain(
    OTHER,
  );
});

it('a repository that was believed to hold a blob, and does not, is told', async () => {
  await using world = await boardOf([OTHER]);
  expect(await world.place()).toBe('uploaded');
  expect([world.uploaded, world.missing]).toEqual([[APP], [OTHER]]);
});

it('a transfer goes on while one image still wants it, and ends with the last', async () => {
  await using world = await boardOf();
  const { promise: until, resolve: release } = Promise.withResolvers<void>();
  const held = world.sink.journal.next({ kind: 'upload-put' });
  world.sink.fail({ match: { kind: 'upload-put' }, fault: { kind: 'hold', until } });
  const [first, second] = [new AbortController(), new AbortController()];
  const placed = [world.place(APP, first.signal), world.place(APP, second.signal)] as const;
  await held;
  const reason = new Error('out of time');
  first.abort(reason);
  await expect(placed[0]).rejects.toBe(reason);
  release();
  expect(await placed[1]).toBe('present');
  expect(stored(world.sink)).toBe(true);
});

it('a transfer that nobody wants any more is broken off', async () => {
  await using world = await boardOf();
  const end = world.sink.journal.next({ kind: 'upload-delete' });
  const held = world.sink.journal.next({ kind: 'upload-put' });
  world.sink.fail({ match: { kind: 'upload-put' }, fault: { kind: 'silence' } });
  const stop = new AbortController();
  const placed = world.place(APP, stop.signal);
  await held;
  const reason = new Error('out of time');
  stop.abort(reason);
  await expect(placed).rejects.toBe(reason);
  await end;
  expect(stored(world.sink)).toBe(false);
});

it('nothing is begun for an image that ran out of time already', async () => {
  await using world = await boardOf();
  const reason = new Error('out of time');
  await expect(world.place(APP, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(world.asked).toEqual([]);
});
