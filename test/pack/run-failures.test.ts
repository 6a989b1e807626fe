import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeFailure, failureCode } from '../../src/lib/failure.ts';
import type { Destinations } from '../../src/pack/run/result.ts';
import { describeWith } from '../support/programs.ts';
import { NOWHERE, PackWorld } from './pack-world.ts';

type Versions = ReturnType<PackWorld['versions']>;

describeWith(['docker-registry'], 'a package that cannot be', () => {
  let world: PackWorld;
  let count = 0;

  beforeAll(async () => {
    world = await PackWorld.start();
    const arm = { own: [{ name: 'arm', size: 2000 }], platforms: ['linux/arm64'] };
    await world.push('mirror', 'keel/elsewhere', 'v1', arm);
    await world.push('mirror', 'keel/single', 'v1', { layers: [{ name: 'single', size: 2000 }] });
    await world.push('mirror', 'keel/named-amd64', 'v1', { layers: [{ name: 'named', size: 2000 }] });
    await world.push('mirror', 'keel/suffixed', 'v1-amd64', { layers: [{ name: 'suffixed', size: 2000 }] });
    await world.push('mirror', 'keel/forged', 'v1', { layers: [{ name: 'good', size: 2000 }] });
    await world.push('maker', 'forged', 'v1', { layers: [{ name: 'real', size: 2000 }] });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  function image(name: string, tag = 'v1', host = '127.0.0.1:1') {
    return { name, tag, image: `${host}/${name}` };
  }

  /** Packs what a change of the small versions.json makes of it, and returns what was thrown and what is left. */
  async function attempt(
    change: (versions: Versions) => unknown,
    values: Record<string, string> = {},
    destinations: Destinations<unknown> = NOWHERE,
  ) {
    count += 1;
    const versions = world.versions();
    const text = change(versions);
    world.write(typeof text === 'string' ? text : versions);
    const name = `try-${count}`;
    const outcome = await world.pack(values, { name, destinations }).catch((error: unknown) => error);
    const output = join(world.folder, name, 'out');
    const left = existsSync(output) ? readdirSync(output) : [];
    return { outcome, text: describeFailure(outcome), code: failureCode(outcome), left };
  }

  it.each<[string, (versions: Versions) => unknown, string, RegExp]>([
    [
      'a missing tag',
      ({ images }) => images.push(image('nothing')),
      'IMAGE_MISSING',
      /nothing v1: not found; tried .*keel\/nothing:v1 and 2 other names/,
    ],
    [
      'several at once',
      ({ images }) => images.push(image('nothing'), image('neither')),
      'IMAGES_FAILED',
      /2 of 5 could not be fetched\n {2}nothing v1: .*\n {2}neither v1: /,
    ],
    [
      'an image for another architecture',
      ({ images }) => images.push(image('elsewhere')),
      'IMAGE_FOR_OTHER_PLATFORM',
      /elsewhere v1: no image for linux\/amd64: .*keel\/elsewhere:v1 is for linux\/arm64/,
    ],
    [
      'another image than its maker has',
      (versions) => versions.images.push(image('forged', 'v1', world.maker.host)),
      'IMAGE_DIFFERS',
      /keel\/forged:v1: it differs from .*\/forged:v1: expected sha256:[0-9a-f]{64}, got sha256:/,
    ],
    [
      'an unknown component',
      ({ components }) => components.push({ name: 'kubelte', tag: '1.0' }),
      'CONFIGURATION_MALFORMED',
      /kubelte/,
    ],
    [
      'a pin that is not met',
      ({ components }) => Object.assign(components[0] ?? {}, { sha256: '0'.repeat(64) }),
      'DIGEST_MISMATCH',
      /kubelet.*expected sha256:0{64}, got sha256:[0-9a-f]{64}/,
    ],
  ])('for %s is refused, and nothing is left', async (_, change, code, text) => {
    const failed = await attempt(change);
    expect(failed).toMatchObject({ code, left: [] });
    expect(failed.text).toMatch(text);
  });

  it('tells one cause of several failures once', async () => {
    const failed = await attempt(() => undefined, { 'image-source': 'nosuch.invalid/keel' });
    expect(failed.code).toBe('IMAGES_FAILED');
    expect(failed.text).toMatch(
      /^images: 3 of 3 could not be fetched\n {2}all 3 images: nosuch\.invalid: no such host [^\n]*$/,
    );
  });

  it('points at the line of a malformed versions.json', async () => {
    const { outcome } = await attempt(
      () => '{\n  "images": [\n    { "name": "pause", "tga": "3.10" }\n  ]\n}',
    );
    expect(outcome).toMatchObject({
      problems: [expect.objectContaining({ place: expect.objectContaining({ line: 3 }) }), expect.anything()],
    });
  });

  it('tells images and components together', async () => {
    world.web.put('/cni.tgz', 'not what was promised');
    const failed = await attempt(() => undefined);
    expect(failed).toMatchObject({ code: 'DIGEST_MISMATCH', left: [] });
    for (const { path, content } of world.components) world.serve(path, content);
  });

  it('for want of a checksum is refused, unless the file takes it unchecked', async () => {
    const uri = world.web.put('/tool', 'a tool').href;
    const failed = await attempt(({ components }) => components.push({ name: 'tool', tag: '1', uri }));
    expect(failed).toMatchObject({ code: 'CHECKSUM_MISSING', left: [] });
    const taken = await attempt(({ components }) =>
      components.push({ name: 'tool', tag: '1', uri, sha256: 'none' }),
    );
    expect(taken.outcome).toMatchObject({
      reporter: {
        warnings: expect.arrayContaining([expect.stringContaining('1 component with "sha256": "none"')]),
      },
    });
  });

  it('takes an image under the names that older mirrors have, and says so', async () => {
    const { outcome, left } = await attempt(({ images }) =>
      images.push(image('named'), image('suffixed'), image('single')),
    );
    expect(left).toEqual(['kube-1.37.1-amd64.tar.gz']);
    expect(outcome).toMatchObject({
      reporter: {
        warnings: expect.arrayContaining([
          expect.stringMatching(
            /\/named:v1 was found only with the architecture in its name: .*keel\/named-amd64:v1$/,
          ),
          expect.stringMatching(/\/suffixed:v1 was found only .*keel\/suffixed:v1-amd64$/),
          expect.stringMatching(
            /^3 parts are unverified: 3 images; keel-package\.json in the package lists the reasons$/,
          ),
        ]),
      },
    });
  });

  it('mends a download that was cut', async () => {
    const { content } = world.components[0] ?? { content: Buffer.alloc(0) };
    world.web.put('/kubelet', content, { kind: 'status', status: 503 });
    const { left } = await attempt(() => undefined);
    expect(left).toEqual(['kube-1.37.1-amd64.tar.gz']);
  });

  it('asks its destinations before anything is fetched', async () => {
    const refused = new Error('no such bucket');
    world.web.seen.length = 0;
    const failed = await attempt(
      () => undefined,
      {},
      { ...NOWHERE, prove: async () => Promise.reject(refused) },
    );
    expect(failed.outcome).toBe(refused);
    expect(world.web.seen).toEqual([]);
  });

  it('overwrites nothing but a package, and finds that out before anything is fetched', async () => {
    const output = join(world.folder, 'mine');
    const file = join(output, 'kube-1.37.1-amd64.tar.gz');
    mkdirSync(output);
    writeFileSync(file, 'not to be lost');
    world.web.seen.length = 0;
    const failed = await attempt(() => undefined, { output });
    expect(failed.text).toBe(
      `${file}: this file exists and is not a package; keel-pkg left it unchanged (choose another path for the package, or move the file away)`,
    );
    expect(readFileSync(file, 'utf8')).toBe('not to be lost');
    expect(world.web.seen).toEqual([]);
    writeFileSync(file, '\u001f\u008b an older package', 'latin1');
    expect((await attempt(() => undefined, { output })).outcome).toMatchObject({
      result: { kind: 'packed' },
    });
  });

  it('tells a plan and touches nothing in a dry run', async () => {
    world.web.seen.length = 0;
    const { outcome, left } = await attempt(() => undefined, { 'dry-run': 'true' });
    expect(left).toEqual([]);
    expect(world.web.seen).toEqual([]);
    expect(outcome).toMatchObject({
      result: { kind: 'planned' },
      reporter: {
        lines: expect.arrayContaining([
          expect.stringMatching(/^3 images from 127\.0\.0\.1:\d+, compared with their upstream registries/),
          expect.stringMatching(/^ {2}\S+\/pause:3\.10\.2 +as keel\/pause$/),
          '3 components, verified with a published checksum',
          expect.stringMatching(/^ {2}kubelet +1\.37\.1 {2}http:.*kubelet$/),
        ]),
      },
    });
  });

  it.runIf(process.getuid?.() === 0)('on a disk without room says how much is missing', async () => {
    const small = join(world.folder, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'tmpfs', small]);
    try {
      const failed = await attempt(() => undefined, { output: small });
      expect(failed.code).toBe('DISK_TOO_SMALL');
      expect(failed.text).toMatch(
        /this file system needs .* \(.* for the package in .*small\), but has 300 KiB free/,
      );
      expect(readdirSync(small)).toEqual([]);
    } finally {
      execFileSync('umount', [small]);
    }
  });

  it('in a folder that is none says which flag to change', async () => {
    writeFileSync(join(world.folder, 'a-file'), '');
    const failed = await attempt(() => undefined, { 'image-output': join(world.folder, 'a-file/images') });
    expect(failed).toMatchObject({
      code: 'PATH_UNUSABLE',
      text: expect.stringContaining('--image-output'),
    });
  });

  it('whose lock cannot be written is not packed', async () => {
    const failed = await attempt(() => undefined, { lock: '/proc/new/keel.lock' });
    expect(failed).toMatchObject({
      code: 'PATH_UNUSABLE',
      text: expect.stringContaining('/proc/new/keel.lock'),
    });
  });

  it('stops when its time is over, and says so', async () => {
    world.web.put('/kubelet', world.components[0]?.content ?? '', { kind: 'hold', after: 1000 });
    const failed = await attempt(() => undefined, { 'command-timeout': '700ms' });
    world.web.breakHeld();
    expect(failed).toMatchObject({ code: 'COMMAND_TIMED_OUT', left: [] });
    expect(failed.text).toContain('the time limit of 700 ms is over');
  });

  it('stops when it is told to, and leaves no package', async () => {
    const stop = new AbortController();
    world.write(world.versions());
    const reason = new Error('enough');
    stop.abort(reason);
    const options = { name: 'stopped', signal: stop.signal };
    await expect(world.pack({}, options)).rejects.toBe(reason);
    expect(existsSync(join(world.folder, 'stopped/out'))).toBe(false);
  });
});
