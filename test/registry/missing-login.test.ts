import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { openUpload } from '../../src/registry/blob/blob-upload.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { openRegistries, type RegistryLogin } from '../../src/registry/registries.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { Access } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const APP = parseRepository('app');
const USERS = { robot: 'a secret of ours' };

/** Opens registries as a run does that has a login for its destination, which is elsewhere. */
async function openAt(
  folder: string,
  logins: readonly RegistryLogin[] = [],
  environment: NodeJS.ProcessEnv = {},
) {
  const { signal } = new AbortController();
  const secrets: string[] = [];
  const registries = await openRegistries(
    {
      login: { host: parseHost('target.example'), username: 'me', password: 'of the destination' },
      logins,
      queryLimit: undefined,
      limit: undefined,
      retry: { attempts: 1, interval: milliseconds(1) },
      insecureRegistries: [],
      tlsSkipVerify: [],
      caFile: undefined,
    },
    {
      environment: { DOCKER_CONFIG: folder, XDG_CONFIG_HOME: folder, ...environment },
      runCredentialHelper: async () => undefined,
      onSecret: (secret) => secrets.push(secret),
      signal,
      deadline: undefined,
    },
  );
  return { registries, secrets, signal, [Symbol.dispose]: () => registries.close() };
}

function stored(logins: Readonly<Record<string, string>>): string {
  const auths = Object.entries(logins).map(([key, pair]) => [
    key,
    { auth: Buffer.from(pair).toString('base64') },
  ]);
  return JSON.stringify({ auths: Object.fromEntries(auths) });
}

/** Writes a file of logins below a new folder, and returns the folder. */
function folderWith(name: string, logins: Readonly<Record<string, string>>): string {
  const folder = scratchFolder();
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), stored(logins));
  return folder;
}

function startUpload(registry: Registry, signal: AbortSignal): Promise<unknown> {
  return registry.asMetadata(signal, () => openUpload(registry, APP, signal));
}

const ACCESSES: readonly Access[] = [
  { mode: 'basic', users: USERS },
  { mode: 'bearer', users: USERS },
];

describe('a write that is refused', () => {
  const without = 'there is no login for it: if the name is right, run "docker login';

  it.each(ACCESSES)('without a login is told with how to give one: $mode', async (access) => {
    await using server = await startRegistry({ access });
    using opened = await openAt(scratchFolder());
    const opening = startUpload(opened.registries.at(server.host), opened.signal);
    await expect(opening).rejects.toMatchObject({ hint: expect.stringContaining(without) });
  });

  it.each([
    [401, 'UNAUTHORIZED', ''],
    [403, 'DENIED', ''],
  ])('with %i by a registry that is open to readers', async (status, code, body) => {
    await using server = await startRegistry({ access: { mode: 'none' } });
    server.fail({ match: { kind: 'upload-start' }, fault: { kind: 'status', status, body } });
    using opened = await openAt(scratchFolder());
    const opening = startUpload(opened.registries.at(server.host), opened.signal);
    await expect(opening).rejects.toMatchObject({ code, hint: expect.stringContaining(without) });
  });

  it('for another reason is told with that', async () => {
    await using server = await startRegistry({ access: { mode: 'none' } });
    const body = '{"errors": [{"code": "DENIED", "message": "storage quota exceeded"}]}';
    server.fail({ match: { kind: 'upload-start' }, fault: { kind: 'status', status: 403, body } });
    using opened = await openAt(scratchFolder());
    const opening = startUpload(opened.registries.at(server.host), opened.signal);
    await expect(opening).rejects.toMatchObject({ hint: expect.stringContaining('a quota is used up') });
  });

  it('in spite of a login is told to check that', async () => {
    await using server = await startRegistry({ access: { mode: 'none' } });
    server.fail({ match: { kind: 'upload-start' }, fault: { kind: 'status', status: 403 } });
    using opened = await openAt(scratchFolder(), [{ host: server.host, username: 'me', password: 'p' }]);
    const opening = startUpload(opened.registries.at(server.host), opened.signal);
    await expect(opening).rejects.toMatchObject({ hint: expect.stringContaining('the namespace exists') });
  });
});

