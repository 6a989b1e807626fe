import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Fault } from '../support/registry/faults.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { outcomes } from '../support/sync-run.ts';
import {
  bearersAt,
  DESTINATION,
  expectKept,
  formsOf,
  leaks,
  run,
  SOURCE,
  world,
} from './credential-world.ts';

const SYNCTL = fileURLToPath(new URL('../../src/synctl.ts', import.meta.url));

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
