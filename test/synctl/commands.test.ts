import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readReport } from '../../src/sync/report/report-file.ts';
import { Desk, type Said } from '../support/built-synctl.ts';
import { DockerRegistry } from '../support/docker-registry.ts';
import { DURATION_TEXT } from '../support/duration-text.ts';
import { type Image, ImageMaker } from '../support/images/image.ts';
import { PlainPush } from '../support/images/push.ts';
import { describeWith } from '../support/programs.ts';
import { LOGIN } from '../support/token-server.ts';

const SET = { names: ['pause', 'coredns/coredns'], patches: [{ match: 'coredns/coredns', name: 'dns' }] };

describeWith(['docker-registry'], 'the built synctl, as a user sees it', () => {
  let source: DockerRegistry;
  let target: DockerRegistry;
  let images: { pause: Image; moved: Image; dns: Image };

  beforeAll(async () => {
    [source, target] = await Promise.all([DockerRegistry.start('token'), DockerRegistry.start('htpasswd')]);
    const maker = new ImageMaker();
    const platforms = ['linux/amd64', 'linux/arm64'];
    const make = (name: string, form: 'docker' | 'oci') =>
      maker.make({ platforms, form, own: [{ name, size: 2000 }] });
    images = {
      pause: await make('pause', 'docker'),
      moved: await make('moved', 'docker'),
      dns: await make('dns', 'oci'),
    };
    const pusher = new PlainPush(source);
    await pusher.push('pause', '3.10', images.pause);
    await pusher.push('coredns/coredns', 'v1.12.0', images.dns);
  });

  afterAll(async () => {
    await Promise.all([source[Symbol.asyncDispose](), target[Symbol.asyncDispose]()]);
  });

  /** A desk whose namespace at the destination is its own, and the flags that lead there. */
  function sitDown(namespace: string) {
    const desk = new Desk(LOGIN);
    desk.write('image_set.json', SET);
    const route = ['--source', source.host, '--push-to', target.host, '--push-ns', namespace];
    return { desk, run: (command: string, ...line: string[]) => desk.run(command, ...line, ...route) };
  }

  /** Returns what was said with the names of hosts, digests and times that differ from run to run made alike. */
  function alike({ code, stdout, stderr }: Said): string {
    const digests = new Map(Object.entries(images).map(([name, { digest }]) => [digest.toString(), name]));
    const plain = (text: string): string =>
      text
        .replaceAll(source.host, 'SOURCE')
        .replaceAll(target.host, 'TARGET')
        .replace(/sha256:[0-9a-f]{64}/g, (digest) => `<${digests.get(digest) ?? 'other'}>`)
        .replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'TIME')
        .replace(DURATION_TEXT, 'SPENT')
        .replace(/[\d.]+ KiB/g, 'SIZE')
        .replace(/ +/g, ' ')
        .trimEnd();
    return [plain(stdout), ...(stderr === '' ? [] : [`stderr: ${plain(stderr)}`]), `exit ${code}`].join('\n');
  }

  it('checks an image before it is mirrored, after, and when either side changed it', async () => {
    const { run } = sitDown('check');
    expect(alike(await run('check', 'pause:3.10'))).toBe(`\
SOURCE/pause:3.10 → TARGET/check/pause:3.10

source <pause> Docker list
state not recorded
destination not there
platforms linux/amd64, linux/arm64
image set selected by image_set.json:3:5

missing: the destination does not have it
exit 1`);
    expect((await run('sync')).code).toBe(0);
    expect(alike(await run('check', 'coredns/coredns:v1.12.0'))).toBe(`\
SOURCE/coredns/coredns:v1.12.0 → TARGET/check/dns:v1.12.0

source <dns> OCI index
state <dns> SIZE pushed TIME, last seen TIME
destination <dns> OCI index
platforms linux/amd64, linux/arm64
image set selected by image_set.json:4:5; patched at image_set.json:8:16

mirrored: the destination has what the source has, down to each layer (2 images, 4 blobs)
exit 0`);
    const pasted = await run('check', `${target.host}/check/dns:v1.12.0`);
    expect(alike(pasted)).toContain('SOURCE/coredns/coredns:v1.12.0 → TARGET/check/dns:v1.12.0');
    expect(pasted.code).toBe(0);
    const lastPart = await run('check', 'dns:v1.12.0');
    expect(alike(lastPart)).toContain('SOURCE/coredns/coredns:v1.12.0 → TARGET/check/dns:v1.12.0');
    expect(lastPart.code).toBe(0);

    await new PlainPush(target).push('check/pause', '3.10', images.moved);
    const overwritten = alike(await run('check', 'pause:3.10'));
    expect(overwritten).toContain('destination <moved> Docker list');
    expect(overwritten).toMatch(
      /\ndiffers: the destination has another image: someone else pushed this tag\nexit 1$/,
    );
    expect(alike(await run('check', 'pause:3.10', '--platform', 'linux/arm64'))).toContain(
      'chosen <other> with the chosen platforms',
    );
    expect(alike(await run('check', 'pause:9'))).toContain(
      '\nnowhere: neither the source nor the destination has it\nexit 1',
    );
    const checked = await run('check', 'pause:3.10', '--json');
    expect(JSON.parse(checked.stdout)).toMatchObject({
      image: `${source.host}/pause:3.10`,
      mirrored: false,
      imageSet: { wanted: true, place: 'image_set.json:3:5' },
      tags: [
        {
          tag: '3.10',
          wanted: true,
          verdict: 'differs',
          expected: images.pause.digest,
          destination: { digest: images.moved.digest },
          state: { pushedDigest: images.pause.digest },
        },
      ],
    });
    expect(checked.stderr).toBe('');
  });

  it('checks all tags of an image in one table', async () => {
    const { run } = sitDown('table');
    expect(
      alike(await run('check', 'coredns/coredns'))
        .split('\n')
        .slice(-3),
    ).toEqual(['', 'not mirrored: its one tag is missing', 'exit 1']);
    await run('sync');
    expect(
      alike(await run('check', 'coredns/coredns'))
        .split('\n')
        .slice(3),
    ).toEqual([
      'TAG SOURCE DESTINATION PUSHED (UTC) VERDICT',
      expect.stringMatching(/^v1\.12\.0 ([0-9a-f]{12}) \1 TIME mirrored$/),
      '',
      'mirrored: its one tag has the digest of the source; to check the parts of a tag, run synctl check IMAGE:TAG',
      'exit 0',
    ]);
    expect(alike(await run('check', 'nosuch'))).toBe(
      '\nstderr: error: SOURCE/nosuch: the source has no such repository ' +
        '(check its spelling, and whether it belongs to a registry other than --source)\nexit 1',
    );
  });

  it('checks without an image set, by --naming alone', async () => {
    const { desk, run } = sitDown('unset');
    const said = await run(
      'check',
      'coredns/coredns:v1.12.0',
      '--image-set',
      'none.json',
      '--naming',
      'dashed',
    );
    expect(alike(said)).toContain('SOURCE/coredns/coredns:v1.12.0 → TARGET/unset/coredns-coredns:v1.12.0');
    expect(said.stderr).toContain('warning: none.json: there is no image set');
    expect(existsSync(join(desk.folder, 'sync.bolt.db'))).toBe(false);
  });

  it('lists the state', async () => {
    const { desk, run } = sitDown('sum');
    expect(alike(await desk.run('sum'))).toBe(
      '\nstderr: error: sync.bolt.db: there is no such state file ' +
        '(run synctl sync first, which writes it, or name another file: synctl sum FILE)\nexit 2',
    );
    await run('sync');
    const before = readFileSync(join(desk.folder, 'sync.bolt.db'));
    expect(alike(await desk.run('sum'))).toBe(`\
sync.bolt.db: 2 tags in 2 repositories, SIZE

REPOSITORY TAGS SIZE LAST PUSH (UTC)
TARGET/sum/dns 1 SIZE TIME
TARGET/sum/pause 1 SIZE TIME

Runs from SOURCE to TARGET/sum
TIME ████████████████████ 2 copied SIZE SPENT

SIZE counts a shared layer once for each image.
exit 0`);
    const { stdout } = await desk.run('sum', 'sync.bolt.db', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      file: 'sync.bolt.db',
      repositories: [{ repository: `${target.host}/sum/dns`, tags: 1 }, { tags: 1 }],
      runs: [{ source: source.host, destination: `${target.host}/sum`, outcome: 'succeeded', copied: 2 }],
    });
    expect(readFileSync(join(desk.folder, 'sync.bolt.db')).equals(before)).toBe(true);
    expect((await desk.run('sum', 'image_set.json')).stderr).toMatch(
      /^error: image_set\.json: this file exists and is not a state of synctl; keel-pkg left it unchanged \(.*\)\n$/,
    );
  });

  it('joins the reports of shards, for the log, the job and programs', async () => {
    const { desk, run } = sitDown('merge');
    for (const index of [1, 2])
      await run('sync', '--shard', `${index}/2`, '--report', `${index}.json`, '--db', 'x');
    desk.set('GITHUB_STEP_SUMMARY', join(desk.folder, 'summary.md'));
    const joined = await desk.run('merge', '1.json', '2.json', '--report', 'all.json', '--json');
    expect(joined.code).toBe(0);
    expect(joined.stderr).toMatch(/^2 copied \([\d.]+ KiB\) in .*\n$/);
    expect(JSON.parse(joined.stdout)).toEqual(readReport(join(desk.folder, 'all.json')));
    expect(readFileSync(join(desk.folder, 'summary.md'), 'utf8')).toMatch(/^## ✅ 2 copied/);
    const half = await desk.run('merge', '1.json');
    expect(half.stderr).toBe('warning: the report of shard 2/2 is missing\n');
    // What became of the other half is not known.
    expect(half.code).toBe(1);
    expect(readFileSync(join(desk.folder, 'summary.md'), 'utf8')).toMatch(/^## ❌ /m);
    expect((await desk.run('merge', '1.json', '--fail-on', 'never')).code).toBe(0);
    expect((await desk.run('merge', '1.json', '1.json')).stderr).toMatch(
      /^error: 1\.json: it is named twice/,
    );
    expect(alike(await desk.run('merge', '1.json', 'none.json'))).toBe(
      '\nstderr: error: none.json: there is no such report (name the files that --report wrote)\nexit 2',
    );
    const moved = readReport(join(desk.folder, 'all.json'));
    const side = { digest: `sha256:${'0'.repeat(64)}` };
    const move = { kind: 'moved', kept: false, before: side, now: side };
    const images = moved.images.map((image) => ({ ...image, moved: move }));
    desk.write('moved.json', { ...moved, images });
    expect((await desk.run('merge', 'moved.json')).stderr).toMatch(
      /^warning: \S+ moved, but should not move; it was copied: the source had sha256:0{64}, and now has sha256:0{64}\n/,
    );
    const set = desk.write('set.json', { names: ['pause'], extras: [`${source.host}/pause:77`] });
    expect((await run('sync', '--image-set', set, '--report', 'bad.json')).code).toBe(1);
    const failed = await desk.run('merge', 'bad.json');
    expect(failed.stderr).toContain(
      `error: ${source.host}/pause:77: it does not exist at the source: cannot get its manifest`,
    );
    expect(failed.code).toBe(1);
    expect((await desk.run('merge', 'bad.json', '--fail-on', 'never')).code).toBe(0);
  });
});
