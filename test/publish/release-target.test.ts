import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { ReleaseTarget } from '../../src/publish/release/release-target.ts';
import type { ReleaseFault } from '../support/release-faults.ts';
import { ReleaseService, type ReleaseServiceSettings } from '../support/release-service.ts';
import { PackageFixture } from './package-fixture.ts';

const MIB = 1024 * 1024;
const NAME = 'kube-1.36.2-amd64.tar.gz';
const BETA = 'kube-1.36.2-amd64-beta.tar.gz';
const TAG = 'v1.36.2';
const calm = new AbortController().signal;

type ReleaseTargetSettings = ConstructorParameters<typeof ReleaseTarget>[0];

function targetFor(service: ReleaseService, more: Partial<ReleaseTargetSettings> = {}): ReleaseTarget {
  return new ReleaseTarget({
    repository: service.repository,
    token: service.token,
    api: new URL(service.url),
    tag: TAG,
    overwrite: false,
    retry: { attempts: 3, interval: milliseconds(1) },
    timeouts: { connect: milliseconds(5000), firstByte: milliseconds(5000), idle: milliseconds(5000) },
    ...more,
  });
}

async function publish(target: ReleaseTarget, fixture: PackageFixture, signal = calm) {
  const progress: number[] = [];
  const location = await target.publish(fixture.file, signal, (bytes) => progress.push(bytes));
  return { location, progress };
}

function contentOf(service: ReleaseService, name: string): Buffer | undefined {
  return service.release(TAG).assets.find((asset) => asset.name === name && asset.state === 'uploaded')
    ?.content;
}

