import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { discover } from '../../src/sync/plan/discovery.ts';
import { TOKENS } from '../support/registry/access.ts';
import type { FaultRule } from '../support/registry/faults.ts';
import { type RegistryOptions, startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { type ClientChoices, TestClient } from '../support/test-client.ts';
import { LOGIN } from '../support/token-server.ts';

const REPOSITORIES = [
  'pause',
  'kube-proxy',
  'kube-proxy-arm',
  'sig-storage/csi-attacher',
  'sig-storage/deep/csi-snapshotter',
  'other/kube-thing',
  'other/deep/kube-thing',
];

interface Choices extends RegistryOptions {
  readonly namespaces?: readonly string[];
  readonly faults?: readonly FaultRule[];
  readonly login?: ClientChoices['login'];
}

/** What a set asks for at a source, and the paths whose lists were asked for. */
async function found(set: object, { namespaces = [], faults = [], login, ...options }: Choices = {}) {
  await using source = await startRegistry({ listing: { style: 'google' }, ...options });
  for (const fault of faults) source.fail(fault);
  for (const name of REPOSITORIES) seedImage(source.storage, name, { tags: ['v1'] });
  using client = new TestClient(source.host, { login });
  const excluded: string[] = [];
  const repositories = await discover({
    set: parseImageSet(parseDocument('image_set.json', JSON.stringify(set))),
    source: client.registry,
    registryAt: (host) => client.registries.at(host),
    namespaces,
    onExcluded: (name) => excluded.push(name),
    signal: client.signal,
  });
  const asked = source.journal.filter({ kind: 'tags-list' }).map(({ repository }) => repository);
  return { names: repositories.map(({ name }) => name), asked, repositories, source, excluded };
}

describe('repositories that are named', () => {
  it('are found without a request, whether they exist or not', async () => {
    const { names, asked, source } = await found({ names: ['pause', 'nosuch'], kubernetes: ['1.37.1'] });
    expect(names).toEqual(expect.arrayContaining(['pause', 'nosuch', 'kube-apiserver', 'etcd']));
    expect(asked).toEqual([]);
    expect(source.journal.entries).toEqual([]);
  });

  it('of another registry have the tags that are named, or are listed where one is not', async () => {
    const { repositories } = await found({
      extras: ['quay.io/a:1', 'quay.io/a:2', 'quay.io/b:1', 'quay.io/b'],
    });
    expect(repositories.map(({ name, namedTags }) => [name, namedTags])).toEqual([
      ['quay.io/a', ['1', '2']],
      ['quay.io/b', undefined],
    ]);
    expect(repositories.map(({ registry, repository }) => `${registry.host} ${repository}`)).toEqual([
      'quay.io a',
      'quay.io b',
    ]);
  });
});

describe('repositories that a prefix wants', () => {
  it.each<[string, object, readonly string[], string[], string[]]>([
    [
      'at the top',
      { prefixes: ['kube-'] },
      [],
      ['kube-proxy', 'kube-proxy-arm'],
      ['', 'kube-proxy', 'kube-proxy-arm'],
    ],
    [
      'without what is excluded',
      { prefixes: ['kube-'], exclude: ['-arm'] },
      [],
      ['kube-proxy'],
      ['', 'kube-proxy'],
    ],
    [
      'in a namespace that it spells out',
      { prefixes: ['sig-storage/csi-'] },
      [],
      ['sig-storage/csi-attacher'],
      ['', 'sig-storage', 'sig-storage/csi-attacher'],
    ],
    [
      'below it, where it spells out no more',
      { prefixes: ['sig-storage/'] },
      [],
      ['sig-storage/csi-attacher'],
      ['', 'sig-storage', 'sig-storage/csi-attacher', 'sig-storage/deep'],
    ],
    [
      'in a namespace that is to be searched, and below it',
      { prefixes: ['other/'] },
      ['other'],
      ['other/deep/kube-thing', 'other/kube-thing'],
      ['', 'other', 'other/deep', 'other/deep/kube-thing', 'other/kube-thing'],
    ],
    [
      'everywhere',
      { prefixes: [''] },
      ['*'],
      REPOSITORIES.toSorted(),
      ['', ...REPOSITORIES, 'other', 'other/deep', 'sig-storage', 'sig-storage/deep'],
    ],
  ])('are found %s, by asking only where one could be', async (_, set, namespaces, names, asked) => {
    const walked = await found(set, { namespaces });
    expect(walked.names).toEqual(names);
    expect(walked.asked.toSorted()).toEqual(asked.toSorted());
  });

  it('are not listed again, as their list came with the walk', async () => {
    const { repositories, source } = await found({ prefixes: ['kube-proxy'], exclude: ['-arm'] });
    source.journal.clear();
    expect((await repositories[0]?.list())?.tags).toEqual(['v1']);
    expect(source.journal.entries).toEqual([]);
  });

  it('and a name of the same repository are one', async () => {
    expect((await found({ names: ['kube-proxy'], prefixes: ['kube-'] })).names).toEqual([
      'kube-proxy',
      'kube-proxy-arm',
    ]);
  });

  it.each([
    ['of the top', { prefixes: ['kube-'] }, ['kube-proxy', 'kube-proxy-arm']],
    ['of a namespace that it spells out', { prefixes: ['sig-storage/csi-'] }, ['sig-storage/csi-attacher']],
    [
      'of no namespace that is not to be searched',
      { prefixes: [''] },
      ['kube-proxy', 'kube-proxy-arm', 'pause'],
    ],
  ])('are taken from the catalogue where lists tell of none below them: %s', async (_, set, names) => {
    const catalogue = await found(set, { listing: {} });
    expect(catalogue.names).toEqual(names);
    expect(catalogue.source.journal.count('catalog')).toBe(1);
  });

  it.each([
    ['lists', undefined],
    ['the catalogue', {}],
  ])(
    'and that "exclude" leaves out are told apart from those that are not there, in %s',
    async (_, listing) => {
      const choices = listing === undefined ? {} : { listing };
      const { names, excluded } = await found({ prefixes: ['kube-'], exclude: ['proxy'] }, choices);
      expect(names).toEqual([]);
      expect(excluded.toSorted()).toEqual(['kube-proxy', 'kube-proxy-arm']);
      expect((await found({ prefixes: ['pause'], exclude: ['proxy'] }, choices)).excluded).toEqual([]);
    },
  );

  it.each([
    [401, 'UNAUTHORIZED'],
    [403, 'DENIED'],
  ])('are not said to be unlisted where a list is refused (%i)', async (status, code) => {
    const fault = { kind: 'status', status } as const;
    const faults = [{ match: { kind: 'catalog' }, fault }] as const;
    await expect(found({ prefixes: ['kube-'] }, { listing: {}, faults })).rejects.toMatchObject({
      code,
      message: expect.stringContaining('it refuses to list its repositories, so "kube-"'),
      hint: expect.stringContaining('docker login'),
    });
  });

  // With full names instead of prefixes, the same login would be refused just the same.
  it('whose source refuses the login are told as that, in the words of any request with it', async () => {
    const login = { ...LOGIN, password: 'wrong' };
    for (const access of [TOKENS, { ...TOKENS, mode: 'basic' } as const]) {
      const refused = found({ prefixes: ['kube-'] }, { listing: {}, access, login });
      await expect(refused).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
        message: expect.stringMatching(/^cannot log in, the registry answered 401/),
        hint: expect.stringMatching(/^check the user name and password for this registry/),
      });
    }
  });

  it('whose source lists nothing without a login are told with how to give one', async () => {
    for (const access of [TOKENS, { ...TOKENS, mode: 'basic' } as const]) {
      const failure = await found({ prefixes: ['kube-'] }, { listing: {}, access }).catch((error) => error);
      expect(failure).toMatchObject({
        code: 'UNAUTHORIZED',
        message: expect.stringMatching(/^it refuses to list its repositories, so "kube-" .*: cannot .* 401/),
        hint: expect.stringMatching(/^there is no login for it: .*KEEL_REGISTRY_LOGINS.*"names"/),
      });
      // The hint follows in brackets.
      expect(failure.message).not.toMatch(/\)$/);
    }
  });

  it('cannot be searched for where there is neither', async () => {
    const fault = { kind: 'status', status: 404 } as const;
    const faults = [{ match: { kind: 'catalog' }, fault }] as const;
    await expect(found({ prefixes: ['kube-'] }, { listing: {}, faults })).rejects.toMatchObject({
      code: 'SEARCH_UNSUPPORTED',
      message: expect.stringContaining('it does not list its repositories, so "kube-"'),
      hint: expect.stringContaining('"names"'),
    });
  });
});
