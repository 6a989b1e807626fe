import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { runSync } from '../../src/sync/run.ts';
import type { Access } from '../support/registry/access.ts';
import type { Fault } from '../support/registry/faults.ts';
import type { JournalEntry } from '../support/registry/journal.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { outcomes, SyncRoute } from '../support/sync-run.ts';

const SYNCTL = fileURLToPath(new URL('../../src/synctl.ts', import.meta.url));
const SOURCE = { username: 'reader', password: 'söurce/p@ss+wörd %41&"q' };
const DESTINATION = { username: 'writer', password: 'dest1nation?p@ss=wörd #$<x>' };
const SHORT = { connect: milliseconds(2000), firstByte: milliseconds(2000), idle: milliseconds(2000) };

type Login = typeof SOURCE;

/** A secret in all the forms in which it could slip out. */
function formsOf({ username, password }: Login): string[] {
  const pair = `${username}:${password}`;
  const base64 = [password, pair].map((secret) => Buffer.from(secret).toString('base64'));
  const escaped = JSON.stringify(password).slice(1, -1);
  const encoded = [encodeURIComponent(password), new URLSearchParams({ '': password }).toString().slice(1)];
  // The middle of a base64 text, which looks alike whatever stands around it, is enough to give a secret away.
  return [password, escaped, ...base64, ...base64.map((form) => encodeURIComponent(form)), ...encoded];
}

const access = (mode: 'basic' | 'bearer', { username, password }: Login): Access => ({
  mode,
  users: { [username]: password },
});

/** Two registries that know different users, and a stranger who should hear nothing of either. */
async function world(mode: 'basic' | 'bearer') {
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

function bearersAt(registry: TestRegistry): string[] {
  const headers = registry.journal.entries.map(({ headers: { authorization = '' } }) => authorization);
  return headers.flatMap((header) => (header.startsWith('Bearer ') ? [header.slice('Bearer '.length)] : []));
}

function told(entries: readonly JournalEntry[]): string {
  return entries.map(({ path, query, headers }) => `${path}?${query} ${JSON.stringify(headers)}`).join('\n');
}

/** What some text gives away of some secrets. */
function leaks(where: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) => where.includes(secret));
}

/** Whoever a login is not for must not have seen it, nor any token that was given for it. */
function expectKept({ source, destination, stranger }: Awaited<ReturnType<typeof world>>): void {
  const ofSource = [...formsOf(SOURCE), ...bearersAt(source)];
  const ofDestination = [...formsOf(DESTINATION), ...bearersAt(destination)];
  const isStorage = ({ listener }: JournalEntry): boolean => listener !== 'registry';
  const elsewhere = [...stranger.journal.entries, ...source.journal.entries.filter(isStorage)];
  expect(elsewhere.map(({ headers }) => headers.authorization)).toEqual(elsewhere.map(() => undefined));
  expect(leaks(told(elsewhere), [...ofSource, ...ofDestination])).toEqual([]);
  expect(leaks(told(destination.journal.entries), ofSource)).toEqual([]);
  expect(leaks(told(source.journal.entries), ofDestination)).toEqual([]);
}

