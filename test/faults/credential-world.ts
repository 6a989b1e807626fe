import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { runSync } from '../../src/sync/run.ts';
import type { Access } from '../support/registry/access.ts';
import type { JournalEntry } from '../support/registry/journal.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';

export const SOURCE = { username: 'reader', password: 'söurce/p@ss+wörd %41&"q' };
export const DESTINATION = { username: 'writer', password: 'dest1nation?p@ss=wörd #$<x>' };
const SHORT = { connect: milliseconds(2000), firstByte: milliseconds(2000), idle: milliseconds(2000) };

type Login = typeof SOURCE;

/** A secret in all the forms in which it could slip out. */
export function formsOf({ username, password }: Login): string[] {
  const pair = `${username}:${password}`;
  const base64 = [password, pair].map((secret) => Buffer.from(secret).toString('base64'));
  const escaped = JSON.stringify(password).slice(1, -1);
  const encoded = [encodeURIComponent(password), new URLSearchParams({ '': password }).toString().slice(1)];
  return [password, escaped, ...base64, ...base64.map((form) => encodeURIComponent(form)), ...encoded];
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

/** What some text gives away of some secrets. */
export function leaks(where: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) => where.includes(secret));
}

/** Whoever a login is not for must not have seen it, nor any token that was given for it. */
export function expectKept({ source, destination, stranger }: Awaited<ReturnType<typeof world>>): void {
  const ofSource = [...formsOf(SOURCE), ...bearersAt(source)];
  const ofDestination = [...formsOf(DESTINATION), ...bearersAt(destination)];
  const isStorage = ({ listener }: JournalEntry): boolean => listener !== 'registry';
  const elsewhere = [...stranger.journal.entries, ...source.journal.entries.filter(isStorage)];
  expect(elsewhere.map(({ headers }) => headers.authorization)).toEqual(elsewhere.map(() => undefined));
  expect(leaks(told(elsewhere), [...ofSource, ...ofDestination])).toEqual([]);
  expect(leaks(told(destination.journal.entries), ofSource)).toEqual([]);
  expect(leaks(told(source.journal.entries), ofDestination)).toEqual([]);
}

/** Mirrors once, and looks for every secret in whatever the run wrote, said and failed with. */
export async function run(here: Awaited<ReturnType<typeof world>>) {
  const { route, source, destination } = here;
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
  const { report } = await runSync(route.settings({ retry: 2, retryInterval: milliseconds(1) }), {
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
    timeouts: SHORT,
  }).catch((error: unknown) => {
    take(String(error instanceof Error ? `${error.message} ${JSON.stringify(error)}` : error));
    return { report: undefined };
  });
  expect(unmasked).toEqual([]);
  const state = existsSync(route.database) ? readFileSync(route.database, 'latin1') : '';
  const tokens = [...bearersAt(source), ...bearersAt(destination)];
  const secrets = [...formsOf(SOURCE), ...formsOf(DESTINATION), ...tokens];
  expect(leaks(`${lines.join('\n')}\n${JSON.stringify(report)}`, secrets)).toEqual([]);
  expect(
    leaks(
      state,
      secrets.map((secret) => Buffer.from(secret).toString('latin1')),
    ),
  ).toEqual([]);
  expect(leaks(Buffer.from(state, 'latin1').toString('utf8'), secrets)).toEqual([]);
  return { report, lines };
}
