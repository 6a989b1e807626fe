import { describe, expect, it } from 'vitest';
import { openUpload } from '../../src/registry/blob/blob-upload.ts';
import { parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { readBlob } from '../../src/registry/small-blob.ts';
import type { Access } from '../support/registry/access.ts';
import { bytesContent } from '../support/registry/content.ts';
import { endlessRedirect, type FaultRule } from '../support/registry/faults.ts';
import type { JournalEntry, RequestMatch } from '../support/registry/journal.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage } from '../support/registry/seed.ts';
import { TestClient } from '../support/test-client.ts';

const APP = parseRepository('app');
const TAG = parseTag('1.0');
const LOGIN = { username: 'keel', password: 'se:cret' };
const BEARER: Access = { mode: 'bearer', users: { keel: 'se:cret' } };
const UNAUTHORIZED = {
  kind: 'status',
  status: 401,
  headers: { 'www-authenticate': 'Bearer realm="/token"' },
} as const;

describe('a login', () => {
  it('by password goes with every request', async () => {
    await using server = await startRegistry({ access: { mode: 'basic', users: { keel: 'se:cret' } } });
    const image = seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host, { login: LOGIN });
    expect((await client.registry.getManifest(APP, TAG, client.signal)).digest).toBe(image.digest);
    const basic = Buffer.from('keel:se:cret').toString('base64');
    expect(server.journal.entries.map(({ kind, headers }) => [kind, headers.authorization])).toEqual([
      ['ping', undefined],
      ['ping', `Basic ${basic}`],
      ['manifest-get', `Basic ${basic}`],
    ]);
    expect(client.secrets).toContain(basic);
    expect(await client.registry.logIn(APP)).toBe('keel');
  });

  it.each(['token', 'access_token'] as const)('by %s asks once for each repository', async (tokenField) => {
    await using server = await startRegistry({ access: { ...BEARER, tokenField } });
    const names = ['app', 'other/app'].map((name) => parseRepository(name));
    for (const name of names) seedImage(server.storage, name, { tags: ['1.0'] });
    using client = new TestClient(server.host, { login: LOGIN });
    await Promise.all(
      [...names, ...names].map((name) => client.registry.findManifest(name, TAG, client.signal)),
    );
    expect(server.journal.tally()).toEqual({ ping: 2, token: 3, 'manifest-head': 4 });
    const [account, first] = server.journal.filter({ kind: 'token' });
    expect(account?.query.getAll('scope')).toEqual([]);
    expect(first?.query.getAll('scope')).toEqual(['repository:app:pull']);
    expect(first?.query.get('service')).toBe('test-registry');
    const sent = server.journal.filter({ kind: 'manifest-head' }).map(({ headers }) => headers.authorization);
    for (const header of sent) expect(client.secrets).toContain(header?.replace('Bearer ', ''));
  });

  it('names the repository to push to first when it mounts', async () => {
    await using server = await startRegistry({ access: BEARER });
    const digest = server.storage.putBlob('other', bytesContent('layer'));
    using client = new TestClient(server.host, { login: LOGIN });
    await client.registry.ping();
    const mount = { digest, from: parseRepository('other') };
    expect(await openUpload(client.registry, APP, client.signal, mount)).toBe('mounted');
    const token = server.journal.filter({ kind: 'token' }).at(-1);
    expect(token?.query.getAll('scope')).toEqual(['repository:app:pull,push', 'repository:other:pull']);
  });

  it('by anonymous token reads what anyone may', async () => {
    await using server = await startRegistry({ access: { ...BEARER, anonymousPull: true } });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host);
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
    expect(server.journal.filter({ kind: 'token' })[0]?.headers.authorization).toBeUndefined();
  });

  it('goes on without a token where the token endpoint is missing and nobody asked for one', async () => {
    await using server = await startRegistry();
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail({ match: { kind: 'ping' }, fault: UNAUTHORIZED });
    server.fail({ match: { kind: 'token' }, fault: { kind: 'status', status: 404 } });
    using client = new TestClient(server.host);
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
    expect(server.journal.tally()).toEqual({ ping: 1, token: 1, 'tags-list': 1 });
  });

  it('fails at a missing token service, which says nothing about the repository', async () => {
    await using server = await startRegistry({ access: BEARER });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    const fault = { kind: 'status', status: 404 } as const;
    server.fail({ match: { kind: 'token' }, times: Number.POSITIVE_INFINITY, fault });
    using client = new TestClient(server.host, { login: LOGIN });
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_REFUSED',
      about: server.host,
      message: expect.stringContaining('cannot log in'),
    });
  });

  it('by identity token is posted, and never sent to the registry itself', async () => {
    const access: Access = { ...BEARER, identityTokens: { 'refresh me': 'keel' } };
    await using server = await startRegistry({ access });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host, { identityToken: 'refresh me' });
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
    const [token] = server.journal.filter({ kind: 'token' });
    expect([token?.method, token?.headers.authorization, token?.query.size]).toEqual(['POST', undefined, 0]);
    expect(server.journal.filter({ kind: 'tags-list' })[0]?.headers.authorization).toMatch(/^Bearer /);
    expect(await client.registry.logIn(APP)).toBe('identity token');
    expect(server.journal.count({ kind: 'ping', when: ({ status }) => status === 200 })).toBe(1);
  });

  it('by identity token is none where a password is wanted', async () => {
    await using server = await startRegistry({ access: { mode: 'basic', users: { keel: 'se:cret' } } });
    using client = new TestClient(server.host, { identityToken: 'refresh me' });
    await expect(client.registry.logIn(APP)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: 'it requires a user name and password, but there is only an identity token',
      hint: 'set a user name and password in KEEL_REGISTRY_LOGINS, in a workflow in registry-logins',
    });
  });

  it('is renewed once when its token is not taken any more', async () => {
    await using server = await startRegistry({ access: BEARER });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host, { login: LOGIN });
    const ask = () => client.registry.findManifest(APP, TAG, client.signal);
    await ask();
    server.revokeTokens();
    server.journal.clear();
    await Promise.all([ask(), ask(), ask()]);
    expect(server.journal.count('token')).toBe(1);
    expect(server.journal.count({ kind: 'manifest-head', when: ({ status }) => status === 200 })).toBe(3);
  });

  it('that is refused for ever ends, and asks for no more than two tokens', async () => {
    await using server = await startRegistry({ access: BEARER });
    const headers = { 'www-authenticate': `Bearer realm="${server.url}/token",service="test-registry"` };
    const fault = { ...UNAUTHORIZED, headers };
    server.fail({ match: { kind: 'manifest-get' }, times: Infinity, fault });
    using client = new TestClient(server.host, { login: LOGIN });
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      status: 401,
    });
    expect(server.journal.tally()).toEqual({ ping: 2, token: 3, 'manifest-get': 2 });
  });

  it.each<[string, Access]>([
    ['the token service refuses', BEARER],
    ['the token service denies, as GHCR does', { ...BEARER, wrongPassword: 403 }],
    [
      'the token service answers with a token for nobody, as Harbor does',
      { ...BEARER, wrongPassword: 'anonymous' },
    ],
    ['the same where anyone may read', { ...BEARER, wrongPassword: 'anonymous', anonymousPull: true }],
    ['the registry refuses', { mode: 'basic', users: { keel: 'se:cret' } }],
  ])('with a wrong password is tried once a run: %s', async (_, access) => {
    await using server = await startRegistry({ access });
    using client = new TestClient(server.host, { login: { ...LOGIN, password: 'wrong' } });
    const refused = { code: 'UNAUTHORIZED', message: expect.stringContaining('cannot log in') };
    const names = Array.from({ length: 20 }, (_each, index) => parseRepository(`app${index}`));
    const listing = names.map((name) => client.registry.listTags(name, client.signal));
    const outcomes = await Promise.allSettled(listing);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: refused });
    await expect(client.registry.logIn(APP)).rejects.toMatchObject(refused);
    const withPassword = server.journal.entries.filter(({ headers }) =>
      headers.authorization?.startsWith('Basic '),
    );
    expect(withPassword).toHaveLength(1);
    expect(server.journal.entries.length).toBeLessThanOrEqual(3);
  });

  it('with a wrong password is tried twice where the token service answers 400, which may mean the scope', async () => {
    await using server = await startRegistry({ access: { ...BEARER, wrongPassword: 400 } });
    using client = new TestClient(server.host, { login: { ...LOGIN, password: 'wrong' } });
    const refused = { code: 'UNAUTHORIZED', status: 400 };
    const names = Array.from({ length: 20 }, (_each, index) => parseRepository(`app${index}`));
    const listing = names.map((name) => client.registry.listTags(name, client.signal));
    for (const outcome of await Promise.allSettled(listing))
      expect(outcome).toMatchObject({ reason: refused });
    await expect(client.registry.logIn(APP)).rejects.toMatchObject(refused);
    expect(server.journal.filter({ kind: 'token' }).map(({ query }) => query.get('scope'))).toEqual([
      null,
      'repository:app0:pull',
    ]);
  });

  it('is proved with a scope where the token service wants one', async () => {
    await using server = await startRegistry({ access: { ...BEARER, noScopeStatus: 400 } });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    using client = new TestClient(server.host, { login: LOGIN });
    expect(await client.registry.logIn(APP)).toBe('keel');
    expect((await client.registry.aboutLogin(APP)).isProved).toBe(true);
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
    expect(server.journal.count('token')).toBe(3);
  });

  it('is not said to be right where no answer shows it', async () => {
    const access: Access = { ...BEARER, noScopeStatus: 404, refusedScopeStatus: 404, allows: () => false };
    await using server = await startRegistry({ access });
    using client = new TestClient(server.host, { login: LOGIN });
    expect(await client.registry.logIn(APP)).toBe('keel');
    expect((await client.registry.aboutLogin(APP)).isProved).toBe(false);
  });

  it('whose tokens are refused gets two for a repository, and not one for each request', async () => {
    const access: Access = { ...BEARER, wrongPassword: 'anonymous', isPingOpen: true };
    await using server = await startRegistry({ access });
    using client = new TestClient(server.host, { login: { ...LOGIN, password: 'wrong' } });
    for (let turn = 0; turn < 5; turn += 1) {
      await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
        status: 401,
      });
    }
    expect(server.journal.tally()).toEqual({ ping: 2, token: 3, 'manifest-get': 6 });
  });

  /** Gives a token for nobody to anybody, and takes it for pings. */
  const OPEN: Access = {
    ...BEARER,
    wrongPassword: 'anonymous',
    isPingOpen: true,
    anonymousPull: true,
    allows: (user, name) => user !== undefined && name !== 'closed',
  };

  it.each<[string, Access, readonly string[]]>([
    ['401', OPEN, ['app0', 'app0', 'app1']],
    ['403', { ...OPEN, deniedStatus: 403 }, ['app0', 'app1', 'app2']],
    ['401, to a JSON Web Token', { ...OPEN, isJwt: true }, ['app0', 'app0', 'app1']],
  ])(
    'with a wrong password gets three tokens where a ping takes that of anybody, and repositories answer %s',
    async (_, access, tried) => {
      await using server = await startRegistry({ access });
      const limits = { metadata: { start: 64 }, transfers: { start: 4 } };
      using client = new TestClient(server.host, { login: { ...LOGIN, password: 'wrong' }, limits });
      expect(await client.registry.logIn(APP)).toBe('keel');
      const names = Array.from({ length: 20 }, (_, index) => parseRepository(`app${index}`));
      const list = () =>
        Promise.allSettled(names.map((name) => client.registry.listTags(name, client.signal)));
      const outcomes = [await list(), await list()].map((each) => each.slice(tried.length));
      const refused = { code: 'UNAUTHORIZED', message: expect.stringContaining('cannot log in') };
      for (const outcome of outcomes.flat()) expect(outcome).toMatchObject({ reason: refused });
      await expect(client.registry.logIn(APP)).rejects.toMatchObject(refused);
      expect((await client.registry.aboutLogin(APP)).isProved).toBe(false);
      const tokens = server.journal.filter({ kind: 'token' });
      const scopes = tokens.map(({ headers, query }) => [
        headers.authorization !== undefined,
        query.get('scope'),
      ]);
      expect(scopes).toEqual([
        [true, null],
        ...tried.map((name) => [true, `repository:${name}:pull`]),
        [false, `repository:${tried.at(-1)}:pull`],
      ]);
    },
  );

  it.each<[string, Access]>([
    ['its tokens name it', { ...OPEN, isJwt: true }],
    ['one repository alone says no', OPEN],
    ['one repository alone says no by 403', { ...OPEN, deniedStatus: 403 }],
    ['a ping does not take the token of anybody', { ...OPEN, isPingOpen: false }],
    ['nobody gets a token without a login', { ...OPEN, anonymousPull: false }],
  ])('that is right is not taken for wrong by what it may not do: %s', async (_, access) => {
    await using server = await startRegistry({ access });
    seedImage(server.storage, 'open', { tags: ['1.0'] });
    using client = new TestClient(server.host, { login: LOGIN });
    const list = (name: string) => client.registry.listTags(parseRepository(name), client.signal);
    for (const _again of [1, 2]) {
      await expect(list('closed')).rejects.toMatchObject({
        code: access.deniedStatus === 403 ? 'DENIED' : 'UNAUTHORIZED',
        about: expect.stringContaining('closed'),
      });
      expect((await list('open')).tags).toEqual(['1.0']);
    }
  });

  const SEVERAL = {
    ...OPEN,
    allows: (_: unknown, name: string) => !name.startsWith('closed'),
    deniedStatus: 403,
  } as const;
  const CLOSED = Array.from({ length: 6 }, (_, index) => `closed${index}`);

  it('that is right is not given up where nobody gets a token for what is closed, as at GHCR', async () => {
    await using server = await startRegistry({ access: SEVERAL });
    seedImage(server.storage, 'open', { tags: ['1.0'] });
    const when = ({ headers, query }: JournalEntry) =>
      headers.authorization === undefined && query.get('scope')?.includes('closed') === true;
    server.fail({ match: { kind: 'token', when }, times: Infinity, fault: { kind: 'status', status: 403 } });
    using client = new TestClient(server.host, { login: LOGIN });
    const list = (name: string) => client.registry.listTags(parseRepository(name), client.signal);
    for (const name of CLOSED) await expect(list(name)).rejects.toMatchObject({ code: 'DENIED' });
    expect((await list('open')).tags).toEqual(['1.0']);
  });

  it('that is right is not given up for what a host says that did not get it', async () => {
    await using elsewhere = await startRegistry();
    await using server = await startRegistry({ access: { ...OPEN, allows: () => true } });
    seedImage(server.storage, 'open', { tags: ['1.0'] });
    elsewhere.fail({ match: {}, times: Infinity, fault: { kind: 'status', status: 403 } });
    const location = `${elsewhere.url}/v2/denied/tags/list`;
    const when = ({ repository }: JournalEntry) => repository.startsWith('closed');
    server.fail({
      match: { kind: 'tags-list', when },
      times: Infinity,
      fault: { kind: 'redirect', location },
    });
    using client = new TestClient(server.host, { login: LOGIN });
    const list = (name: string) => client.registry.listTags(parseRepository(name), client.signal);
    for (const name of CLOSED) await expect(list(name)).rejects.toMatchObject({ code: 'DENIED' });
    expect((await list('open')).tags).toEqual(['1.0']);
  });

  it('is tried by one repository first, and when it was accepted by all at once', async () => {
    await using server = await startRegistry({ access: BEARER });
    const names = Array.from({ length: 8 }, (_, index) => parseRepository(`app${index}`));
    for (const name of names) seedImage(server.storage, name, { tags: ['1.0'] });
    const first = Promise.withResolvers<void>();
    const together = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    let arrived = 0;
    const when = () => {
      arrived += 1;
      if (arrived === 1) asked.resolve();
      if (arrived === names.length) together.resolve();
      return true;
    };
    server.fail({ match: { kind: 'tags-list' }, fault: { kind: 'hold', until: first.promise } });
    server.fail({
      match: { kind: 'tags-list', when },
      skip: 1,
      times: names.length - 1,
      fault: { kind: 'hold', until: together.promise },
    });
    const limits = { metadata: { start: 64 }, transfers: { start: 4 } };
    using client = new TestClient(server.host, { login: LOGIN, limits });
    const listing = Promise.all(names.map((name) => client.registry.listTags(name, client.signal)));
    await asked.promise;
    expect(server.journal.count('token')).toBe(2);
    first.resolve();
    await listing;
    expect(server.journal.count('token')).toBe(1 + names.length);
  });

  it('that is not taken any more in the middle of a run is tried once more', async () => {
    const users: Record<string, string> = { keel: 'se:cret' };
    await using server = await startRegistry({ access: { mode: 'bearer', users } });
    using client = new TestClient(server.host, { login: LOGIN });
    expect(await client.registry.logIn(APP)).toBe('keel');
    users['keel'] = 'another';
    server.journal.clear();
    for (const name of ['a', 'b', 'c', 'd']) {
      await expect(client.registry.listTags(parseRepository(name), client.signal)).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
      });
    }
    expect(server.journal.tally()).toEqual({ token: 2 });
  });

  it('that is not taken any more is not tried by requests that wait for their turn', async () => {
    const users: Record<string, string> = { keel: 'se:cret' };
    await using server = await startRegistry({ access: { mode: 'bearer', users } });
    const limits = { metadata: { start: 64 }, transfers: { start: 4 } };
    using client = new TestClient(server.host, { login: LOGIN, limits });
    expect(await client.registry.logIn(APP)).toBe('keel');
    users['keel'] = 'another';
    server.journal.clear();
    const names = Array.from({ length: 40 }, (_, index) => parseRepository(`app${index}`));
    await Promise.allSettled(names.map((name) => client.registry.listTags(name, client.signal)));
    // Those that were under way at the same time, and the proof after them.
    expect(server.journal.count('token')).toBeLessThanOrEqual(9);
  });

  it.each<[string, Access]>([
    ['that may not do one thing goes on with the others', BEARER],
    [
      'is not taken for wrong where the token service wants a scope, and the first one is denied',
      { ...BEARER, noScopeStatus: 400 },
    ],
  ])('%s', async (_, access) => {
    const allows = (_user: string | undefined, name: string): boolean => name !== 'closed';
    await using server = await startRegistry({ access: { ...access, allows, refusedScopeStatus: 403 } });
    seedImage(server.storage, 'open', { tags: ['1.0'] });
    using client = new TestClient(server.host, { login: LOGIN });
    const list = (name: string) => client.registry.listTags(parseRepository(name), client.signal);
    await expect(list('closed')).rejects.toMatchObject({ code: 'DENIED' });
    expect((await list('open')).tags).toEqual(['1.0']);
  });

  it('is asked for before a run begins', async () => {
    await using server = await startRegistry({ access: BEARER });
    using known = new TestClient(server.host, { login: LOGIN });
    expect(await known.registry.logIn(APP)).toBe('keel');
    using unknown = new TestClient(server.host);
    await expect(unknown.registry.logIn(APP)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(server.journal.count({ when: ({ method }) => method !== 'GET' })).toBe(0);
  });

  it('without the right to push is told as such', async () => {
    const allows = (_user: string | undefined, _name: string, action: string): boolean => action === 'pull';
    await using server = await startRegistry({ access: { ...BEARER, allows, deniedStatus: 403 } });
    const image = seedImage(server.storage, 'app');
    using client = new TestClient(server.host, { login: LOGIN });
    await expect(client.registry.putManifest(APP, TAG, image, client.signal)).rejects.toMatchObject({
      code: 'DENIED',
      about: `${server.host}/app:1.0`,
    });
  });

  it('by a token service that answers nonsense fails after all attempts', async () => {
    await using server = await startRegistry({ access: BEARER });
    for (const body of ['{}', '<html>', '{"token":"a b"}']) {
      server.fail({ match: { kind: 'token' }, fault: { kind: 'status', status: 200, body } });
    }
    using client = new TestClient(server.host, { login: LOGIN });
    await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: 'its token service answered without a token',
    });
    expect(server.journal.count('token')).toBe(3);
  });

  it('survives a token service that is down for a moment', async () => {
    await using server = await startRegistry({ access: BEARER });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail({ match: { kind: 'token' }, fault: { kind: 'status', status: 503 } });
    server.fail({ match: { kind: 'token' }, fault: { kind: 'reset' } });
    using client = new TestClient(server.host, { login: LOGIN });
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
  });
});

