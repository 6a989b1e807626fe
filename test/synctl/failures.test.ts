import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { readReport } from '../../src/sync/report/report-file.ts';
import { Desk, type Said } from '../support/built-synctl.ts';
import { DockerRegistry } from '../support/docker-registry.ts';
import { DURATION_TEXT } from '../support/duration-text.ts';
import { ImageMaker } from '../support/images/image.ts';
import { PlainPush } from '../support/images/push.ts';
import { describeWith } from '../support/programs.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry, TestRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage } from '../support/registry/seed.ts';
import { AUTHORITY_FILE, HOSTS } from '../support/test-authority.ts';
import { LOGIN } from '../support/token-server.ts';

/** A port that is nobody's: one that was free a moment ago may be another test's by now. */
const CLOSED = '127.0.0.1:1';

const CHECKS = z.object({
  works: z.boolean(),
  checks: z.array(z.object({ check: z.string(), outcome: z.string(), message: z.string() })),
});

describeWith(['docker-registry'], 'what goes wrong is one line that names it and says what to change', () => {
  let source: DockerRegistry;
  let basic: DockerRegistry;
  let token: DockerRegistry;

  beforeAll(async () => {
    [source, basic, token] = await Promise.all([
      DockerRegistry.start('token'),
      DockerRegistry.start('htpasswd'),
      DockerRegistry.start('token'),
    ]);
    const image = await new ImageMaker().make({ own: [{ name: 'pause', size: 2000 }] });
    const pusher = new PlainPush(source);
    await Promise.all(['3.9', '3.10'].map((tag) => pusher.push('pause', tag, image)));
  });

  afterAll(async () => {
    await Promise.all([source, basic, token].map((registry) => registry[Symbol.asyncDispose]()));
  });

  function sitDown(set: object | string = { names: ['pause'] }): Desk {
    const desk = new Desk(LOGIN);
    desk.write('image_set.json', set);
    return desk;
  }

  const sync = (desk: Desk, from: string, to: string, ...more: string[]): Promise<Said> =>
    desk.run('sync', '--source', from, '--push-to', to, ...more);

  it.each(['htpasswd', 'token'] as const)('a wrong password (%s)', async (access) => {
    const registry = access === 'token' ? token : basic;
    const desk = sitDown();
    desk.set('KEEL_PASSWORD', 'not-the-password');
    const { code, stderr } = await sync(desk, source.host, registry.host);
    expect(stderr).toMatch(
      new RegExp(
        `^error: ${registry.host}: cannot log in, the registry answered 401.* \\(check the user name and password .*\\)\\n$`,
      ),
    );
    expect(stderr).not.toContain('not-the-password');
    expect(code).toBe(1);
  });

  it.each([
    ['a source that cannot be reached', 1, [], { code: 'UNREACHABLE', about: 'registry.invalid' }],
    [
      'an image set that is wrong',
      2,
      ['--image-set', 'bad.json'],
      { code: 'CONFIGURATION_MALFORMED', place: { line: 1 } },
    ],
    ['a flag that is wrong', 2, ['--limit', 'many'], { code: 'FLAG_MALFORMED', about: '--limit' }],
  ] as const)('%s, and report and --json say why', async (_, code, flags, failure) => {
    const desk = sitDown();
    desk.write('bad.json', '{ "nmaes": [] }');
    const said = await sync(desk, 'registry.invalid', basic.host, '--report', 'r.json', '--json', ...flags);
    expect(said.code).toBe(code);
    const report = readReport(join(desk.folder, 'r.json'));
    expect(JSON.parse(said.stdout)).toEqual(report);
    expect(report).toMatchObject({
      source: 'registry.invalid',
      destination: basic.host,
      failures: [failure],
    });
    const error = /^error: .*\n$/m.exec(said.stderr)?.[0];
    const merged = await desk.run('merge', 'r.json');
    expect(merged).toMatchObject({ code: 1, stderr: error });
  });

  it('a report that would replace another file is not written, also when the run cannot start', async () => {
    const desk = sitDown();
    const said = await sync(desk, source.host, basic.host, '--report', 'image_set.json', '--json');
    expect(said.code).toBe(2);
    expect(JSON.parse(said.stdout)).toMatchObject({ failures: [{ code: 'FILE_NOT_OURS' }] });
    expect(readFileSync(join(desk.folder, 'image_set.json'), 'utf8')).toContain('pause');
  });

  it('no login', async () => {
    const desk = new Desk();
    desk.write('image_set.json', { names: ['pause'] });
    const { code, stderr } = await sync(desk, source.host, basic.host);
    expect(stderr).toBe(
      `error: ${basic.host}: there is no login for this registry ` +
        '(give --username and KEEL_PASSWORD, in a workflow username and password, or log in with docker login or podman login)\n',
    );
    expect(code).toBe(1);
    const line = `error: ${basic.host}: there is no login for this registry (give --username and KEEL_PASSWORD, in a workflow username and password, or log in with docker login or podman login)\n`;
    for (const subject of [['pause'], ['pause:3.10'], ['--kubernetes', '1.36.2']]) {
      const checked = await desk.run('check', '--source', source.host, '--push-to', basic.host, ...subject);
      expect(checked).toMatchObject({ code: 1, stdout: '', stderr: line });
    }
  });

  it('an extra that cannot be reached: of its listing nothing is said, and a sync works in part', async () => {
    const desk = sitDown({ names: ['pause'], extras: ['registry.invalid/a', 'registry.invalid/b:1'] });
    const doctor = await desk.run('doctor', '--source', source.host, '--push-to', basic.host);
    expect(doctor.stdout).toContain('image_set.json: 1 name, 2 extras\n');
    expect(doctor.stdout).toMatch(
      /\na sync would work in part: 2 of the 2 images from other registries cannot be mirrored\n$/,
    );
    expect(doctor.code).toBe(1);
    const { stderr } = await sync(desk, source.host, basic.host, '--dry-run');
    expect(stderr).toMatch(
      /^error: 2 images: registry\.invalid: no such host \(.*\): registry\.invalid\/a and registry\.invalid\/b:1\n$/,
    );
    expect(stderr).not.toContain('matches nothing');
  });

  it('a name whose tags are all filtered away, and names beyond the fifth that match nothing', async () => {
    const names = ['pause', 'a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const desk = sitDown({ names, tags: { regex: '^v9' }, patches: [{ match: 'a', name: 'z' }] });
    const { stdout, stderr } = await sync(desk, source.host, basic.host, '--dry-run');
    expect(stderr.replaceAll(/image_set.json:\d+:\d+: /g, '')).toBe(
      [
        'warning: "pause" lists 2 tags, but "tags" and "exclude" drop all of them',
        ...['a', 'b', 'c', 'd', 'e'].map(
          (name) => `warning: "${name}" matches nothing at the source; correct or remove it`,
        ),
        'warning: 2 more names match nothing at the source; the report lists all',
        `error: no image at ${source.host} matches the image set, so there is nothing to mirror\n`,
      ].join('\n'),
    );
    expect(stdout).toMatch(/dry run: no image matched in /);
  });

  it('filters that let no tag pass: exit 1, and doctor says so before', async () => {
    const desk = sitDown({ names: ['pause'], tags: { semver: '>=9' } });
    const line = ['--source', source.host, '--push-to', basic.host, '--push-ns', 'filtered'];
    for (const dry of [['--dry-run'], []]) {
      const { code, stdout, stderr } = await desk.run('sync', ...line, ...dry);
      expect(stderr).toMatch(
        / "pause" lists 2 tags, but .* drop all of them\nerror: .* nothing to mirror\n$/,
      );
      expect(stdout).toContain('no image matched in ');
      expect(code).toBe(1);
    }
    const doctor = await desk.run('doctor', ...line);
    expect(doctor.stdout).toContain(`it selects nothing at ${source.host}`);
    expect(doctor.code).toBe(1);
  });

  it('an unknown host and a refused connection, on either side', async () => {
    const unknown = 'registry.invalid';
    const noHost = `error: ${unknown}: no such host (check its spelling, the name server and, behind a proxy, HTTPS_PROXY)\n`;
    const refused = `error: ${CLOSED}: the connection was refused (check the port and whether the service there is running)\n`;
    const desk = sitDown();
    for (const [from, to, line] of [
      [unknown, basic.host, noHost],
      [source.host, unknown, noHost],
      [CLOSED, basic.host, refused],
      [source.host, CLOSED, refused],
    ] as const) {
      expect(await sync(desk, from, to)).toMatchObject({ code: 1, stderr: line });
    }
  });

  it('a time limit that is over while registries are looked for', async () => {
    const said = await sync(
      sitDown(),
      CLOSED,
      CLOSED,
      '--command-timeout',
      '200ms',
      '--retry-interval',
      '9s',
    );
    expect(said.stderr).toBe('error: command-timeout: the time limit of 200 ms is over\n');
    expect(said.code).toBe(1);
  });

  it('a namespace that the account may not push to', async () => {
    await using target = new TestRegistry({
      access: {
        mode: 'basic',
        users: { [LOGIN.username]: LOGIN.password },
        allows: (_user, repository, action) => action === 'pull' || repository.startsWith('mine/'),
        deniedStatus: 403,
      },
    });
    await target.open();
    const desk = sitDown();
    const { code, stderr, stdout } = await sync(desk, source.host, target.host, '--push-ns', 'theirs');
    expect(stderr).toMatch(
      new RegExp(
        `^error: ${source.host}/pause \\(2 tags, 3.9 and 3.10\\): ${target.host}: cannot .* answered 403.* \\(check that the namespace exists .*\\)\n$`,
      ),
    );
    expect(stdout).toMatch(/\n2 failed in .*\n$/);
    expect(code).toBe(1);
    const doctor = await desk.run(
      'doctor',
      '--source',
      source.host,
      '--push-to',
      target.host,
      '--push-ns',
      'theirs',
      '--json',
    );
    const { works, checks } = CHECKS.parse(JSON.parse(doctor.stdout));
    expect(works).toBe(false);
    expect(checks.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check)).toEqual(['push']);
    expect(checks.slice(-3).map(({ check, message }) => `${check}: ${message}`)).toEqual([
      'layers: needs push',
      'formats: needs layers',
      'clean-up: needs push',
    ]);
    expect((await sync(desk, source.host, target.host, '--push-ns', 'mine')).code).toBe(0);
  });

  it('a repository and a tag that the source does not have, while others arrive', async () => {
    const desk = sitDown({ names: ['pause', 'nosuch'], extras: [`${source.host}/pause:77`] });
    const { code, stderr, stdout } = await sync(desk, source.host, basic.host, '--push-ns', 'gaps');
    expect(stderr.trimEnd().split('\n').toSorted()).toEqual([
      `error: image_set.json:3:5: ${source.host}/pause:77: it does not exist at the source: cannot get its manifest, ` +
        'the registry answered 404: MANIFEST_UNKNOWN: manifest unknown (check its name and tag)',
      'warning: image_set.json:4:5: "nosuch" matches nothing at the source; correct or remove it',
    ]);
    expect(stdout).toMatch(/\n2 copied \(.*\), 1 failed in .*\n$/);
    expect(code).toBe(1);
    expect((await sync(desk, source.host, basic.host, '--push-ns', 'gaps', '--fail-on', 'never')).code).toBe(
      0,
    );
  });

  it('another registry that is down, while others arrive', async () => {
    const desk = sitDown({ names: ['pause'], extras: [`${CLOSED}/team/tool:1`] });
    const { code, stderr, stdout } = await sync(desk, source.host, basic.host, '--push-ns', 'down');
    expect(stderr).toBe(
      `error: ${CLOSED}/team/tool:1: the connection was refused (check the port and whether the service there is running)\n`,
    );
    expect(stdout).toContain('2 copied');
    expect(code).toBe(1);
  });

  it('flags that are malformed, all at once and before anything is asked', async () => {
    const line = [
      '--limit',
      '0',
      '--retry-interval',
      '5',
      '--naming',
      'short',
      '--push-to',
      'https://a.example',
    ];
    const said = await sitDown().run('sync', ...line, '--shard', '3/2');
    expect(said.stdout).toBe('');
    expect(said.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(
        /^error: --push-to: "https:\/\/a\.example" is not a registry host \(write a\.example\)$/,
      ),
      'error: --limit: "0" is out of bounds (write a whole number from 1 to 1000)',
      expect.stringMatching(
        /^error: --retry-interval: "5" is not a duration \(write a number with a unit, .*\)$/,
      ),
      'error: --naming: "short" is not an allowed value (write basename, dashed or path)',
      'error: --shard: "3/2" is not a shard (write i/n with i from 1 to n and n up to 256, such as 2/8)',
    ]);
    expect(said.code).toBe(2);
  });

  it('an image set with mistakes, each by its place', async () => {
    const desk = sitDown('{\n  "names": ["pause", "Pause"],\n  "prefxes": []\n}\n');
    const said = await sync(desk, source.host, basic.host);
    expect(said.code).toBe(2);
    expect(said.stdout).toBe('');
    expect(said.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^error: image_set\.json:2:22: .*lower case/),
      expect.stringMatching(
        /^error: image_set\.json:3:3: "prefxes" is not a known key; did you mean "prefixes"\?$/,
      ),
    ]);
    expect(await sync(desk, source.host, basic.host, '--image-set', 'none.json')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^error: none\.json: there is no such file \(name another file, or .*\)\n$/,
      ),
    });
  });

  it('a state file that belongs to someone else', async () => {
    const desk = sitDown();
    writeFileSync(join(desk.folder, 'notes.json'), '{}');
    const said = await sync(desk, source.host, basic.host, '--db', 'notes.json');
    expect(said.stderr).toBe(
      'error: notes.json: this file exists and is not a state of synctl; keel-pkg left it unchanged ' +
        '(give --db another path, or move the file away)\n',
    );
    expect(said.code).toBe(2);
  });

  it('source and destination on one host with room for one request and one transfer', async () => {
    const one = ['--limit', '1', '--query-limit', '1', '--push-ns', 'copy', '--json'];
    const { code, stdout, stderr } = await sync(sitDown(), source.host, source.host, ...one);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ totals: { total: 2, copied: 2, failed: 0 } });
    expect(stderr).toMatch(/\n2 copied .*\n$/);
  });

  it('tells where in the code with KEEL_DEBUG, and only then', async () => {
    const desk = sitDown();
    desk.set('KEEL_PASSWORD', 'wrong');
    desk.set('KEEL_DEBUG', '1');
    const { stderr } = await sync(desk, source.host, basic.host);
    expect(stderr).toMatch(/^error: .*\nHttpFailure: .*\n {4}at /m);
  });

  it('a registry with habits of its own, told by the doctor', async () => {
    await using target = new TestRegistry({
      quirks: { refuseOciIndex: true, refuseTagsList: 403, selfMountOpensUpload: true, refuseDelete: true },
    });
    await target.open();
    const desk = new Desk();
    desk.write('image_set.json', { names: ['pause'] });
    const { code, stdout } = await desk.run('doctor', '--source', source.host, '--push-to', target.host);
    const told = stdout.replaceAll(target.host, 'TARGET').replace(DURATION_TEXT, '');
    expect(told.replace(/ +/g, ' ').split('\n').slice(8)).toEqual([
      '✓ ok login TARGET requires no login',
      '! warning list the tags of TARGET/keel/pause may not be listed, so each run requests each tag ' +
        '(allow the account to pull (list) it)',
      '✓ ok push pushing to TARGET/keel/pause is allowed',
      '✓ ok repositories there are no other repositories',
      '✓ ok size it accepts a request of 1 MiB',
      '✓ ok layers it accepts a small layer; it does not mount layers, so each layer needs one more request that shows whether it exists',
      expect.stringMatching(
        /^! warning formats it refuses OCI index: cannot push its manifest, the registry answered 400: .* \(images are converted to Docker's format .*\)$/,
      ),
      expect.stringMatching(
        /^✓ ok clean-up TARGET\/keel\/pause keeps the trial image, .* KiB without a tag, until the registry cleans up$/,
      ),
      '',
      'a sync would work, with 2 warnings',
      '',
    ]);
    expect(code).toBe(0);
  });

  it('a doctor that is given a wrong file ends as a sync does', async () => {
    const desk = sitDown();
    desk.write('image_set.json', '{"names": [1]}');
    const line = ['--source', source.host, '--push-to', basic.host, '--push-ns', 'wrong'];
    expect((await desk.run('sync', ...line)).code).toBe(2);
    const { code, stdout } = await desk.run('doctor', ...line);
    expect(stdout).toMatch(/^✗ failed .* image set .*image_set.json:1:12/s);
    expect(code).toBe(2);
  });

  it('a registry that makes no repositories by itself', async () => {
    await using target = new TestRegistry({ quirks: { repositoriesMustExist: true } });
    await target.open();
    const { code, stdout } = await sitDown().run('doctor', '--source', source.host, '--push-to', target.host);
    expect(stdout).toMatch(
      /✗ failed .* push .*\/keel\/pause: .* answered 404.* \(create the repository, or configure the registry to create repositories on push\)/,
    );
    expect(code).toBe(1);
  });

  it('a doctor that finds nothing, and leaves nothing', async () => {
    for (const registry of [basic, token]) {
      const line = ['--source', source.host, '--push-to', registry.host, '--push-ns', 'healthy'];
      const { code, stdout, stderr } = await sitDown().run('doctor', ...line);
      expect(stderr).toBe('');
      const checks = stdout.trimEnd().split('\n').slice(0, -2);
      expect(checks.filter((line) => !/^✓ ok +\d+ ms {2}\w/.test(line))).toEqual([]);
      expect(checks).toHaveLength(16);
      expect(stdout).toContain('logged in as keel, from --username or KEEL_USERNAME\n');
      expect(stdout).toMatch(/\n\na sync would work\n$/);
      expect(code).toBe(0);
      expect(await new PlainPush(registry).tags('healthy/pause')).toEqual([]);
    }
  });
});

