import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { destinationRepository } from '../../src/config/mirror-naming.ts';
import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import {
  parseHost,
  parseReference,
  parseRepository,
  parseTag,
  type Tag,
} from '../../src/registry/oci/reference.ts';
import { type Claim, patchText, placeOfClaim, settleClaims } from '../../src/sync/plan/collision.ts';

function claim(reference: string, tags: Record<string, string | undefined>): Claim {
  const { host, repository } = parseReference(reference);
  return {
    name: host === 'registry.k8s.io' ? repository : `${host}/${repository}`,
    registry: { host },
    repository,
    tags: new Map(
      Object.entries(tags).map(([tag, content]): [Tag, Digest | undefined] => [
        parseTag(tag),
        content === undefined ? undefined : digestOf(Buffer.from(content)),
      ]),
    ),
  };
}

const DESTINATION = parseRepository('keel/kube-scheduler');

describe('several sources for one name', () => {
  const core = claim('registry.k8s.io/kube-scheduler', { v1: 'core 1', v2: 'core 2', v4: undefined });
  const twin = claim('registry.k8s.io/kubernetes/kube-scheduler', {
    v1: 'core 1',
    v3: 'core 3',
    v4: undefined,
  });
  const plugins = claim('registry.k8s.io/scheduler-plugins/kube-scheduler', { v2: 'plugins 2' });

  test('share the tags that only one of them has or that they agree about', () => {
    const { chosen, collisions } = settleClaims(DESTINATION, [plugins, twin, core]);
    expect([...chosen].map(([tag, { name }]) => `${tag} ${name}`).toSorted()).toEqual([
      'v1 kube-scheduler',
      'v3 kubernetes/kube-scheduler',
    ]);
    expect(collisions.map(({ tag, undecided }) => `${tag} ${undecided.length}`).toSorted()).toEqual([
      'v2 0',
      'v4 2',
    ]);
  });

  test('that differ are told with a patch that parses and resolves it', () => {
    const [collision] = settleClaims(DESTINATION, [plugins, core]).collisions;
    expect(collision?.claimants.map(({ name }) => name)).toEqual([
      'kube-scheduler',
      'scheduler-plugins/kube-scheduler',
    ]);
    const text = collision === undefined ? '' : patchText(collision);
    expect(text).toBe(
      '{"match": "scheduler-plugins/kube-scheduler", "name": "scheduler-plugins-kube-scheduler"}',
    );
    const set = parseImageSet(parseDocument('s.json', `{"prefixes": ["kube"], "patches": [${text}]}`));
    expect(
      destinationRepository(
        { naming: 'basename', namespace: parseRepository('keel') },
        { host: plugins.registry.host, repository: plugins.repository },
        { patchName: set.patches.get(plugins.name)?.name },
      ),
    ).toBe('keel/scheduler-plugins-kube-scheduler');
  });

  test('from different registries get names with their host where paths are the same', () => {
    const { collisions } = settleClaims(parseRepository('b'), [
      claim('localhost:5000/b', { v1: 'x' }),
      claim('ghcr.io/b', { v1: 'y' }),
      claim('quay.io/b', { v1: 'y' }),
    ]);
    expect(collisions.map(patchText)).toEqual([
      '{"match": "localhost:5000/b", "name": "localhost-5000-b"}, {"match": "quay.io/b", "name": "quay.io-b"}',
    ]);
  });

  test('count as different while one digest is not known', () => {
    const unknown = claim('quay.io/x/kube-scheduler', { v1: undefined });
    expect(settleClaims(DESTINATION, [core, unknown]).collisions.map(({ undecided }) => undecided)).toEqual([
      [unknown],
    ]);
  });

  test('are no collision where they are one repository, named twice', () => {
    const again = claim('registry.k8s.io/kube-scheduler', { v1: undefined, v2: 'core 2', v4: undefined });
    const { chosen, collisions } = settleClaims(DESTINATION, [again, core]);
    expect([chosen.size, collisions]).toEqual([3, []]);
  });

  test('lose no tag, and their order makes no difference', () => {
    const host = fc.constantFrom('a.io', 'b.io').map((text) => parseHost(text));
    const repository = fc.constantFrom('x', 'y/x', 'z/y/x').map((text) => parseRepository(text));
    const contents = fc.dictionary(
      fc.constantFrom('v1', 'v2', 'v3'),
      fc.option(fc.constantFrom('one', 'two'), { nil: undefined }),
    );
    const claims = fc.uniqueArray(fc.tuple(host, repository, contents), {
      selector: ([where, what]) => `${where}/${what}`,
      maxLength: 6,
    });
    fc.assert(
      fc.property(claims, (some) => {
        const all = some.map(([where, what, tags]) => claim(`${where}/${what}`, tags));
        const one = settleClaims(parseRepository('x'), all);
        const other = settleClaims(parseRepository('x'), all.toReversed());
        const told = ({ chosen, collisions }: typeof one) => [
          ...[...chosen].map(([tag, { name }]) => `${tag} ${name}`),
          ...collisions.map((collision) => `${collision.tag} ${patchText(collision)}`),
        ];
        expect(told(one).toSorted()).toEqual(told(other).toSorted());
        const tags = new Set(all.flatMap((each) => [...each.tags.keys()]));
        expect(one.chosen.size + one.collisions.length).toBe(tags.size);
      }),
    );
  });
});

describe('the place in an image set of a source that wants a name', () => {
  const lines = [
    '{"names": ["pause"],',
    '"extras": ["quay.io/x/pause:1", "ghcr.io/y/etcd"],',
    '"prefixes": ["sig", "sig-storage/"],',
    '"kubernetes": ["1.36.2"]}',
  ];
  const set = parseImageSet(parseDocument('image_set.json', lines.join('\n')));

  test.each<[line: number | undefined, claimants: string[]]>([
    [2, ['registry.k8s.io/pause:1', 'quay.io/x/pause:1']],
    [1, ['quay.io/x/pause:1', 'registry.k8s.io/pause:1']],
    [2, ['ghcr.io/y/etcd:3.6.5']],
    [4, ['registry.k8s.io/kube-proxy:v1.36.2']],
    [3, ['registry.k8s.io/sig-storage/nfs:v1']],
    [undefined, ['registry.k8s.io/elsewhere/nfs:v1']],
    [1, ['registry.k8s.io/pause:1', 'registry.k8s.io/elsewhere/nfs:v1']],
  ])('is on line %s for the last of %j that it names', (line, claimants) => {
    expect(placeOfClaim(set, 'registry.k8s.io', claimants)?.line).toBe(line);
  });

  test('is that of the longest prefix', () => {
    const place = placeOfClaim(set, 'registry.k8s.io', ['registry.k8s.io/sig-storage/nfs:v1']);
    expect(place?.column).toBe(21);
  });
});