/** Answers the requests for which `when` holds with 401 and this challenge. */
function challenged(challenge: string, match: RequestMatch, times = 1): FaultRule {
  return { match, times, fault: { kind: 'status', status: 401, headers: { 'www-authenticate': challenge } } };
}

/** Answers the first request of a kind with 401, which asks for a token with this scope. */
function wantingScope({ url }: TestRegistry, scope: string, kind: RequestKind): FaultRule {
  return challenged(`Bearer realm="${url}/token",service="test-registry",scope="${scope}"`, { kind });
}

/** Returns the scopes of each token that was asked for. */
function scopesAskedFor({ journal }: TestRegistry): string[][] {
  return journal.filter({ kind: 'token' }).map(({ query }) => query.getAll('scope'));
}

const schemeOf = ({ headers }: JournalEntry) => headers.authorization?.split(' ')[0];

describe('what the answer at hand asks for decides for its request', () => {
  it('the scope that it names is asked for besides our own', async () => {
    await using server = await startRegistry({ access: BEARER });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail(wantingScope(server, 'repository:app:pull repository:base/layers:pull', 'tags-list'));
    using client = new TestClient(server.host, { login: LOGIN });
    await client.registry.listTags(APP, client.signal);
    await client.registry.listTags(APP, client.signal);
    expect(scopesAskedFor(server)).toEqual([
      [],
      ['repository:app:pull'],
      ['repository:app:pull', 'repository:base/layers:pull'],
    ]);
    expect(server.journal.count('tags-list')).toBe(3);
  });

  it('the scope that the answer to the ping names is that of nobody', async () => {
    await using server = await startRegistry({ access: BEARER });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail(wantingScope(server, 'repository:user/image:pull', 'ping'));
    using client = new TestClient(server.host, { login: LOGIN });
    await client.registry.listTags(APP, client.signal);
    expect(scopesAskedFor(server)).toEqual([[], ['repository:app:pull']]);
  });

  it.each(['a password', 'nothing'])(
    'one stray Basic does not turn a host with tokens, with %s',
    async (held) => {
      await using server = await startRegistry({ access: { ...BEARER, anonymousPull: true } });
      seedImage(server.storage, 'app', { tags: ['1.0'] });
      using client = new TestClient(server.host, held === 'nothing' ? {} : { login: LOGIN });
      await client.registry.listTags(APP, client.signal);
      server.journal.clear();
      server.fail(challenged('Basic realm="a gateway"', { kind: 'tags-list' }));
      expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
      await client.registry.findManifest(APP, TAG, client.signal);
      const schemes = server.journal.filter({ kind: ['tags-list', 'manifest-head'] }).map(schemeOf);
      const between = held === 'nothing' ? [] : ['Basic'];
      expect(schemes).toEqual(['Bearer', ...between, 'Bearer', 'Bearer']);
    },
  );

  it('a stray Basic in answer to the first ping neither', async () => {
    await using server = await startRegistry({ access: BEARER });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail(challenged('Basic realm="a gateway"', { kind: 'ping' }));
    using client = new TestClient(server.host, { login: LOGIN });
    expect((await client.registry.listTags(APP, client.signal)).tags).toEqual(['1.0']);
    expect(await client.registry.logIn(APP)).toBe('keel');
  });

  it('a token may be asked for after a password was taken, for one repository only', async () => {
    await using server = await startRegistry();
    for (const name of ['app', 'closed']) seedImage(server.storage, name, { tags: ['1.0'] });
    server.fail(challenged('Basic realm="x"', { when: (entry) => schemeOf(entry) === undefined }, Infinity));
    const isClosed = (entry: JournalEntry) => entry.repository === 'closed' && schemeOf(entry) === 'Basic';
    server.fail(challenged('Bearer realm="/token",service="closed"', { when: isClosed }, Infinity));
    server.fail({ match: { kind: 'token' }, fault: { kind: 'status', status: 200, body: '{"token":"T"}' } });
    using client = new TestClient(server.host, { login: LOGIN });
    const list = (name: string) => client.registry.listTags(parseRepository(name), client.signal);
    for (const name of ['app', 'closed', 'app', 'closed']) expect((await list(name)).tags).toEqual(['1.0']);
    expect(server.journal.filter({ kind: 'tags-list' }).map(schemeOf)).toEqual([
      'Basic',
      'Basic',
      'Bearer',
      'Basic',
      'Bearer',
    ]);
  });

  it('each repository may have a token service of its own', async () => {
    await using server = await startRegistry();
    for (const name of ['a', 'b']) {
      seedImage(server.storage, name, { tags: ['1.0'] });
      const isForeign = ({ repository, headers }: JournalEntry) =>
        repository === name && headers.authorization !== `Bearer ${name}`;
      const rule = challenged(
        `Bearer realm="/token?of=${name}",service="${name}"`,
        { when: isForeign },
        Infinity,
      );
      server.fail(rule);
      server.fail({
        match: { kind: 'token', when: ({ query }) => query.get('of') === name },
        times: Infinity,
        fault: { kind: 'status', status: 200, body: JSON.stringify({ token: name }) },
      });
    }
    using client = new TestClient(server.host);
    const list = (name: string) => client.registry.listTags(parseRepository(name), client.signal);
    for (const name of ['a', 'b', 'a', 'b']) expect((await list(name)).tags).toEqual(['1.0']);
    const asked = server.journal.filter({ kind: 'token' }).map(({ query }) => query.toString());
    expect(asked).toEqual([
      'of=a&service=a&scope=repository%3Aa%3Apull',
      'of=a&service=a&scope=repository%3Ab%3Apull',
      'of=b&service=b&scope=repository%3Ab%3Apull',
    ]);
    expect(server.journal.count('tags-list')).toBe(6);
  });
});

