import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { type Host, parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { type ConnectionSettings, openRegistries } from '../../src/registry/registries.ts';
import { htmlError } from '../support/registry/faults.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const APP = parseRepository('app');
const LOGIN = { username: 'keel', password: 'a secret of ours' };

/** Opens registries as a run does, with a folder of Docker that is empty unless something is put there. */
async function open(host: Host, changes: Partial<ConnectionSettings> = {}) {
  const folder = scratchFolder();
  const secrets: string[] = [];
  const retried: unknown[] = [];
  const { signal } = new AbortController();
  const registries = await openRegistries(
    {
      login: { host, username: undefined, password: undefined },
      queryLimit: undefined,
      limit: undefined,
      retry: { attempts: 2, interval: milliseconds(1) },
      insecureRegistries: [],
      tlsSkipVerify: [],
      caFile: undefined,
      ...changes,
    },
    {
      environment: { DOCKER_CONFIG: folder },
      runCredentialHelper: async () => undefined,
      onSecret: (secret) => secrets.push(secret),
      onRetry: (error) => retried.push(error),
      signal,
      deadline: undefined,
    },
  );
  return {
    registries,
    folder,
    secrets,
    retried,
    signal,
    [Symbol.dispose]: () => registries.close(),
  };
}

it('each host once', async () => {
  using opened = await open(parseHost('a.example'));
  const { registries } = opened;
  expect(registries.at(parseHost('a.example'))).toBe(registries.at(parseHost('a.example')));
  expect(registries.at(parseHost('b.example'))).not.toBe(registries.at(parseHost('a.example')));
});

it.each([
  ['adapt where nothing is said', undefined, undefined, [10, 5]],
  ['are those that are given', 3, 2, [3, 2]],
])('the limits %s', async (_, queryLimit, limit, expected) => {
  using opened = await open(parseHost('a.example'), { queryLimit, limit });
  const { metadata, transfers } = opened.registries.at(parseHost('a.example')).limits;
  expect([metadata.width, transfers.width]).toEqual(expected);
});

it('the login is that of the settings, else the one that Docker has, and is told before it is used', async () => {
  await using server = await startRegistry({ access: { mode: 'basic', users: { keel: LOGIN.password } } });
  using named = await open(server.host, { login: { host: server.host, ...LOGIN } });
  expect(await named.registries.at(server.host).logIn(APP)).toBe('keel');
  expect(named.secrets).toContain(LOGIN.password);
  using stored = await open(server.host);
  const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
  writeFileSync(join(stored.folder, 'config.json'), JSON.stringify({ auths: { [server.host]: { auth } } }));
  expect(await stored.registries.at(server.host).logIn(APP)).toBe('keel');
});

it('what is asked of a host is counted, and each attempt that is repeated told', async () => {
  await using server = await startRegistry();
  seedImage(server.storage, 'app', { tags: ['1.0'] });
  server.fail({ match: { kind: 'tags-list' }, fault: htmlError(502) });
  using opened = await open(server.host);
  await opened.registries.at(server.host).listTags(APP, opened.signal);
  expect(opened.retried).toMatchObject([{ status: 502 }]);
  expect([...opened.registries.traffic]).toEqual([
    [server.host, { requests: 3, retried: 1, rateLimited: 0 }],
  ]);
});

it('a file of authorities that has none is refused', async () => {
  const caFile = join(scratchFolder(), 'ca.pem');
  writeFileSync(caFile, 'nothing');
  await expect(open(parseHost('a.example'), { caFile })).rejects.toMatchObject({ code: 'CA_FILE_MALFORMED' });
});
