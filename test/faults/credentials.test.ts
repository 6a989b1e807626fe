import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { processesIn, witnessed } from '../support/processes.ts';
import type { Fault } from '../support/registry/faults.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { fileTimes, findSecrets, findSecretsInFiles } from '../support/secret-search.ts';
import { outcomes } from '../support/sync-run.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { DESTINATION, expectKept, formsOf, run, SOURCE, secretsOf, world } from './credential-world.ts';

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

it.each(REDIRECTS)(
  'carries no login along when $kind of the $side is redirected by $status',
  async ({ side, kind, status }) => {
    await using here = await world('bearer');
    const { stranger } = here;
    // Some strangers answer, others ask for a login of one kind or the other.
    const challenge = status === 302 ? 'Basic realm="give it to me"' : `Bearer realm="${stranger.url}/token"`;
    const fault: Fault = { kind: 'status', status: 401, headers: { 'www-authenticate': challenge } };
    const times = Number.POSITIVE_INFINITY;
    if (status !== 307) stranger.fail({ match: { when: (entry) => entry.kind !== 'token' }, times, fault });
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
    const programs = scratchFolder();
    const helper = join(programs, 'docker-credential-keychain');
    const answer = { ServerURL: source.host, Username: SOURCE.username, Secret: SOURCE.password };
    writeFileSync(helper, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(answer)}\nEND\n`, { mode: 0o755 });
    const config = { credHelpers: { [source.host]: 'keychain' } };
    writeFileSync(join(route.folder, '.docker/config.json'), JSON.stringify(config));
    const before = fileTimes(route.folder);
    const witness = join(programs, 'processes.txt');
    const files = ['--image-set', join(route.folder, 'image_set.json'), '--db', route.database];
    const report = join(route.folder, 'report.json');
    const where = ['--source', source.host, '--push-to', destination.host, '--push-ns', 'keel'];
    const trust = ['--ca-file', AUTHORITY_FILE];
    const { PATH = '' } = process.env;
    const child = spawn(
      process.execPath,
      [
        SYNCTL,
        'sync',
        ...where,
        ...files,
        ...trust,
        '--report',
        report,
        '--json',
        '--username',
        login.username,
      ],
      {
        env: {
          PATH: `${programs}:${PATH}`,
          HOME: route.folder,
          KEEL_PASSWORD: password,
          KEEL_DEBUG: '1',
          ...witnessed(witness),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code, (await output).join('\n')).toBe(expected);
    const processes = processesIn(witness);
    expect(processes).toContainEqual(expect.stringContaining('synctl.ts sync'));
    // Where the destination refuses the login, nobody needs that of the source.
    const helped = processes.filter((line) => /docker-credential-keychain get$/.test(line));
    expect(helped).toHaveLength(expected === 0 ? 1 : 0);
    const secrets = {
      ...secretsOf(source, SOURCE, 'source'),
      ...secretsOf(destination, login, 'destination'),
    };
    expect(fileTimes(route.folder).has(route.database)).toBe(true);
    expect([
      ...findSecrets('the list of processes', processes.join('\n'), secrets),
      ...findSecrets('its output', (await output).join('\n'), secrets),
      ...findSecretsInFiles(route.folder, secrets, before),
    ]).toEqual([]);
  },
);
