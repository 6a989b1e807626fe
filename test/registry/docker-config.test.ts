import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Credential, type KnownLogin, loginFor } from '../../src/registry/auth/credentials.ts';
import { type CredentialHelper, dockerCredentials } from '../../src/registry/auth/docker-config.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const calm = new AbortController().signal;
const nobody: CredentialHelper = async () => undefined;

function auth(pair: string): { auth: string } {
  return { auth: Buffer.from(pair).toString('base64') };
}

async function knownIn(
  config: unknown,
  host: string,
  helper = nobody,
): Promise<{ readonly path: string; readonly known: readonly KnownLogin[] }> {
  const path = join(scratchFolder(), 'config.json');
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  const known = await dockerCredentials({ path, remedy: 'do without' }, helper, calm)(parseHost(host));
  return { path, known };
}

/** Returns the login for a host, or for `host/repository`. */
async function lookUp(config: unknown, name: string, helper = nobody): Promise<Credential | undefined> {
  const [host = '', ...rest] = name.split('/');
  const { known } = await knownIn(config, host, helper);
  return loginFor(known, rest.length === 0 ? undefined : rest.join('/'))?.credential;
}

describe("Docker's configuration", () => {
  it.each([
    ['a.example', 'a.example'],
    ['a.example:5000', 'a.example:5000'],
    ['https://a.example', 'a.example'],
    ['https://a.example/v2/', 'a.example'],
    ['https://a.example/v2', 'a.example'],
    ['a.example/v1/', 'a.example'],
    ['a.example/', 'a.example'],
    ['a.example/v2', 'a.example/v2/app'],
    ['A.Example', 'a.example'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
  ])('has a login under %s for %s', async (key, host) => {
    const found = await lookUp({ auths: { [key]: auth('user:pass:word') } }, host);
    expect(found).toEqual({ kind: 'password', username: 'user', password: 'pass:word' });
  });

  it.each([
    ['a.example', 'b.a.example'],
    ['a.example', 'a.example:5000'],
    ['a.example:5000', 'a.example'],
    ['a.example', 'a.example.evil'],
    ['a.example/team', 'a.example'],
    ['a.example/team', 'a.example/teams'],
    ['a.example/team', 'a.example/other/team'],
    ['a.example/team', 'a.example:5000/team'],
    ['b.example/team', 'a.example/team'],
    ['https://a.example/team', 'a.example/team'],
    ['a.example/Team', 'a.example/team'],
    ['aexample', 'a.example'],
    ['a.example/v2', 'a.example/other'],
    ['a.example/team/v2', 'a.example/team/other'],
  ])('does not give the login under %s to %s', async (key, host) => {
    expect(await lookUp({ auths: { [key]: auth('user:password') } }, host)).toBeUndefined();
  });

  it.each<[unknown, Credential | undefined]>([
    [
      { username: 'u', password: 'p' },
      { kind: 'password', username: 'u', password: 'p' },
    ],
    [
      { ...auth('u:p'), identitytoken: 'it' },
      { kind: 'identity-token', token: 'it' },
    ],
    [auth('u:p\0\0'), { kind: 'password', username: 'u', password: 'p' }],
    [{}, undefined],
    [{ auth: '' }, undefined],
    [auth('no colon'), undefined],
    [auth(':only password'), undefined],
  ])('reads the entry %j', async (entry, expected) => {
    expect(await lookUp({ auths: { 'a.example': entry } }, 'a.example')).toEqual(expected);
  });

  it('asks the helper of the host before that of all, and both before what is written down', async () => {
    const asked: string[] = [];
    const helper: CredentialHelper = async (name, server) => {
      asked.push(`${name} ${server}`);
      return name === 'ecr' ? { username: 'u', password: name } : undefined;
    };
    const config = {
      auths: { 'a.example': auth('u:written'), 'docker.io': auth('u:hub') },
      credHelpers: { 'https://b.example': 'ecr' },
      credsStore: 'desktop',
    };
    expect(await lookUp(config, 'b.example', helper)).toMatchObject({ password: 'ecr' });
    expect(await lookUp(config, 'a.example', helper)).toMatchObject({ password: 'written' });
    expect(await lookUp(config, 'docker.io', helper)).toMatchObject({ password: 'hub' });
    expect(asked).toEqual(['ecr b.example', 'desktop a.example', 'desktop https://index.docker.io/v1/']);
  });

  it('takes the name of a host under which there is a login', async () => {
    const config = { auths: { 'docker.io': {}, 'https://index.docker.io/v1/': auth('u:p') } };
    expect(await lookUp(config, 'docker.io')).toMatchObject({ username: 'u' });
  });

  it('knows the identity token of a helper', async () => {
    const helper: CredentialHelper = async () => ({ username: '<token>', password: 'refresh' });
    const found = await lookUp({ credsStore: 'desktop' }, 'a.example', helper);
    expect(found).toEqual({ kind: 'identity-token', token: 'refresh' });
  });

  it('gives the login of the longest path that a repository is below', async () => {
    const config = {
      auths: {
        'a.example/team': auth('team:p'),
        'a.example': auth('all:p'),
        'a.example/team/app': auth('app:p'),
        'docker.io/library': auth('hub:p'),
      },
    };
    const names = ['team/app', 'team/app/part', 'team/other', 'others/app'].map(
      (path) => `a.example/${path}`,
    );
    const found = await Promise.all(
      [...names, 'a.example', 'docker.io/library/busybox'].map((name) => lookUp(config, name)),
    );
    expect(found.map((each) => each?.kind === 'password' && each.username)).toEqual([
      'app',
      'app',
      'team',
      'all',
      'all',
      'hub',
    ]);
  });

  it('asks the helper of a host before the logins of its paths, and that of all hosts after them', async () => {
    const helper: CredentialHelper = async (name) => ({ username: name, password: 'p' });
    const auths = { 'a.example/team': auth('team:p'), 'b.example/team': auth('team:p') };
    const config = { auths, credHelpers: { 'a.example': 'ecr' }, credsStore: 'desktop' };
    expect(await lookUp(config, 'a.example/team/app', helper)).toMatchObject({ username: 'ecr' });
    expect(await lookUp(config, 'b.example/team/app', helper)).toMatchObject({ username: 'team' });
    expect(await lookUp(config, 'b.example/app', helper)).toMatchObject({ username: 'desktop' });
  });

  it('tells from where each login is', async () => {
    const helper: CredentialHelper = async () => ({ username: 'u', password: 'p' });
    const config = { auths: { 'a.example': auth('u:p') }, credsStore: 'desktop' };
    const { path, known } = await knownIn(config, 'a.example', helper);
    expect(known.map(({ origin }) => origin)).toEqual([path, path]);
  });

  it('knows nobody where there is no file', async () => {
    const path = join(scratchFolder(), 'absent', 'config.json');
    expect(await dockerCredentials({ path, remedy: '' }, nobody, calm)(parseHost('a.example'))).toEqual([]);
  });

  it('knows nobody in a file of another user, and says so of one that is meant', async () => {
    const folder = scratchFolder();
    chmodSync(folder, 0);
    const asNobody = process.getuid?.() === 0;
    const lookIn = (mayBeOthers: boolean) =>
      dockerCredentials(
        { path: join(folder, 'auth.json'), remedy: '', mayBeOthers },
        nobody,
        calm,
      )(parseHost('a.example'));
    if (asNobody) process.seteuid?.(65_534);
    try {
      expect(await lookIn(true)).toEqual([]);
      await expect(lookIn(false)).rejects.toMatchObject({ code: 'DOCKER_CONFIG_UNREADABLE' });
    } finally {
      if (asNobody) process.seteuid?.(0);
      chmodSync(folder, 0o700);
    }
  });

  it.each(['not JSON', '[]', '{"auths": 5}'])('tells that %j is none', async (text) => {
    await expect(lookUp(text, 'a.example')).rejects.toMatchObject({
      code: 'DOCKER_CONFIG_UNREADABLE',
      about: expect.stringMatching(/config\.json$/),
      message: expect.stringContaining('it is not a file of logins'),
      hint: 'repair it, or do without',
    });
  });
});