it.each([
  [{}, 1, /^error: 127.*: its certificate is signed by an authority that this machine does not trust /],
  [{ NODE_USE_SYSTEM_CA: '1' }, 0, /^$/],
])(
  'the authorities of the system are trusted where Node is told to read them: with %j, exit %i',
  async (told, code, words) => {
    await using source = await startRegistry({ access: PUBLIC_TOKENS });
    await using destination = await startRegistry({ access: TOKENS });
    seedImage(source.storage, 'pause', { tags: ['3.10'] });
    const desk = new Desk(LOGIN);
    desk.write('image_set.json', { names: ['pause'] });
    const environment = { NODE_EXTRA_CA_CERTS: '', SSL_CERT_FILE: AUTHORITY_FILE, ...told };
    for (const [variable, value] of Object.entries(environment)) desk.set(variable, value);
    const said = await desk.run('sync', '--source', source.host, '--push-to', destination.host);
    expect(said.stderr).toMatch(words);
    expect(said.code).toBe(code);
  },
);

// The image has three blobs. To mount one is optional, so a refusal of that is followed by a question without it.
it.each<[side: 'source' | 'destination', kind: RequestKind | RequestKind[], times: number]>([
  ['source', 'ping', 1],
  ['source', 'tags-list', 1],
  ['source', 'manifest-get', 1],
  ['source', 'blob-get', 3],
  ['destination', 'ping', 1],
  ['destination', 'token', 1],
  ['destination', 'tags-list', 1],
  ['destination', ['mount', 'upload-start'], 6],
  ['destination', 'upload-put', 3],
  ['destination', 'manifest-put', 1],
])('with --retry 0 nothing is tried a second time: %s, %j', async (side, kind, times) => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  seedImage(source.storage, 'pause', { tags: ['3.10'] });
  const flaky = side === 'source' ? source : destination;
  flaky.fail({ match: { kind }, times: Number.POSITIVE_INFINITY, fault: { kind: 'status', status: 503 } });
  const desk = new Desk(LOGIN);
  desk.write('image_set.json', { names: ['pause'] });
  const line = ['--source', source.host, '--push-to', destination.host, '--retry', '0'];
  const { code, stderr } = await desk.run('sync', ...line);
  expect(stderr).toMatch(/^error: .* 503/);
  expect(code).toBe(1);
  expect(flaky.journal.count({ kind })).toBe(times);
});

it('NODE_TLS_REJECT_UNAUTHORIZED=0 counts for nothing, and is told once', async () => {
  await using registry = await startRegistry({ tls: HOSTS });
  const desk = new Desk(LOGIN);
  desk.set('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  desk.write('image_set.json', { names: ['pause'] });
  const { code, stderr } = await desk.run('sync', '--source', CLOSED, '--push-to', registry.host);
  expect(stderr).toMatch(
    /^warning: NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored, .*\nerror: .*signed by an authority that this machine does not trust.*\n$/,
  );
  expect(code).toBe(1);
  expect(registry.journal.count()).toBe(0);
});
