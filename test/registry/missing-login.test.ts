import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { openRegistries, type RegistryLogin } from '../../src/registry/registries.ts';
import type { Access } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const APP = parseRepository('app');
const USERS = { robot: 'a secret of ours' };

/** Opens registries as a run does that has a login for its destination, which is elsewhere. */
async function openAt(folder: string, logins: readonly RegistryLogin[] = []) {
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
      environment: { DOCKER_CONFIG: folder },
      runCredentialHelper: async () => undefined,
      onSecret: (secret) => secrets.push(secret),
      signal,
      deadline: undefined,
    },
  );
  return { registries, secrets, signal, [Symbol.dispose]: () => registries.close() };
}

const ACCESSES: readonly Access[] = [
  { mode: 'basic', users: USERS },
  { mode: 'bearer', users: USERS },
];

describe('a source that wants a login', () => {
  it.each(ACCESSES)('is told with how to give one: $mode', async (access) => {
    await using server = await startRegistry({ access });
    using opened = await openAt(scratchFolder());
    await expect(opened.registries.at(server.host).listTags(APP, opened.signal)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:UNAUTHORIZED|DENIED)$/),
      hint: `there is no login for it: if the name is right, run "docker login ${server.host}", or give it in KEEL_REGISTRY_LOGINS, in a workflow in registry-logins`,
    });
  });

  it.each(ACCESSES)('takes what docker login stored: $mode', async (access) => {
    await using server = await startRegistry({ access });
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    const folder = scratchFolder();
    const auth = Buffer.from(`robot:${USERS.robot}`).toString('base64');
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [server.host]: { auth } } }));
    using opened = await openAt(folder);
    expect((await opened.registries.at(server.host).listTags(APP, opened.signal)).tags).toEqual(['1.0']);
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
      hint: expect.stringContaining('check the user name and password'),
    });
  });
});
