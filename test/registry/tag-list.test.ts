import { describe, expect, it } from 'vitest';
import { parseCatalogue, parseTagList } from '../../src/registry/tag-list.ts';

const DIGEST = `sha256:${'b'.repeat(64)}`;

function parse(body: unknown) {
  return parseTagList(Buffer.from(JSON.stringify(body)), 'a.example/app');
}

describe('a tag list', () => {
  it('keeps tags only', async () => {
    const list = await parse({ name: 'x', tags: ['1.0', DIGEST, '', 'a b', '-x', 'latest'] });
    expect(list.tags).toEqual(['1.0', 'latest']);
    expect(list.manifests.size).toBe(0);
  });

  it.each([{ tags: null }, {}, { name: 'x' }])('may be empty: %j', async (body) => {
    expect(await parse(body)).toMatchObject({ tags: [], children: [] });
  });

  it("reads Google's numbers, which are strings, and leaves untagged manifests out", async () => {
    const entry = (tag: unknown, timeUploadedMs: unknown) => ({ mediaType: 'm', tag, timeUploadedMs });
    const other = `sha256:${'c'.repeat(64)}`;
    const list = await parse({
      tags: ['1.0', '1.1'],
      child: ['a', '../b', 'A', 'c/d', 'd-e'],
      manifest: {
        [DIGEST]: entry(['1.0', '1.1'], '1700000000123'),
        [other]: entry([], '5'),
        wrong: entry(['x'], ''),
      },
    });
    expect(list.children).toEqual(['a', 'd-e']);
    expect([...list.manifests.keys()]).toEqual(['1.0', '1.1']);
    expect([...list.manifests.values()][0]).toEqual({
      digest: DIGEST,
      uploaded: new Date(1_700_000_000_123),
    });
  });

  it.each(['0', '-1', 'x', '', '1e300', undefined])('has no date for %j', async (timeUploadedMs) => {
    const list = await parse({
      tags: [],
      manifest: { [DIGEST]: { mediaType: 'm', tag: ['1.0'], timeUploadedMs } },
    });
    expect([...list.manifests.values()]).toEqual([{ digest: DIGEST }]);
  });

  it.each(['null', ' null\n', '\uFEFFnull', '\uFEFF{}'])('may be empty as %j', async (text) => {
    expect(await parseTagList(Buffer.from(text), 'a.example/app')).toEqual({
      tags: [],
      children: [],
      manifests: new Map(),
    });
    expect(await parseCatalogue(Buffer.from(text), 'a.example')).toEqual([]);
  });

  it('skips entries that are no tags, of whatever kind, and a byte order mark', async () => {
    const odd = [null, 1, '', true, {}, ['v9']];
    const entry = { tag: ['v1', ...odd], timeUploadedMs: 5 };
    const other = `sha256:${'c'.repeat(64)}`;
    const body = {
      tags: ['v1', ...odd, 'v2'],
      child: [...odd, 'a'],
      manifest: { [DIGEST]: entry, [other]: 7 },
    };
    const text = `\uFEFF${JSON.stringify(body)}`;
    expect(await parseTagList(Buffer.from(text), 'a.example/app')).toEqual({
      tags: ['v1', 'v2'],
      children: ['a'],
      manifests: new Map([['v1', { digest: DIGEST }]]),
    });
    const repositories = Buffer.from(JSON.stringify({ repositories: [...odd, 'app'] }));
    expect(await parseCatalogue(repositories, 'a.example')).toEqual(['app']);
  });

  it.each(['', '<html>', '[]', '7', '{"tags": "all"}', '\uFEFF\uFEFF{}'])(
    'is refused as %j',
    async (text) => {
      await expect(parseTagList(Buffer.from(text), 'a.example/app')).rejects.toThrow(
        expect.objectContaining({ code: 'REGISTRY_BROKEN', about: 'a.example/app' }),
      );
    },
  );
});

describe('a list that is none', () => {
  it('says so where a name stands in it twice, and is not asked for again', async () => {
    await expect(
      parseTagList(Buffer.from('{"tags":[],"tags":["v1"]}'), 'a.example/app'),
    ).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: 'its tag list does not follow the protocol: it has "tags" twice',
      transient: false,
    });
  });

  const numbers = (count: number): string => Array.from({ length: count }, (_, at) => at).join(',');

  it.each([
    ['tags', `{"tags":["v1",${numbers(101)}]}`],
    ['children', `{"child":[${numbers(101)}]}`],
    ['manifests', `{"manifest":{${Array.from({ length: 101 }, (_, at) => `"${at}":7`).join(',')}}}`],
  ])('ends at the first of its %s that is one too many', async (_, text) => {
    await expect(parseTagList(Buffer.from(text), 'a.example/app')).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: 'its tag list does not follow the protocol: more than 100 of its entries are not names',
      transient: false,
    });
  });

  it('of repositories ends there too', async () => {
    await expect(
      parseCatalogue(Buffer.from(`{"repositories":[${numbers(101)}]}`), 'a.example'),
    ).rejects.toThrow(
      'its catalogue does not follow the protocol: more than 100 of its entries are not names',
    );
  });

  it('has more names than any', async () => {
    const list = (count: number) => parse({ tags: Array.from({ length: count }, (_, at) => `v${at}`) });
    expect((await list(200_000)).tags).toHaveLength(200_000);
    await expect(list(200_001)).rejects.toThrow('it has more than 200000 names');
  });
});
