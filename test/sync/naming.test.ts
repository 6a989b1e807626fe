import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { groupByDestination } from '../../src/sync/plan/naming.ts';
import type { SyncSettings } from '../../src/sync/settings.ts';
import { inShard } from '../../src/sync/shard.ts';
import { TestClient } from '../support/test-client.ts';

describe('what was found', () => {
  // It is asked for nothing.
  const { registry } = new TestClient(parseHost('registry.k8s.io'));
  const found = (path: string) => ({
    name: path,
    registry,
    repository: parseRepository(path),
    list: async () => undefined,
    namedTags: undefined,
  });
  const set = parseImageSet(
    parseDocument('s.json', '{"prefixes": [""], "patches": [{"match": "a/etcd", "name": "other"}]}'),
  );
  const settings = {
    destination: parseHost('mirror.example'),
    naming: 'basename',
    namespace: parseRepository('keel'),
    shard: undefined,
  } as const;
  const grouped = (paths: readonly string[], choice: Parameters<typeof groupByDestination>[2] = settings) =>
    groupByDestination(paths.map(found), set, choice).groups.map(
      ({ repository, members }) => `${repository}: ${members.map(({ name }) => name).join(' ')}`,
    );

  test('is in one group where names meet, under the name that a patch says', () => {
    expect(grouped(['etcd', 'a/pause', 'pause', 'a/etcd'])).toEqual([
      'keel/etcd: etcd',
      'keel/pause: a/pause pause',
      'keel/other: a/etcd',
    ]);
  });

  test('falls to the shard of its destination as a whole', () => {
    const paths = ['etcd', 'pause', 'a/pause', 'coredns/coredns', 'kube-proxy', 'b/pause'];
    const shards = [1, 2, 3].map((index) => grouped(paths, { ...settings, shard: { index, count: 3 } }));
    expect(shards.flat().toSorted()).toEqual(grouped(paths).toSorted());
    const pause = parseRepository('keel/pause');
    const own = shards.find((_, index) => inShard({ index: index + 1, count: 3 }, pause));
    expect(own).toContain('keel/pause: pause a/pause b/pause');
  });

  test.each([
    [`a/${'b'.repeat(253)}`, 258],
    // The host counts too, as many clients do.
    [`a/${'b'.repeat(245)}`, 265],
  ])('that cannot have a name at the destination is in no group', (long, length) => {
    const { groups, nameless } = groupByDestination([found(long), found('pause')], set, settings);
    expect(groups.map(({ repository }) => repository)).toEqual(['keel/pause']);
    expect(nameless).toMatchObject([
      {
        found: { name: long },
        failure: {
          code: 'NAME_TOO_LONG',
          about: `registry.k8s.io/${long}`,
          message: expect.stringContaining(`has ${length} characters`),
        },
      },
    ]);
  });

  test.each<[SyncSettings['naming'], string | undefined, boolean]>([
    ['path', undefined, true],
    ['basename', undefined, false],
    ['path', 'b'.repeat(250), false],
  ])('that is too long with --naming %s: basename is advised where it helps', (naming, patch, helps) => {
    const long = found('a'.repeat(250));
    const patched =
      patch === undefined
        ? set
        : parseImageSet(
            parseDocument(
              's.json',
              `{"prefixes": [""], "patches": [{"match": "${long.name}", "name": "${patch}"}]}`,
            ),
          );
    const { nameless } = groupByDestination([long], patched, { ...settings, naming });
    const hint = nameless[0]?.failure.hint;
    expect(hint).toContain('a shorter --push-ns');
    expect(hint?.includes('--naming basename')).toBe(helps);
  });

  test('and has no name is told by one shard', () => {
    const long = found(`a/${'b'.repeat(253)}`);
    const told = [1, 2, 3].map((index) =>
      groupByDestination([long], set, { ...settings, shard: { index, count: 3 } }),
    );
    expect(told.flatMap(({ nameless }) => nameless)).toHaveLength(1);
  });
});
