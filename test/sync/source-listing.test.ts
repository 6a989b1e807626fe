import { describe, expect, it } from 'vitest';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { sourceLister } from '../../src/sync/plan/source-listing.ts';
import { type RegistryOptions, startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const BEHIND = parseRepository('behind/images');

/** How a source is listed that has another registry behind it; `tags` are those of each. */
async function listed(
  tags: { readonly front: number; readonly behind: number | undefined },
  options: RegistryOptions = {},
  root = false,
) {
  await using front = await startRegistry({ listing: { style: 'google' }, ...options });
  await using behind = await startRegistry({ listing: { style: 'google' } });
  const fill = (storage: typeof front.storage, name: string, count: number): void => {
    seedImage(storage, name, { tags: Array.from({ length: count }, (_, number) => `v${number}`) });
  };
  if (tags.front > 0) fill(front.storage, APP, tags.front);
  if (tags.behind !== undefined) fill(behind.storage, `${BEHIND}/${APP}`, tags.behind);
  using client = new TestClient(front.host);
  const backends = new Map([[front.host, { host: behind.host, path: BEHIND }]]);
  const lister = sourceLister(client.registry, (host) => client.registries.at(host), backends);
  const list = await lister(root ? undefined : APP, client.signal);
  return { list, asked: behind.journal.count('tags-list') };
}

describe('a repository is listed', () => {
  it.each<[string, number, number | undefined, number, number]>([
    ['by the source itself', 3, 5, 3, 0],
    ['by what is behind it where its list looks cut off', 1000, 1005, 1005, 1],
    ['by the source where what is behind it does not help', 1000, undefined, 1000, 1],
  ])('%s', async (_, front, behind, count, asked) => {
    const listing = await listed({ front, behind });
    expect(listing.list.tags).toHaveLength(count);
    expect(listing.asked > 0).toBe(asked > 0);
    expect(listing.list.isCut ?? false).toBe(front === count && asked > 0);
  });

  it('by the source alone where it has nothing behind it', async () => {
    await using source = await startRegistry();
    seedImage(source.storage, APP, { tags: ['v1'] });
    using client = new TestClient(source.host);
    const lister = sourceLister(client.registry, (host) => client.registries.at(host));
    expect((await lister(APP, client.signal)).tags).toEqual(['v1']);
  });

  it('not at all where the source denies it, whatever is behind it', async () => {
    const denied = listed({ front: 3, behind: 5 }, { quirks: { refuseTagsList: 403 } });
    await expect(denied).rejects.toMatchObject({ code: 'DENIED' });
  });
});

describe('the root is listed', () => {
  it.each<[string, number, RegistryOptions, readonly string[], number]>([
    ['by the source itself', 1, {}, ['app'], 0],
    ['by what is behind it where the source tells of nothing below', 0, {}, ['app'], 1],
    ['by what is behind it where the source denies it', 1, { quirks: { refuseTagsList: 403 } }, ['app'], 1],
    [
      'by what is behind it where the source has no such list',
      1,
      { quirks: { refuseTagsList: 404 } },
      ['app'],
      1,
    ],
  ])('%s', async (_, front, options, children, asked) => {
    const listing = await listed({ front, behind: 1 }, options, true);
    expect(listing.list.children).toEqual(children);
    expect(listing.asked).toBe(asked);
  });
});
