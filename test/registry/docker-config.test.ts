import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Credential } from '../../src/registry/auth/credentials.ts';
import {
  type CredentialHelper,
  dockerConfigFile,
  dockerCredentials,
} from '../../src/registry/auth/docker-config.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const calm = new AbortController().signal;
const nobody: CredentialHelper = async () => undefined;

function auth(pair: string): { auth: string } {
  return { auth: Buffer.from(pair).toString('base64') };
}

function lookUp(config: unknown, host: string, helper = nobody): Promise<Credential | undefined> {
  const file = join(scratchFolder(), 'config.json');
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  return dockerCredentials(file, helper, calm)(parseHost(host));
}

describe("Docker's configuration", () => {
  it.each([
    ['a.example', 'a.example'],
    ['a.example:5000', 'a.example:5000'],
    ['https://a.example', 'a.example'],
    ['https://a.example/v2/', 'a.example'],
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
    ['aexample', 'a.example'],
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

  it('knows nobody where there is no file', async () => {
    const file = join(scratchFolder(), 'absent', 'config.json');
    expect(await dockerCredentials(file, nobody, calm)(parseHost('a.example'))).toBeUndefined();
  });

  it.each(['not JSON', '[]', '{"auths": 5}'])('tells that %j is none', async (text) => {
    await expect(lookUp(text, 'a.example')).rejects.toMatchObject({ code: 'DOCKER_CONFIG_UNREADABLE' });
  });

  it('is where the environment says', () => {
    expect(dockerConfigFile({ DOCKER_CONFIG: '/etc/docker' })).toBe('/etc/docker/config.json');
    expect(dockerConfigFile({})).toMatch(/\/\.docker\/config\.json$/);
  });
});
