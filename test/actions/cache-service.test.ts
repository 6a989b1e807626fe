import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, onTestFinished, test, vi } from 'vitest';
import { cacheAddress, findCacheEntry, openCacheEntry } from '../../src/actions/cache-service.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import { ActionsService } from '../support/actions-service/service.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const RESULTS = 'https://results.example/';
const OLD = 'https://old.example/abc/';
const both = { ACTIONS_CACHE_SERVICE_V2: 'True', ACTIONS_RESULTS_URL: RESULTS, ACTIONS_CACHE_URL: OLD };

test.each<[what: string, environment: Record<string, string>, found: unknown]>([
  ['the new one', both, { protocol: 'v2', url: RESULTS }],
  ['the old one of old runners', { ...both, ACTIONS_CACHE_SERVICE_V2: '' }, { protocol: 'v1', url: OLD }],
  [
    'the old one of GitHub Enterprise Server, whatever its runner says',
    { ...both, GITHUB_SERVER_URL: 'https://github.example.com' },
    { protocol: 'v1', url: OLD },
  ],
  [
    'the new one of a subdomain of ghe.com',
    { ...both, GITHUB_SERVER_URL: 'https://acme.ghe.com' },
    { protocol: 'v2', url: RESULTS },
  ],
  ['none outside of a workflow', {}, undefined],
  ['none that may not be read', { ...both, ACTIONS_CACHE_MODE: ' None' }, undefined],
  ['none that may only be written', { ...both, ACTIONS_CACHE_MODE: 'write-only' }, undefined],
  ['one that may only be read', { ...both, ACTIONS_CACHE_MODE: 'read' }, { protocol: 'v2', url: RESULTS }],
])('the cache is %s', (_what, environment, found) => {
  expect(cacheAddress(environment)).toEqual(found);
});

async function start(environmentOf: (service: ActionsService) => Record<string, string>) {
  const service = await ActionsService.start();
  const http = new HttpClient();
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(async () => {
    http.close();
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    await service[Symbol.asyncDispose]();
  });
  const environment = environmentOf(service);
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const address = cacheAddress(environment);
  if (address === undefined) throw new Error('no cache');
  const { signal } = new AbortController();
  const ask = (prefixes: readonly string[]) =>
    findCacheEntry(http, address, { paths: ['state'], key: 'keel-2', prefixes }, signal);
  const open = async (entry: Awaited<ReturnType<typeof ask>>) => {
    if (entry === undefined) throw new Error('no entry');
    const pieces: Buffer[] = [];
    for await (const piece of await openCacheEntry(http, entry, signal)) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  return { service, ask, open, masks: () => written.mock.calls.map(([text]) => String(text).trim()) };
}

test.each([
  ['new', (service: ActionsService) => service.environment()],
  ['old', (service: ActionsService) => service.oldEnvironment()],
] as const)('the %s protocol finds the newest entry of a prefix, or none', async (_name, environmentOf) => {
  const { service, ask, masks } = await start(environmentOf);
  expect(await ask(['keel-'])).toBeUndefined();
  for (const key of ['keel-1', 'keel-11', 'other-1']) service.keep(key, ['state'], Buffer.from('x'));
  expect(await ask(['keel-'])).toMatchObject({ key: 'keel-11' });
  expect(await ask(['other-', 'keel-'])).toMatchObject({ key: 'other-1' });
  expect(await ask(['nothing-'])).toBeUndefined();
  const { 'the signature of an address': signature } = service.secrets();
  expect(masks()).toContain(`::add-mask::${signature}`);
});

test('a machine without zstd finds what was packed with gzip, and no other', async () => {
  const { service, ask, open } = await start((started) => started.environment());
  service.keep('keel-1', ['state'], gzipSync('packed with gzip'), 'gzip');
  service.keep('keel-2', ['state'], zstdCompressSync('packed with zstd'));
  expect(String(await open(await ask(['keel-'])))).toBe('packed with zstd');
  vi.stubEnv('PATH', scratchFolder());
  expect(String(await open(await ask(['keel-'])))).toBe('packed with gzip');
});

test('a machine with Windows finds what one with Windows packed, as with the toolkit', async () => {
  const { service, ask } = await start((started) => started.environment());
  service.keep('keel-1', ['state'], Buffer.from('x'), 'zstd-without-long|windows-only');
  service.keep('keel-2', ['state'], Buffer.from('x'));
  vi.spyOn(process, 'platform', 'get').mockReturnValue('win32');
  expect(await ask(['keel-'])).toMatchObject({ key: 'keel-1' });
});

test('the login of the job goes to the service, and to no address that it names', async () => {
  const { service, ask, open } = await start((started) => started.environment());
  service.keep('keel-1', ['state'], Buffer.from('x'));
  const entry = await ask(['keel-']);
  service.disturb({ call: 'download', times: 1, status: 302, location: entry?.address.href ?? '' });
  await expect(open(entry)).rejects.toMatchObject({ code: 'ARCHIVE_UNREADABLE' });
  expect(
    service.journal.map(({ call, status, authorization }) => [call, status, authorization !== undefined]),
  ).toEqual([
    ['GetCacheEntryDownloadURL', 200, true],
    ['download', 302, false],
    ['download', 200, false],
  ]);
});

test.each([
  ['leads to where nothing may go', { status: 302, location: 'ftp://elsewhere' }, /leads to ftp/],
  ['is refused', { status: 403 }, /answered with status 403: disturbed by the test/],
])('an archive whose address %s is not fetched', async (_what, fault, says) => {
  const { service, ask, open } = await start((started) => started.environment());
  service.keep('keel-1', ['state'], Buffer.from('x'));
  service.disturb({ call: 'download', ...fault });
  await expect(open(await ask(['keel-']))).rejects.toThrow(says);
});