describe('publishing to a GitHub release', () => {
  it('makes a draft, uploads, and publishes it last', async () => {
    await using service = await ReleaseService.start();
    await using fixture = await PackageFixture.write(NAME, 3 * MIB);
    const { location, progress } = await publish(targetFor(service), fixture);
    const release = service.release(TAG);
    expect(release.draft).toBe(false);
    expect(contentOf(service, NAME)?.equals(fixture.content)).toBe(true);
    expect(release.body).toContain(`echo '${fixture.file.sha256.slice(7)}  ${NAME}' | sha256sum -c -`);
    expect(service.journal.map((entry) => entry.operation)).toEqual([
      'get-by-tag',
      'list',
      'create',
      'list-assets',
      'upload',
      'update',
      'list-assets',
    ]);
    expect(progress.at(-1)).toBe(fixture.file.size);
    expect(location).toMatchObject({ target: 'release', outcome: 'published' });
    const downloaded = await fetch(location.address);
    expect(Buffer.from(await downloaded.arrayBuffer()).equals(fixture.content)).toBe(true);
  });

  it('splits what is too large, with a header, and its notes say how to join it', async () => {
    await using service = await ReleaseService.start({ assetLimit: MIB + 1 });
    await using fixture = await PackageFixture.write(NAME, 2 * MIB + 100);
    const { location } = await publish(targetFor(service, { partSize: MIB }), fixture);
    const release = service.release(TAG);
    const parts = [`${NAME}.part000`, `${NAME}.part001`, `${NAME}.part002`];
    expect(release.assets.map((asset) => asset.name)).toEqual([...parts, `${NAME}.parts.json`]);
    expect(JSON.parse(String(contentOf(service, `${NAME}.parts.json`)))).toMatchObject({
      name: NAME,
      size: fixture.file.size,
      parts: [{ name: parts[0], size: MIB }, { size: MIB }, { name: parts[2], size: 100 }],
    });
    expect(location.address).toBe(`${service.url}/owner/repository/releases/tag/${TAG}`);
    const folder = await mkdtemp(join(tmpdir(), 'joined-'));
    try {
      for (const part of parts) await writeFile(join(folder, part), contentOf(service, part) ?? '');
      const commands = /```sh\n([\s\S]*?)\n```/.exec(release.body)?.[1] ?? 'false';
      const ran = spawnSync('sh', ['-ec', commands], { cwd: folder, encoding: 'utf8' });
      expect([ran.status, ran.stdout]).toEqual([0, `${NAME}: OK\n`]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each([{ tellsDigests: true }, { tellsDigests: false }])(
    'sends nothing the second time ($tellsDigests)',
    async (row) => {
      await using service = await ReleaseService.start(row);
      await using fixture = await PackageFixture.write(NAME, 2 * MIB);
      await publish(targetFor(service, { partSize: MIB }), fixture);
      service.journal.length = 0;
      const { location } = await publish(targetFor(service, { partSize: MIB }), fixture);
      expect(location.outcome).toBe('present');
      expect(location.uncompared).toEqual(
        row.tellsDigests ? undefined : 'compared by size only, because this GitHub reports no digests',
      );
      expect(service.journal.map((entry) => entry.operation)).toEqual(['get-by-tag', 'list-assets']);
    },
  );

  it('adds to a release that people made, and leaves their draft one', async () => {
    await using service = await ReleaseService.start();
    await using fixture = await PackageFixture.write(NAME, MIB);
    service.addRelease(TAG, { body: 'Notes by hand', draft: true });
    const { location } = await publish(targetFor(service), fixture);
    expect(service.releases).toHaveLength(1);
    expect(service.release(TAG)).toMatchObject({
      draft: true,
      body: expect.stringMatching(/^Notes by hand\n\n<!-- keel/),
    });
    expect(location.instruction).toContain('still a draft');
  });

  it('publishes the draft that an earlier run of it left', async () => {
    await using service = await ReleaseService.start();
    await using fixture = await PackageFixture.write(NAME, MIB);
    service.faults.push({ operation: 'upload', answer: { status: 400 } });
    await expect(publish(targetFor(service), fixture)).rejects.toMatchObject({ code: 'SERVICE_REFUSED' });
    expect(service.release(TAG).draft).toBe(true);
    await publish(targetFor(service), fixture);
    expect(service.releases).toHaveLength(1);
    expect(service.release(TAG).draft).toBe(false);
  });

  it.each([
    { name: BETA, overwrite: false, replaced: true },
    { name: NAME, overwrite: true, replaced: true },
    { name: NAME, overwrite: false, replaced: false },
  ])('with other content under $name and overwrite $overwrite, replaces it: $replaced', async (row) => {
    await using service = await ReleaseService.start();
    await using first = await PackageFixture.write(row.name, 3 * MIB);
    await using second = await PackageFixture.write(row.name, 2 * MIB);
    await publish(targetFor(service, { partSize: MIB }), first);
    const repeated = publish(targetFor(service, { partSize: MIB, overwrite: row.overwrite }), second);
    if (row.replaced) await repeated;
    else await expect(repeated).rejects.toMatchObject({ code: 'ALREADY_PUBLISHED' });
    const names = service.release(TAG).assets.map((asset) => asset.name);
    expect(names.includes(`${row.name}.part002`), 'a stale part stays').toBe(!row.replaced);
    const expected = row.replaced ? second : first;
    const start = contentOf(service, `${row.name}.part000`);
    expect(start?.equals(expected.content.subarray(0, MIB))).toBe(true);
  });
});

describe('publishing to a GitHub release in bad weather', () => {
  const faults: [string, ReleaseFault][] = [
    ['asking fails', { operation: 'get-by-tag', answer: { status: 502 } }],
    ['creating fails', { operation: 'create', answer: { status: 503 } }],
    [
      'it asks for less',
      { operation: 'list-assets', answer: { status: 403, message: 'secondary rate limit' } },
    ],
    ['an upload is cut', { operation: 'upload', cutAfter: 100_000, times: 2 }],
    ['an upload fails', { operation: 'upload', answer: { status: 500 } }],
    ['an asset is damaged', { operation: 'upload', damage: true }],
    ['publishing fails', { operation: 'update', answer: { status: 500 } }],
  ];
  it.each(faults)('gets there when %s', async (_name, fault) => {
    await using service = await ReleaseService.start();
    await using fixture = await PackageFixture.write(NAME, 3 * MIB);
    service.faults.push(fault);
    await publish(targetFor(service, { partSize: 2 * MIB }), fixture);
    const parts = ['part000', 'part001'].map(
      (suffix) => contentOf(service, `${NAME}.${suffix}`) ?? Buffer.alloc(0),
    );
    expect(Buffer.concat(parts).equals(fixture.content)).toBe(true);
    expect(service.release(TAG)).toMatchObject({ draft: false });
    expect(service.release(TAG).assets.map((asset) => asset.state)).toEqual([
      'uploaded',
      'uploaded',
      'uploaded',
    ]);
  });

  it('goes on after a cut: parts that are there stay, a broken one is deleted', async () => {
    await using service = await ReleaseService.start();
    await using fixture = await PackageFixture.write(NAME, 3 * MIB);
    const settings = { partSize: MIB, retry: { attempts: 1, interval: milliseconds(1) } };
    const controller = new AbortController();
    const target = targetFor(service, settings);
    const stopped = target.publish(fixture.file, controller.signal, (bytes) => {
      if (bytes > 1.5 * MIB) controller.abort(new Error('enough'));
    });
    await expect(stopped).rejects.toThrow('enough');
    service.journal.length = 0;
    await publish(targetFor(service, settings), fixture);
    expect(service.requests('upload').map((entry) => entry.asset)).not.toContain(`${NAME}.part000`);
    expect(service.release(TAG).assets.filter((asset) => asset.state === 'uploaded')).toHaveLength(4);
  });

  it('gives up on a host that takes an asset and never answers', async () => {
    await using service = await ReleaseService.start();
    await using fixture = await PackageFixture.write(NAME, MIB);
    service.faults.push({ operation: 'upload', silent: true });
    const timeouts = { connect: milliseconds(2000), firstByte: milliseconds(2000), idle: milliseconds(2000) };
    await publish(targetFor(service, { timeouts }), fixture);
    expect(service.requests('upload').length).toBeGreaterThan(1);
    expect(contentOf(service, NAME)?.equals(fixture.content)).toBe(true);
  });

  it('never announces a package that arrives damaged each time', async () => {
    await using service = await ReleaseService.start();
    await using fixture = await PackageFixture.write(NAME, MIB);
    service.faults.push({ operation: 'upload', damage: true, times: 3 });
    await expect(publish(targetFor(service), fixture)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(service.release(TAG).draft).toBe(true);
  });

  it('tells an asset that GitHub finds too large', async () => {
    await using service = await ReleaseService.start({ assetLimit: 1000 });
    await using fixture = await PackageFixture.write(NAME, MIB);
    await expect(publish(targetFor(service), fixture)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });
});

describe('proving a release target', () => {
  it('makes nothing', async () => {
    await using service = await ReleaseService.start();
    await targetFor(service).prove(calm);
    expect(service.releases).toEqual([]);
  });

  it.each<[string, ReleaseServiceSettings, Partial<ReleaseTargetSettings>, object]>([
    [
      'a wrong token',
      {},
      { token: 'nobody' },
      {
        code: 'CREDENTIALS_REFUSED',
        message: expect.stringContaining('GitHub does not recognize the token'),
      },
    ],
    [
      'a token that may only read',
      { mayWrite: false },
      {},
      { code: 'DENIED', hint: expect.stringContaining('a workflow needs "permissions: contents: write"') },
    ],
    ['another repository', {}, { repository: 'owner/absent' }, { code: 'ABSENT', about: 'owner/absent' }],
  ])('tells %s', async (_name, settings, more, expected) => {
    await using service = await ReleaseService.start(settings);
    await expect(targetFor(service, more).prove(calm)).rejects.toMatchObject(expected);
  });
});