describe('a source that wants a login', () => {
  it.each(ACCESSES)('is told with how to give one: $mode', async (access) => {
    await using server = await startRegistry({ access });
    using opened = await openAt(scratchFolder());
    await expect(opened.registries.at(server.host).listTags(APP, opened.signal)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:UNAUTHORIZED|DENIED)$/),
      hint: `there is no login for it: if the name is right, run "docker login ${server.host}" or "podman login ${server.host}", or give it in KEEL_REGISTRY_LOGINS, in a workflow in registry-logins`,
    });
  });

  it.each(ACCESSES)('takes what docker login stored: $mode', async (access) => {
    await using server = await startRegistry({ access });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    const folder = folderWith('config.json', { [server.host]: `robot:${USERS.robot}` });
    using opened = await openAt(folder);
    expect((await opened.registries.at(server.host).listTags(APP, opened.signal)).tags).toEqual(['1.0']);
  });

  it.each([
    ['in its folder of the session', 'containers/auth.json', 'XDG_RUNTIME_DIR', ''],
    ['in the configuration of the user', 'containers/auth.json', 'XDG_CONFIG_HOME', ''],
    ['in a file of its own', 'logins.json', 'REGISTRY_AUTH_FILE', '/logins.json'],
  ])('takes what podman login stored %s', async (_, name, variable, end) => {
    await using server = await startRegistry({ access: { mode: 'bearer', users: USERS } });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    const folder = folderWith(name, { [server.host]: `robot:${USERS.robot}` });
    using opened = await openAt(scratchFolder(), [], { [variable]: `${folder}${end}` });
    expect((await opened.registries.at(server.host).listTags(APP, opened.signal)).tags).toEqual(['1.0']);
    expect(opened.secrets).toContain(USERS.robot);
  });

  it('takes the login of the file that goes first', async () => {
    await using server = await startRegistry({ access: { mode: 'bearer', users: USERS } });
    const wrong = { [server.host]: 'robot:old' };
    const right = { [server.host]: `robot:${USERS.robot}` };
    const named = { REGISTRY_AUTH_FILE: join(folderWith('logins.json', right), 'logins.json') };
    const podman = { XDG_RUNTIME_DIR: folderWith('containers/auth.json', wrong) };
    using one = await openAt(folderWith('config.json', wrong), [], named);
    expect(await one.registries.at(server.host).logIn(APP)).toBe('robot');
    using other = await openAt(folderWith('config.json', right), [], podman);
    expect(await other.registries.at(server.host).logIn(APP)).toBe('robot');
  });

  it.each(ACCESSES)('gets the login of a path for what lies below it alone: $mode', async (access) => {
    const users = { ...USERS, all: 'for the whole host', team: 'for the team alone' };
    await using server = await startRegistry({ access: { ...access, users } });
    for (const name of ['app', 'team/app', 'teams/app']) seedImage(server.storage, name, { tags: ['1.0'] });
    const folder = folderWith('config.json', {
      [server.host]: `all:${users.all}`,
      [`${server.host}/team`]: `team:${users.team}`,
    });
    using opened = await openAt(folder);
    const registry = opened.registries.at(server.host);
    const names = ['team/app', 'app', 'teams/app'].map((name) => parseRepository(name));
    await Promise.all(names.map((name) => registry.listTags(name, opened.signal)));
    const kind = access.mode === 'basic' ? 'tags-list' : 'token';
    const used = server.journal
      .filter({ kind })
      .flatMap(({ path, query, headers: { authorization = '' } }) => {
        const [, pair = ''] = authorization.split(' ');
        const [user = ''] = Buffer.from(pair, 'base64').toString().split(':');
        const of = kind === 'token' ? (query.get('scope') ?? '') : path;
        return user === '' || of === ''
          ? []
          : [`${user}: ${/(?:v2\/|repository:)(.*)(?::pull|\/tags)/.exec(of)?.[1]}`];
      });
    expect(used.toSorted()).toEqual(['all: app', 'all: teams/app', 'team: team/app']);
    expect(opened.secrets).toEqual(expect.arrayContaining([users.all, users.team]));
    expect([await registry.logIn(parseRepository('team/new')), await registry.logIn(APP)]).toEqual([
      'team',
      'all',
    ]);
  });

  it.each(ACCESSES)(
    'is told with the logins for other paths, and with a file that is not there: $mode',
    async (access) => {
      await using server = await startRegistry({ access });
      const { host } = server;
      const folder = folderWith('config.json', { [`${host}/team`]: `robot:${USERS.robot}` });
      const absent = join(folder, 'absent.json');
      using opened = await openAt(folder, [], { REGISTRY_AUTH_FILE: absent });
      const registry = opened.registries.at(host);
      const instead = `, because the stored login in ${join(folder, 'config.json')} is only for ${host}/team, and ${absent}, which REGISTRY_AUTH_FILE names, does not exist`;
      await expect(registry.listTags(APP, opened.signal)).rejects.toMatchObject({
        hint: expect.stringContaining(`there is no login for it${instead}: if the name is right`),
      });
      await expect(registry.logIn(APP)).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
        message: `there is no login for this registry${instead}`,
        hint: expect.stringContaining('KEEL_PASSWORD'),
      });
    },
  );

  it('is told with several logins for other paths', async () => {
    await using server = await startRegistry({ access: { mode: 'basic', users: USERS } });
    const { host } = server;
    const paths = ['a', 'b', 'c', 'd'].map((path) => `${host}/${path}`);
    const folder = folderWith('config.json', Object.fromEntries(paths.map((path) => [path, 'robot:x'])));
    using opened = await openAt(folder);
    await expect(opened.registries.at(host).logIn(APP)).rejects.toMatchObject({
      message: `there is no login for this registry, because the stored logins are only for ${host}/a, ${host}/b, ${host}/c and 1 more`,
    });
  });

  it('is asked without a login beside the path that one is for', async () => {
    await using server = await startRegistry({ access: { mode: 'basic', users: USERS } });
    using opened = await openAt(
      folderWith('config.json', { [`${server.host}/team`]: `robot:${USERS.robot}` }),
    );
    await expect(opened.registries.at(server.host).listTags(APP, opened.signal)).rejects.toMatchObject({
      hint: expect.stringContaining('there is no login for it'),
    });
    expect(server.journal.entries.map(({ headers }) => headers.authorization ?? '')).not.toContainEqual(
      expect.stringContaining('Basic'),
    );
  });

  it('is refused a wrong login of a path once, and the others go on', async () => {
    await using server = await startRegistry({ access: { mode: 'bearer', users: USERS } });
    for (const name of ['app', 'team/app']) seedImage(server.storage, name, { tags: ['1.0'] });
    const logins = { [server.host]: `robot:${USERS.robot}`, [`${server.host}/team`]: 'robot:old' };
    const folder = folderWith('config.json', logins);
    using opened = await openAt(folder);
    const registry = opened.registries.at(server.host);
    for (const name of ['team/app', 'team/other', 'team/app']) {
      await expect(registry.listTags(parseRepository(name), opened.signal)).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
        hint: `check the user name and password for this registry in ${join(folder, 'config.json')}; the same login is not tried again in this run`,
      });
    }
    expect(server.journal.count({ kind: 'token', when: ({ status }) => status === 401 })).toBe(1);
    expect((await registry.listTags(APP, opened.signal)).tags).toEqual(['1.0']);
  });

  it.each(ACCESSES)('takes a login of its own, which goes nowhere else: $mode', async (access) => {
    await using server = await startRegistry({ access });
    await using other = await startRegistry({ access });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    const login = { host: server.host, username: 'robot', password: USERS.robot };
    using opened = await openAt(scratchFolder(), [login]);
    expect(opened.secrets).toContain(USERS.robot);
    expect((await opened.registries.at(server.host).listTags(APP, opened.signal)).tags).toEqual(['1.0']);
    await expect(opened.registries.at(other.host).listTags(APP, opened.signal)).rejects.toMatchObject({
      hint: expect.stringContaining('docker login'),
    });
    expect(
      other.journal.entries.some(({ headers }) => (headers.authorization ?? '').startsWith('Basic')),
    ).toBe(false);
  });

  it('is told to check the login where one was given', async () => {
    await using server = await startRegistry({ access: { mode: 'basic', users: USERS } });
    const login = { host: server.host, username: 'robot', password: 'wrong' };
    using opened = await openAt(scratchFolder(), [login]);
    await expect(opened.registries.at(server.host).listTags(APP, opened.signal)).rejects.toMatchObject({
      hint: expect.stringContaining('this registry in KEEL_REGISTRY_LOGINS'),
    });
  });
});
