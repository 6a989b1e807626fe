import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { runSync } from '../../src/sync/run/run.ts';
import type { Access } from '../support/registry/access.ts';
import type { JournalEntry } from '../support/registry/journal.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { fileTimes, findSecrets, findSecretsInFiles, type Secrets } from '../support/secret-search.ts';
import { SyncRoute } from '../support/sync-run.ts';

export const SOURCE = { username: 'reader', password: 'söurce/p@ss+wörd %41&"q' };
export const DESTINATION = { username: 'writer', password: 'dest1nation?p@ss=wörd #$<x>' };

type Login = typeof SOURCE;

/** As Go writes them, in which most registries are written. */
const HTML: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&#34;'],
  ["'", '&#39;'],
]);

/** A login in all the forms in which a registry could repeat it. */
export function formsOf({ username, password }: Login): string[] {
  const pair = `${username}:${password}`;
  return [password, pair].flatMap((text) => {
    const bytes = Buffer.from(text);
    const base64 = bytes.toString('base64');
    const bare = base64.replaceAll('=', '');
    const encoded = [text, base64].map((form) => encodeURIComponent(form));
    return [
      text,
      base64,
      bare,
      bytes.toString('base64url'),
      ...encoded,
      new URLSearchParams([['', text]]).toString(),
      ...encoded.map((form) => form.replaceAll(/%../g, (byte) => byte.toLowerCase())),
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'),
      text.replaceAll(/[^a-z0-9 ]/gi, (char) => `&#${char.charCodeAt(0)};`),
      text.replaceAll(/[&<>"']/g, (char) => HTML.get(char) ?? ''),
    ];
  });
}

const access = (mode: 'basic' | 'bearer', { username, password }: Login): Access => ({
  mode,
  users: { [username]: password },
});

/** Two registries that know different users, and a stranger who should hear nothing of either. */
export async function world(mode: 'basic' | 'bearer') {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ redirectBlobs: true, access: access(mode, SOURCE) }));
  const destination = stack.use(await startRegistry({ access: access(mode, DESTINATION) }));
  const stranger = stack.use(await startRegistry());
  seedImage(source.storage, 'app', { tags: ['v1'] });
  seedIndex(source.storage, 'tool', { tags: ['v1'] });
  seedImage(stranger.storage, 'app', { tags: ['v1'] });
  // A tag that is there already is asked for on both sides.
  seedImage(destination.storage, 'keel/tool', { seed: 'older', tags: ['v1'] });
  const set = { names: ['app', 'tool'] };
  const route = new SyncRoute({ source, destination: { host: destination.host, login: DESTINATION }, set });
  const folder = join(route.folder, '.docker');
  mkdirSync(folder);
  const auth = Buffer.from(`${SOURCE.username}:${SOURCE.password}`).toString('base64');
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [source.host]: { auth } } }));
  return { source, destination, stranger, route, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The tokens that were shown at a registry. */
export function bearersAt(registry: TestRegistry): string[] {
  const headers = registry.journal.entries.map(({ headers: { authorization = '' } }) => authorization);
  return headers.flatMap((header) => (header.startsWith('Bearer ') ? [header.slice('Bearer '.length)] : []));
}

function told(entries: readonly JournalEntry[]): string {
  return entries.map(({ path, query, headers }) => `${path}?${query} ${JSON.stringify(headers)}`).join('\n');
}

/** All that only one of the two registries may hear: its login, and the tokens that were given for it. */
export function secretsOf(registry: TestRegistry, { password }: Login, name: string): Secrets {
  const tokens = [...new Set(bearersAt(registry))];
  return {
    [`the password of the ${name}`]: password,
    ...Object.fromEntries(tokens.map((token, index) => [`token ${index} of the ${name}`, token])),
  };
}

/** Whoever a login is not for must not have seen it, nor any token that was given for it. */
export function expectKept({ source, destination, stranger }: Awaited<ReturnType<typeof world>>): void {
  const ofSource = secretsOf(source, SOURCE, 'source');
  const ofDestination = secretsOf(destination, DESTINATION, 'destination');
  const isStorage = ({ listener }: JournalEntry): boolean => listener !== 'registry';
  const elsewhere = [...stranger.journal.entries, ...source.journal.entries.filter(isStorage)];
  const proofs = elsewhere.map(({ headers }) => [
    headers.authorization,
    headers.cookie,
    headers['proxy-authorization'],
  ]);
  expect(proofs.flat().filter((proof) => proof !== undefined)).toEqual([]);
  expect([
    ...findSecrets('elsewhere', told(elsewhere), { ...ofSource, ...ofDestination }),
    ...findSecrets('the destination', told(destination.journal.entries), ofSource),
    ...findSecrets('the source', told(source.journal.entries), ofDestination),
  ]).toEqual([]);
}

/** Mirrors once, and looks for every secret in whatever the run wrote, said and failed with. */
export async function run(here: Awaited<ReturnType<typeof world>>) {
  const { route, source, destination } = here;
  const before = fileTimes(route.folder);
  const masked = new Set<string>();
  const unmasked: string[] = [];
  const check = (entry: JournalEntry): boolean => {
    const { authorization } = entry.headers;
    const secret = authorization?.replace(/^\w+ /, '');
    if (secret !== undefined && !masked.has(secret)) unmasked.push(`${entry.method} ${entry.path}`);
    return false;
  };
  for (const registry of [source, destination]) {
    registry.fail({ match: { when: check }, fault: { kind: 'reset' } });
  }
  const lines: string[] = [];
  const take = (line: string): void => void lines.push(line);
  const { report } = await runSync(route.settings({ retry: { attempts: 2, interval: milliseconds(1) } }), {
    ...route.parts(),
    environment: { DOCKER_CONFIG: join(route.folder, '.docker') },
    reporter: {
      section: take,
      line: take,
      detail: take,
      warning: take,
      error: take,
      progress: ({ current }) => take(current.join()),
      close: () => undefined,
    },
    onSecret: (secret) => masked.add(secret),
  }).catch((error: unknown) => {
    take(String(error instanceof Error ? `${error.message} ${JSON.stringify(error)}` : error));
    return { report: undefined };
  });
  expect(unmasked).toEqual([]);
  const secrets = {
    ...secretsOf(source, SOURCE, 'source'),
    ...secretsOf(destination, DESTINATION, 'destination'),
  };
  expect([
    ...findSecrets('what it told', lines.join('\n'), secrets),
    ...findSecrets('the report', JSON.stringify(report ?? ''), secrets),
    ...findSecretsInFiles(route.folder, secrets, before),
  ]).toEqual([]);
  return { report, lines };
}
