import { expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { Failure } from '../../src/lib/failure.ts';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { askSources, judgeSources } from '../../src/sync/doctor/source-checks.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { TestClient } from '../support/test-client.ts';

type SourceAnswer = Parameters<typeof judgeSources>[0][number];

const listed = (name: string, tags: number, hasDigests = true): SourceAnswer => ({
  name,
  kind: 'listed',
  tags,
  hasDigests,
});
const named = (tags: number): SourceAnswer => ({ name: 'q.example/b', kind: 'named', tags });
const unmatched = (name: string): SourceAnswer => ({ name, kind: 'unmatched', why: 'does not exist' });
const refused = (about: string): SourceAnswer => ({
  name: about,
  kind: 'refused',
  failure: new Failure({ code: 'UNAUTHORIZED', about, message: 'it wants a login', hint: 'log in' }),
});

test.each<[string, string, readonly SourceAnswer[], string | undefined]>([
  ['ok', 'r.example/a lists 2 selected tags with their digests', [listed('r.example/a', 2)], undefined],
  [
    'ok',
    'r.example/a lists 1 selected tag without digests, so each run requests the digest of each',
    [listed('r.example/a', 1, false)],
    undefined,
  ],
  [
    'ok',
    '3 repositories list 6 selected tags, 1 of them without digests, so each run requests the digest of each of their tags; 1 named tag exists',
    [listed('r.example/a', 1), listed('r.example/b', 2, false), listed('r.example/c', 3), named(1)],
    undefined,
  ],
  ['ok', '3 named tags exist', [named(1), named(2)], undefined],
  [
    'warning',
    'r.example/a does not exist',
    [unmatched('r.example/a'), named(1)],
    'correct or remove it in the image set',
  ],
  [
    'partial',
    '1 of the 2 images from r.example cannot be mirrored',
    [refused('r.example/a'), unmatched('r.example/b')],
    'r.example/a: it wants a login (log in)',
  ],
  [
    'partial',
    '5 of the 5 images from r.example cannot be mirrored',
    ['a', 'a', 'b', 'c', 'd'].map(refused),
    'a: it wants a login (log in); b: it wants a login (log in); c: it wants a login (log in); 1 more',
  ],
])('%s: %s', (outcome, message, answers, hint) => {
  expect(judgeSources(answers, 'r.example')).toEqual({
    outcome,
    message,
    ...(hint === undefined ? {} : { hint }),
  });
});

test('a web site as source is no registry', async () => {
  await using server = await startRegistry();
  const page = { kind: 'status', status: 404, headers: { 'content-type': 'text/html' } } as const;
  server.fail({ times: Number.POSITIVE_INFINITY, fault: page });
  using client = new TestClient(server.host);
  const { registry, signal } = client;
  const repository = parseRepository('app');
  const found = { name: 'app', registry, repository, list: async () => undefined, namedTags: undefined };
  const set = parseImageSet(parseDocument('image_set.json', '{"names": ["app"]}'));
  const [answer] = await askSources([found], { set, signal, onAnswer: () => undefined });
  expect(answer).toMatchObject({ kind: 'refused', failure: { code: 'NOT_A_REGISTRY', about: server.host } });
});