describe('a scope that only saves work', () => {
  it.each([400, 401, 403, 404, 414])(
    'is left out where the token service answers %s to it',
    async (status) => {
      const allows = (_user: string | undefined, name: string): boolean => name !== 'other';
      await using server = await startRegistry({ access: { ...BEARER, allows, refusedScopeStatus: status } });
      const digest = server.storage.putBlob('other', bytesContent('layer'));
      using client = new TestClient(server.host, { login: LOGIN });
      await client.registry.ping();
      const mount = { digest, from: parseRepository('other') };
      const open = () => openUpload(client.registry, APP, client.signal, mount);
      expect(await open()).toMatchObject({ repository: APP });
      const asked = server.journal.count('token');
      expect(await open()).toMatchObject({ repository: APP });
      expect(server.journal.count('token')).toBe(asked);
      expect(await openUpload(client.registry, APP, client.signal)).toMatchObject({ repository: APP });
      expect(scopesAskedFor(server).filter((scope) => scope.length > 0)).toEqual([
        ['repository:app:pull,push', 'repository:other:pull'],
        ['repository:app:pull,push'],
      ]);
    },
  );
});

describe('a redirect', () => {
  it('to storage carries no login, nor does anything after it', async () => {
    await using server = await startRegistry({ access: BEARER, redirectBlobs: true });
    const content = bytesContent('layer');
    const digest = server.storage.putBlob('app', content);
    using client = new TestClient(server.host, { login: LOGIN });
    const descriptor = { mediaType: 'l', digest, size: 5 };
    expect((await readBlob(client.registry, APP, descriptor, client.signal)).toString()).toBe('layer');
    const stored = server.journal.filter({ listener: 'storage' });
    expect(stored.map(({ status, headers }) => [status, headers.authorization])).toEqual([[200, undefined]]);
    expect(stored[0]?.query.get('signature')).toBe('keel');
  });

  it('back to the registry does not bring the login back', async () => {
    await using other = await startRegistry();
    await using server = await startRegistry({ access: BEARER });
    const digest = server.storage.putBlob('app', bytesContent('layer'));
    const elsewhere = `${other.url}/v2/app/blobs/${digest}`;
    const back = `${server.url}/v2/app/blobs/${digest}`;
    server.fail({ match: { kind: 'blob-get' }, fault: { kind: 'redirect', location: elsewhere } });
    other.fail({ match: { kind: 'blob-get' }, fault: { kind: 'redirect', location: back } });
    using client = new TestClient(server.host, { login: LOGIN, attempts: 1 });
    const descriptor = { mediaType: 'l', digest, size: 5 };
    // The way back ends with 401, which is answered by asking again from the start.
    expect((await readBlob(client.registry, APP, descriptor, client.signal)).toString()).toBe('layer');
    const carriesLogin = (from: typeof server) =>
      from.journal.filter({ kind: 'blob-get' }).map(({ headers }) => headers.authorization !== undefined);
    expect(carriesLogin(server)).toEqual([true, false, true]);
    expect(carriesLogin(other)).toEqual([false]);
  });

  it('that never ends is given up', async () => {
    await using server = await startRegistry();
    server.fail({ match: { kind: 'manifest-get' }, times: Infinity, fault: endlessRedirect() });
    using client = new TestClient(server.host);
    await expect(client.registry.getManifest(APP, TAG, client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_BROKEN',
      message: expect.stringContaining('the registry redirects without end'),
    });
    expect(server.journal.count('manifest-get')).toBe(9);
  });

  it('of a front is followed for lists and manifests', async () => {
    await using server = await startRegistry({ frontDoor: true, listing: { pageSize: 1 } });
    const image = seedImage(server.storage, 'a/pause', {
      tags: ['3.9', '3.10'],
      uploaded: 1_700_000_000_000,
    });
    using client = new TestClient(server.host);
    const pause = parseRepository('a/pause');
    const list = await client.registry.listTags(pause, client.signal);
    expect(list.tags).toEqual(['3.10', '3.9']);
    expect(list.manifests.get(parseTag('3.9'))).toEqual({
      digest: image.digest,
      uploaded: new Date(1_700_000_000_000),
    });
    expect((await client.registry.listTags(undefined, client.signal)).children).toEqual(['a']);
    expect((await client.registry.getManifest(pause, parseTag('3.9'), client.signal)).digest).toBe(
      image.digest,
    );
  });
});

it('a token service at another host that is not reached is told with the registry that names it', async () => {
  const gone = await startRegistry();
  await gone[Symbol.asyncDispose]();
  await using server = await startRegistry({ access: { ...BEARER, realm: `${gone.url}/token` } });
  using client = new TestClient(server.host, { login: LOGIN, attempts: 1 });
  await expect(client.registry.listTags(APP, client.signal)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    about: gone.host,
    message: `the connection was refused; it is the token service of ${server.host}`,
  });
});
