import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { parseHost, parseRepository, parseTag, type Tag } from '../../src/registry/oci/reference.ts';
import type { RepositoryGroup } from '../../src/sync/plan/naming.ts';
import type { RepositoryPlan } from '../../src/sync/plan/planning.ts';
import {
  compareListings,
  findEndlessLists,
  findFilteredAway,
  findFilteredPrefixes,
  findUnclearCuts,
  findUnmatched,
  findUnselected,
  viewOfSource,
} from '../../src/sync/run/source-view.ts';
import { TestClient } from '../support/test-client.ts';

// They are asked for nothing.
const { registries, registry } = new TestClient(parseHost('registry.k8s.io'));

interface Seen {
  /** How many tags the source listed. */
  readonly listed: number;
  readonly wanted: readonly string[];
  readonly isNamedOnly?: boolean;
  readonly emptied?: 'filters' | 'since';
}

function tagsOf(count: number): Tag[] {
  return Array.from({ length: count }, (_, number) => parseTag(`v${number}`));
}

/** The plan of a source repository by its name in the set. */
function planOf(name: string, { listed, wanted, isNamedOnly = false, emptied }: Seen): RepositoryPlan {
  const [host = '', ...path] = name.includes('.') ? name.split('/') : ['registry.k8s.io', name];
  const found = {
    name,
    registry: host === 'registry.k8s.io' ? registry : registries.at(parseHost(host)),
    repository: parseRepository(path.join('/')),
    list: async () => undefined,
    namedTags: isNamedOnly ? wanted.map((tag) => parseTag(tag)) : undefined,
  };
  const tags = new Map(wanted.map((tag) => [parseTag(tag), undefined]));
  const listing = { tags: tagsOf(listed), children: [], manifests: new Map() };
  return {
    repository: parseRepository(`keel/${found.repository}`),
    listing: { kind: 'unknown' },
    images: [],
    collisions: [],
    members: [{ ...found, listing, tags, unclearCut: undefined, emptied, signatureTags: [] }],
    planTag: (image) => image,
  };
}

function groupOf({ repository, members }: RepositoryPlan): RepositoryGroup {
  return { repository, members };
}

const SET = parseImageSet(
  parseDocument(
    'image_set.json',
    JSON.stringify({
      kubernetes: ['1.37.1'],
      names: ['pause', 'gone'],
      prefixes: ['sig-storage/', 'none/'],
      extras: ['quay.io/a/b:1', 'ghcr.io/c/d'],
    }),
  ),
);
const PLANS = [
  planOf('pause', { listed: 3, wanted: ['v1', 'v2'] }),
  planOf('sig-storage/nfs', { listed: 10, wanted: [] }),
  planOf('kube-proxy', { listed: 5, wanted: ['v1.37.1'] }),
  planOf('quay.io/a/b', { listed: 0, wanted: ['1'], isNamedOnly: true }),
];

test('what a run saw are the lines that matched, and the size of what was listed', () => {
  const { matched, listings } = viewOfSource(SET, PLANS);
  expect([...matched]).toEqual([
    'pause',
    'sig-storage/nfs',
    'kube-proxy',
    'quay.io/a/b',
    'sig-storage/',
    '1.37.1',
    'kube-proxy:v1.37.1',
  ]);
  expect([...listings]).toEqual([
    ['registry.k8s.io/pause', 3],
    ['registry.k8s.io/sig-storage/nfs', 10],
    ['registry.k8s.io/kube-proxy', 5],
  ]);
});

test('a listing that lost a fifth of its tags is told', () => {
  const view = (sizes: Record<string, number>) => ({ matched: [], listings: new Map(Object.entries(sizes)) });
  const before = view({ a: 100, b: 100, c: 4, d: 100 });
  const after = view({ a: 80, b: 81, c: 1, e: 1 });
  expect(compareListings(before, after)).toEqual([expect.stringMatching(/^a: .* from 100 to 80 entries/)]);
});

test('an image whose tags are all filtered away is told at its place, unless a prefix found it', () => {
  const plans = [
    planOf('pause', { listed: 3, wanted: [], emptied: 'filters' }),
    planOf('gone', { listed: 4, wanted: [], emptied: 'since' }),
    planOf('sig-storage/nfs', { listed: 3, wanted: [], emptied: 'filters' }),
    planOf('ghcr.io/c/d', { listed: 7, wanted: [], emptied: 'filters' }),
    planOf('quay.io/a/b', { listed: 0, wanted: [], isNamedOnly: true }),
  ];
  const unselected = findUnselected(SET, plans);
  expect(unselected.map(({ image, tags, emptied }) => [image, tags, emptied])).toEqual([
    ['pause', 3, 'filters'],
    ['gone', 4, 'since'],
    ['sig-storage/nfs', 3, 'filters'],
    ['ghcr.io/c/d', 7, 'filters'],
  ]);
  expect(findFilteredAway(unselected).map(({ message }) => message)).toEqual([
    expect.stringMatching(/^"pause" lists 3 tags/),
    expect.stringMatching(/^"ghcr.io\/c\/d" lists 7 tags/),
  ]);
});