async function run(here: Awaited<ReturnType<typeof world>>) {
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

it.each(['basic', 'bearer'] as const)('uses each login at its own host alone (%s)', async (mode) => {
  await using here = await world(mode);
  const { report } = await run(here);
  expect(report && outcomes(report)).toEqual({ 'app:v1': 'copied', 'tool:v1': 'copied' });
  expect(here.source.journal.count('storage-get')).toBeGreaterThan(0);
  expectKept(here);
});

const KINDS: Readonly<Record<'source' | 'destination', readonly RequestKind[]>> = {
  source: ['ping', 'token', 'tags-list', 'manifest-head', 'manifest-get', 'blob-get'],
  destination: ['ping', 'token', 'tags-list', 'manifest-head', 'mount', 'upload-put', 'manifest-put'],
};
const SIDES = ['source', 'destination'] as const;
const REDIRECTS = SIDES.flatMap((side) =>
  KINDS[side].flatMap((kind) =>
    ([301, 302, 303, 307, 308] as const).map((status) => ({ side, kind, status })),
  ),
);

it.concurrent.each(REDIRECTS)(
  'carries no login along when $kind of the $side is redirected by $status',
  async ({ side, kind, status }) => {
    await using here = await world('bearer');
    const { stranger } = here;
    const rule = here[side].fail({
      match: { kind, listener: 'registry' },
      times: Number.POSITIVE_INFINITY,
      fault: {
        kind: 'redirect',
        status,
        location: ({ pathname, search }) => `${stranger.url}${pathname.replace('/keel/', '/')}${search}`,
      },
    });
    await run(here);
    expect(rule.hits).toBeGreaterThan(0);
    expectKept(here);
  },
);

const location = (url: string): Fault => ({ kind: 'status', status: 202, headers: { location: url } });

it.each<[string, (typeof SIDES)[number], RequestKind | readonly RequestKind[], (stranger: string) => Fault]>([
  [
    'an upload is sent elsewhere',
    'destination',
    ['upload-start', 'mount'],
    (stranger) => location(`${stranger}/v2/app/blobs/uploads/1?_state=2&X-Signature=abc`),
  ],
  [
    'an upload is sent elsewhere with a login in its address',
    'destination',
    ['upload-start', 'mount'],
    (stranger) =>
      location(stranger.replace('//', '//someone:else@').concat('/v2/app/blobs/uploads/1?_state=2')),
  ],
  [
    'the next page is elsewhere',
    'source',
    'tags-list',
    (stranger) => ({
      kind: 'status',
      status: 200,
      headers: { link: `<${stranger}/v2/app/tags/list?last=v0>; rel="next"` },
      body: '{"name":"app","tags":["v1"]}',
    }),
  ],
  [
    'someone asks for a Basic login after a redirect',
    'source',
    'manifest-get',
    (stranger) => ({ kind: 'redirect', location: `${stranger}/v2/private/manifests/v1` }),
  ],
])('carries no login along when %s', async (_, side, kind, fault) => {
  await using here = await world('bearer');
  const { stranger } = here;
  stranger.fail({
    match: { path: /private/ },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 401, headers: { 'www-authenticate': 'Basic realm="give it to me"' } },
  });
  const rule = here[side].fail({
    match: { kind },
    times: Number.POSITIVE_INFINITY,
    fault: fault(stranger.url),
  });
  const { report, lines } = await run(here);
  expect(rule.hits).toBeGreaterThan(0);
  expect(stranger.journal.count()).toBeGreaterThan(0);
  expectKept(here);
  // Addresses that someone signed are as good as passwords.
  expect(JSON.stringify([report, lines])).not.toMatch(/X-Signature=abc|someone:else/);
});

it.each(['basic', 'bearer'] as const)(
  'repeats no secret that a registry puts into its complaint (%s)',
  async (mode) => {
    await using here = await world(mode);
    const echo = [...formsOf(DESTINATION), 'and that is why'].join(' ');
    const fault: Fault = {
      kind: 'status',
      status: 403,
      body: JSON.stringify({ errors: [{ code: 'DENIED', message: echo }] }),
    };
    const kind = mode === 'basic' ? 'manifest-put' : 'token';
    here.destination.fail({ match: { kind }, times: Number.POSITIVE_INFINITY, fault });
    const { report, lines } = await run(here);
    expect(JSON.stringify([report, lines])).toContain('DENIED');
  },
);

it.each([
  ['succeeds', DESTINATION.password, 0],
  ['is refused', 'a wrong p@ssword', 1],
] as const)(
  'shows no secret in output, report, state or the list of processes when it %s',
  async (_, password, expected) => {
    await using here = await world('bearer');
    const { route, source, destination } = here;
    const login = { ...DESTINATION, password };
    const secrets = [...formsOf(login), ...formsOf(SOURCE)];
    const seen: string[] = [];
    const look = (): boolean => {
      for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        const file = `/proc/${entry}/cmdline`;
        try {
          seen.push(readFileSync(file, 'utf8').replaceAll('\0', ' '));
        } catch {
          // It has ended meanwhile.
        }
      }
      return false;
    };
    destination.fail({ match: { kind: 'token', when: look }, fault: { kind: 'reset' } });
    const files = ['--image-set', join(route.folder, 'image_set.json'), '--db', route.database];
    const report = join(route.folder, 'report.json');
    const where = ['--source', source.host, '--push-to', destination.host, '--push-ns', 'keel'];
    const { PATH = '' } = process.env;
    const child = spawn(
      process.execPath,
      [SYNCTL, 'sync', ...where, ...files, '--report', report, '--json', '--username', login.username],
      {
        env: { PATH, HOME: route.folder, KEEL_PASSWORD: password, KEEL_DEBUG: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(expected);
    expect(seen.some((line) => line.includes('synctl.ts'))).toBe(true);
    expect(leaks(seen.join('\n'), secrets)).toEqual([]);
    const tokens = [...bearersAt(source), ...bearersAt(destination)];
    const written = readdirSync(route.folder).filter((name) => !name.startsWith('.'));
    const files_ = written.map((name) => readFileSync(join(route.folder, name), 'utf8'));
    expect(written).toContain('sync.bolt.db');
    expect(leaks([...(await output), ...files_].join('\n'), [...secrets, ...tokens])).toEqual([]);
  },
);