test('tags of signatures are none that filters keep away', () => {
  const plan = planOf('pause', { listed: 3, wanted: [], emptied: 'filters' });
  const signature = parseTag(`sha256-${'0'.repeat(64)}.sig`);
  const members = plan.members.map((member) => ({
    ...member,
    listing: { ...member.listing, tags: [...member.listing.tags, signature] },
  }));
  expect(findUnselected(SET, [{ ...plan, members }])).toMatchObject([{ image: 'pause', tags: 3 }]);
});

test('a prefix is told where filters let no tag of all its images pass', () => {
  const empty = planOf('sig-storage/nfs', { listed: 3, wanted: [], emptied: 'filters' });
  const other = planOf('sig-storage/smb', { listed: 4, wanted: [], emptied: 'filters' });
  const older = planOf('sig-storage/csi', { listed: 5, wanted: [], emptied: 'since' });
  const told = (...plans: RepositoryPlan[]) =>
    findFilteredPrefixes(SET, plans, findUnselected(SET, plans)).map(({ message }) => message);
  expect(told(empty, other)).toEqual([
    '"sig-storage/" finds 2 images with 7 tags, but "tags" and "exclude" drop all of them',
  ]);
  expect(told(empty, older)).toEqual([]);
  expect(told(empty, planOf('sig-storage/smb', { listed: 4, wanted: ['v1'] }))).toEqual([]);
});

test('a list of tags without an end is told, at the line that names the image', () => {
  const plan = planOf('pause', { listed: 3, wanted: ['v1'] });
  const members = plan.members.map((member) => ({
    ...member,
    listing: { ...member.listing, isCircular: true },
  }));
  const [notice, ...others] = findEndlessLists(SET, [{ ...plan, members }, ...PLANS]);
  expect(notice?.message).toMatch(/^"pause": its list of tags is endless, .* the 3 tags /);
  expect(notice?.place?.line).toBe(1);
  expect(others).toEqual([]);
});

test('a list of tags that was cut is told', () => {
  const plan = planOf('pause', { listed: 1000, wanted: ['v1'] });
  const members = plan.members.map((member) => ({ ...member, listing: { ...member.listing, isCut: true } }));
  expect(findEndlessLists(SET, [{ ...plan, members }]).map(({ message }) => message)).toEqual([
    expect.stringMatching(/^"pause": its list of tags ends at 1,000, /),
  ]);
});

test('a choice of newest tags that nothing tells is told', () => {
  const plan = planOf('pause', { listed: 3, wanted: ['v1'] });
  const members = plan.members.map((member) => ({
    ...member,
    unclearCut: { taken: 'jammy', left: 'noble' },
  }));
  expect(findUnclearCuts(SET, [{ ...plan, members }, ...PLANS]).map(({ message }) => message)).toEqual([
    expect.stringMatching(/^"pause": "latest" takes jammy and leaves noble out, .*"regex"/),
  ]);
});

describe('a line of the set that matches nothing', () => {
  const unlisted = groupOf(planOf('ghcr.io/c/d', { listed: 0, wanted: [] }));
  const groups = [...PLANS.map(groupOf), unlisted];

  test('is told with whether it matched before; of what could not be listed nothing is', () => {
    const before = { matched: ['gone', 'pause'], listings: new Map() };
    const found = findUnmatched({
      nameless: [],
      excluded: new Set(),
      set: SET,
      groups,
      plans: PLANS,
      before,
    });
    const lines = found.filter(({ pattern }) => !pattern.includes(':'));
    expect(lines.map(({ pattern, matchedBefore }) => [pattern, matchedBefore])).toEqual([
      ['gone', true],
      ['none/', false],
    ]);
    expect(lines[0]?.place).toMatchObject({ file: 'image_set.json' });
    expect(found.map(({ pattern }) => pattern)).toContain('pause:3.10.2');
  });

  test('because the set itself leaves out all that it finds is told as that, and not as gone', () => {
    const excluding = parseImageSet(
      parseDocument('image_set.json', JSON.stringify({ prefixes: ['team/ap', 'other/'], exclude: ['app'] })),
    );
    const found = findUnmatched({
      nameless: [],
      set: excluding,
      groups: [],
      plans: [],
      excluded: new Set(['team/app-1', 'team/app-2']),
      before: { matched: ['team/ap', 'other/'], listings: new Map() },
    });
    expect(found.map(({ pattern, matchedBefore, excluded }) => [pattern, matchedBefore, excluded])).toEqual([
      ['team/ap', false, 2],
      ['other/', true, undefined],
    ]);
  });

  test('may be an extra, once it could be asked for', () => {
    const before = { matched: [], listings: new Map() };
    const found = findUnmatched({
      nameless: [],
      excluded: new Set(),
      set: SET,
      groups: PLANS.map(groupOf),
      plans: PLANS,
      before,
    });
    expect(found.map(({ pattern }) => pattern)).toContain('ghcr.io/c/d');
  });
});
