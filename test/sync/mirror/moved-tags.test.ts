import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkJson, checkLines } from '../../../src/cli/text/check-text.ts';
import type { Manifest } from '../../../src/registry/oci/manifest.ts';
import { parseHost, parseReference } from '../../../src/registry/oci/reference.ts';
import { checkImage } from '../../../src/sync/check/image-check.ts';
import type { ReportedImage } from '../../../src/sync/report/report.ts';
import { PUBLIC_TOKENS, TOKENS } from '../../support/registry/access.ts';
import type { Quirks } from '../../support/registry/quirks.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { seedImage, seedIndex, seedMade } from '../../support/registry/seed.ts';
import {
  cosignLayer,
  cosignManifest,
  cosignPayload,
  signatureTag,
} from '../../support/sigstore/signature.ts';
import { TestSigstore } from '../../support/sigstore/sigstore.ts';
import { outcomes, type RunChoices, SyncRoute } from '../../support/sync-run.ts';

const FIRST_NIGHT = new Date('2026-03-02T02:00:00Z');
const SECOND_NIGHT = new Date('2026-03-03T02:00:00Z');
const MADE = '2026-02-01T08:00:00Z';
const MADE_LATER = '2026-03-02T12:30:00Z';
const MADE_BEFORE = '2025-06-01T08:00:00Z';

/** A source with one image, a destination, and the nightly runs between them. */
class World implements AsyncDisposable {
  readonly source: TestRegistry;
  readonly destination: TestRegistry;
  readonly route: SyncRoute;

  constructor(source: TestRegistry, destination: TestRegistry) {
    this.source = source;
    this.destination = destination;
    this.route = new SyncRoute({ source, destination, set: { names: ['app'] } });
  }

  static async open({
    listing = 'google',
    quirks = {},
  }: {
    listing?: 'google' | 'plain';
    quirks?: Quirks;
  } = {}) {
    const style = listing === 'google' ? { listing: { style: listing } as const } : {};
    return new World(
      await startRegistry({ ...style, access: PUBLIC_TOKENS }),
      await startRegistry({ access: TOKENS, quirks }),
    );
  }

  /** Gives a tag of the source another image, made of a seed. */
  offer(tag: string, seed: string, more: Parameters<typeof seedIndex>[2] = {}): Manifest {
    return seedIndex(this.source.storage, 'app', { seed, tags: [tag], created: MADE, ...more });
  }

  async run(choices: RunChoices = {}) {
    this.source.journal.clear();
    this.destination.journal.clear();
    const { report, lines } = await this.route.run({ now: FIRST_NIGHT, verify: 'none', ...choices });
    return { report, lines, outcomes: outcomes(report), moved: movesOf(report.images) };
  }

  /** Mirrors `v1.2.3`, and moves it to another image. */
  async move(more: Parameters<typeof seedIndex>[2] = { created: MADE_LATER }, tag = 'v1.2.3') {
    const before = this.offer(tag, 'first');
    await this.run();
    return { before, now: this.offer(tag, 'second', more) };
  }

  at(tag = 'v1.2.3'): string | undefined {
    return this.destination.storage.repositories.get('keel/app')?.tags.get(tag);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.source.close(), this.destination.close()]);
  }
}

function movesOf(images: readonly ReportedImage[]) {
  return images.flatMap(({ moved }) => (moved === undefined ? [] : [moved]));
}

describe('a tag that should not move and moved at the source', () => {
  test('is copied with a warning that has both images, and is no news the night after', async () => {
    await using world = await World.open();
    const { before, now } = await world.move();
    const { report, lines, moved } = await world.run({ now: SECOND_NIGHT });
    expect(report.images).toMatchObject([{ outcome: 'copied', reason: { code: 'CHANGED' } }]);
    expect(moved).toEqual([
      {
        kind: 'moved',
        kept: false,
        before: {
          digest: before.digest,
          created: '2026-02-01T08:00:00.000Z',
          mirrored: '2026-03-02T02:00:00.000Z',
        },
        now: { digest: now.digest, created: '2026-03-02T12:30:00.000Z', uploaded: expect.any(String) },
        isOlder: false,
        sameImages: false,
      },
    ]);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^warning: \S+\/app:v1\.2\.3 moved, but should not move; it was copied: the source had sha256:[0-9a-f]{64} \(made 2026-02-01 08:00, mirrored 2026-03-02 02:00\), and now has sha256:[0-9a-f]{64} \(made 2026-03-02 12:30, uploaded [-0-9: ]+\)$/,
      ),
    );
    expect(world.at()).toBe(now.digest);
    expect((await world.run({ now: SECOND_NIGHT })).moved).toEqual([]);
  });

  test('is kept as it is with keep, each night until it is accepted', async () => {
    await using world = await World.open();
    const { before, now } = await world.move();
    world.offer('v1.2.4', 'other');
    const keep: RunChoices = { now: SECOND_NIGHT, movedTags: 'keep' };
    for (const _ of [1, 2]) {
      const { report, lines, moved, outcomes: became } = await world.run(keep);
      expect(became).toMatchObject({ 'app:v1.2.3': 'failed' });
      expect(report.images.find(({ moved: found }) => found !== undefined)?.reason).toEqual({
        code: 'TAG_MOVED',
        message: expect.stringMatching(
          /^this tag should not move, but the source has another image now .*; the destination was left unchanged$/,
        ),
        hint: expect.stringContaining('--moved-tags copy'),
      });
      expect(moved).toMatchObject([{ kind: 'moved', kept: true }]);
      expect(lines.filter((line) => line.startsWith('error: '))).toEqual([
        expect.stringMatching(
          /app:v1\.2\.3 moved, but should not move; the destination was left unchanged: the source had .* \(find out why the tag moved;/,
        ),
      ]);
      expect(world.at()).toBe(before.digest);
    }
    expect(world.at('v1.2.4')).toBeDefined();
    expect((await world.run({ now: SECOND_NIGHT, movedTags: 'copy' })).moved).toEqual([]);
    expect(world.at()).toBe(now.digest);
    expect((await world.run(keep)).outcomes).toEqual({ 'app:v1.2.3': 'skipped', 'app:v1.2.4': 'skipped' });
  });

  test('is fine with keep once the source went back', async () => {
    await using world = await World.open();
    const { before } = await world.move();
    await world.run({ movedTags: 'keep' });
    world.offer('v1.2.3', 'first');
    const { outcomes: became, moved } = await world.run({ movedTags: 'keep' });
    expect([became, moved, world.at()]).toEqual([{ 'app:v1.2.3': 'skipped' }, [], before.digest]);
  });

  test('is copied without a word with copy, and costs no request more than a tag that moves by nature', async () => {
    const asked = async (tag: string, choices: RunChoices) => {
      await using world = await World.open();
      await world.move({ created: MADE_LATER }, tag);
      const { moved, lines } = await world.run(choices);
      expect([moved, lines.filter((line) => line.startsWith('warning: '))]).toEqual([[], []]);
      return [world.source, world.destination].map(({ journal }) => journal.entries.length);
    };
    expect(await asked('v1.2.3', { movedTags: 'copy' })).toEqual(await asked('latest', {}));
  });

  test('is told by a dry run in the same way, which pushes nothing', async () => {
    await using world = await World.open();
    const { before } = await world.move();
    const warned = await world.run({ dryRun: true });
    expect([warned.outcomes, warned.moved.length]).toEqual([{ 'app:v1.2.3': 'copied' }, 1]);
    expect(warned.lines).toContainEqual(
      expect.stringMatching(/^warning: .*; it would be copied: the source had /),
    );
    const kept = await world.run({ dryRun: true, movedTags: 'keep' });
    expect([kept.outcomes, kept.moved.length, kept.report.totals.failed]).toEqual([
      { 'app:v1.2.3': 'failed' },
      1,
      1,
    ]);
    expect(world.at()).toBe(before.digest);
  });

  test('says that it went back, where the image of now was made before the other', async () => {
    await using world = await World.open();
    await world.move({ created: MADE_BEFORE });
    const { moved, lines } = await world.run();
    expect(moved).toMatchObject([{ kind: 'moved', isOlder: true }]);
    expect(lines).toContainEqual(
      expect.stringContaining(' went back to an older image, but should not move; it was copied: '),
    );
  });

  test.each(['1970-01-01T00:00:00Z', '0001-01-01T00:00:00Z', '2026-02-31T00:00:00Z', 'yesterday', undefined])(
    'says so where the times are not known, and does not guess which is older: %s',
    async (created) => {
      await using world = await World.open();
      await world.move({ created, uploaded: 8e15 });
      const [move] = (await world.run()).moved;
      expect([move?.before.created, move?.now, move?.isOlder]).toEqual([
        '2026-02-01T08:00:00.000Z',
        { digest: expect.any(String) },
        undefined,
      ]);
    },
  );

  test('says that the images of both are the same, where its index lists one more', async () => {
    await using world = await World.open();
    await world.move();
    world.offer('v1.2.3', 'first', { platforms: ['linux/amd64', 'linux/arm64', 'linux/s390x'] });
    const { moved, lines } = await world.run();
    expect(moved).toMatchObject([{ kind: 'moved', isOlder: false, sameImages: true }]);
    expect(lines).toContainEqual(
      expect.stringContaining('; the images of the platforms that both have are the same; it was copied'),
    );
  });

  test('is found where the source lists no digests, and where the destination lost the tag', async () => {
    await using world = await World.open({ listing: 'plain' });
    const { before } = await world.move();
    const { outcomes: became } = await world.run({ movedTags: 'keep' });
    expect([became, world.at()]).toEqual([{ 'app:v1.2.3': 'failed' }, before.digest]);
    world.destination.storage.repositories.get('keel/app')?.tags.clear();
    const { moved, report } = await world.run({ movedTags: 'keep' });
    expect(moved).toMatchObject([{ kind: 'moved', kept: true, before: { digest: before.digest } }]);
    expect([report.images[0]?.reason?.code, world.at()]).toEqual(['TAG_MOVED', undefined]);
  });

  test('is no failure with keep where the destination has the new image already', async () => {
    await using world = await World.open();
    const { now } = await world.move();
    seedIndex(world.destination.storage, 'keel/app', {
      seed: 'second',
      tags: ['v1.2.3'],
      created: MADE_LATER,
    });
    const { moved, outcomes: became, lines } = await world.run({ movedTags: 'keep' });
    expect([became, world.at()]).toEqual([{ 'app:v1.2.3': 'checked' }, now.digest]);
    expect(moved).toMatchObject([{ kind: 'moved', kept: false }]);
    expect(lines).toContainEqual(expect.stringContaining('; the destination has it already'));
  });

  test('is told though it could not be copied, and again in the next run', async () => {
    await using world = await World.open();
    await world.move();
    world.route.wants({ names: ['app'], signatures: { [world.source.host]: ME } });
    for (const _ of [1, 2]) {
      const { moved, report, lines } = await world.run({ verifySignatures: 'require' });
      expect(report.images).toMatchObject([{ outcome: 'failed', reason: { code: 'SIGNATURE_MISSING' } }]);
      expect(moved).toMatchObject([
        {
          kept: false,
          before: { signature: { status: 'unverified' } },
          now: { signature: { status: 'unverified' } },
        },
      ]);
      expect(lines).toContainEqual(
        expect.stringMatching(
          /; it was not copied: it has no signature.*: the source had .*without a valid signature\)$/,
        ),
      );
    }
  });

  test('is known from an earlier run where its platforms were chosen or its format converted', async () => {
    await using world = await World.open({ quirks: { refuseOciIndex: true } });
    const { now } = await world.move();
    const { moved, report } = await world.run();
    expect(moved).toMatchObject([{ kind: 'moved', isOlder: false, sameImages: false }]);
    expect(report.images).toMatchObject([{ outcome: 'copied', conversion: 'docker-format' }]);
    expect(world.at()).not.toBe(now.digest);
    // The digest at the source is the same: another choice is no move.
    world.route.wants({ names: ['app'], patches: [{ match: 'app', platforms: ['linux/arm64'] }] });
    const chosen = await world.run({ movedTags: 'keep' });
    expect([chosen.outcomes, chosen.moved]).toEqual([{ 'app:v1.2.3': 'copied' }, []]);
  });
});

describe('what is no moved tag', () => {
  test('a tag that moves by nature, which stays CHANGED', async () => {
    await using world = await World.open();
    await world.move({ created: MADE_BEFORE }, 'latest');
    const { moved, report } = await world.run({ movedTags: 'keep' });
    expect(report.images).toMatchObject([{ outcome: 'copied', reason: { code: 'CHANGED' } }]);
    expect(moved).toEqual([]);
  });

  test('a tag that someone overwrote at the destination, which is put right', async () => {
    await using world = await World.open();
    const { digest } = world.offer('v1.2.3', 'first');
    await world.run();
    seedImage(world.destination.storage, 'keel/app', { seed: 'stranger', tags: ['v1.2.3'] });
    const { moved, report } = await world.run({ movedTags: 'keep', verify: 'all' });
    expect(report.images).toMatchObject([{ outcome: 'copied', reason: { code: 'DIFFERS' } }]);
    expect([moved, world.at()]).toEqual([[], digest]);
  });

  test('a tag that was deleted at the source and pushed again as it was', async () => {
    await using world = await World.open();
    world.offer('v1.2.3', 'first');
    await world.run();
    world.source.storage.repositories.get('app')?.tags.clear();
    world.offer('latest', 'other');
    await world.run();
    world.offer('v1.2.3', 'first');
    expect((await world.run({ movedTags: 'keep' })).moved).toEqual([]);
    // Pushed again as something else it is one, however long it was gone.
    world.source.storage.repositories.get('app')?.tags.delete('v1.2.3');
    await world.run();
    world.offer('v1.2.3', 'second');
    expect((await world.run({ movedTags: 'keep' })).moved).toMatchObject([{ kind: 'moved', kept: true }]);
  });
});

describe('without a state', () => {
  test('a tag that differs at both sides is not called moved at the source', async () => {
    await using world = await World.open();
    const { before, now } = await world.move();
    rmSync(world.route.database);
    const kept = await world.run({ movedTags: 'keep' });
    const message = expect.stringContaining(
      'the source has another image than the destination, and it is unknown which of them changed',
    );
    expect(kept.report.images).toMatchObject([
      { outcome: 'failed', reason: { code: 'TAG_DIFFERS', message } },
    ]);
    expect(kept.moved).toMatchObject([{ kind: 'differs', kept: true, before: { digest: before.digest } }]);
    expect(world.at()).toBe(before.digest);
    const { moved, lines } = await world.run();
    expect(moved).toMatchObject([{ kind: 'differs', kept: false, isOlder: false }]);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^warning: \S+ differs from the destination, but should not move; it is unknown which side changed; it was copied: the destination has .* and the source .*$/,
      ),
    );
    expect(world.at()).toBe(now.digest);
  });

  test('an image whose format was converted, or whose platforms were chosen, is not taken for another', async () => {
    await using world = await World.open({ quirks: { refuseOciIndex: true } });
    world.offer('v1.2.3', 'first');
    await world.run();
    rmSync(world.route.database);
    const converted = await world.run({ movedTags: 'keep' });
    expect([converted.outcomes, converted.moved]).toEqual([{ 'app:v1.2.3': 'checked' }, []]);
    world.route.wants({ names: ['app'], patches: [{ match: 'app', platforms: ['linux/arm64'] }] });
    rmSync(world.route.database);
    const chosen = await world.run({ movedTags: 'keep' });
    expect([chosen.outcomes, chosen.moved]).toEqual([{ 'app:v1.2.3': 'copied' }, []]);
  });

  test.each([
    ['as they are', {}],
    ['converted', { refuseOciIndex: true }],
  ])('a tag that differs is told where platforms are chosen too: %s', async (_, quirks) => {
    await using world = await World.open({ quirks });
    world.route.wants({ names: ['app'], patches: [{ match: 'app', platforms: ['linux/arm64'] }] });
    world.offer('v1.2.3', 'first');
    await world.run();
    const first = world.at();
    rmSync(world.route.database);
    expect((await world.run({ movedTags: 'keep' })).moved).toEqual([]);
    rmSync(world.route.database);
    world.offer('v1.2.3', 'second');
    const { report, moved } = await world.run({ movedTags: 'keep' });
    expect(report.images).toMatchObject([{ outcome: 'failed', reason: { code: 'TAG_DIFFERS' } }]);
    expect(moved).toMatchObject([{ kind: 'differs', kept: true, before: { digest: first } }]);
    expect(world.at()).toBe(first);
  });
});

test('a tag that another source has otherwise is not called moved at the source', async () => {
  await using world = await World.open();
  const { digest } = world.offer('v1.2.3', 'first');
  await world.run();
  await using other = await startRegistry({ listing: { style: 'google' }, access: PUBLIC_TOKENS });
  seedIndex(other.storage, 'app', { seed: 'other', tags: ['v1.2.3', 'latest'] });
  const { moved, report } = await world.run({ source: parseHost(other.host), movedTags: 'keep' });
  expect(moved).toMatchObject([{ kind: 'differs', kept: true, before: { digest } }]);
  expect(report.images.find(({ outcome }) => outcome === 'failed')?.reason?.code).toBe('TAG_DIFFERS');
  expect(world.at()).toBe(digest);
});

test('the narrowest scope of the image set decides, and a tag that it names should not move', async () => {
  await using world = await World.open();
  const { host } = world.source;
  world.offer('v1.2.3', 'first');
  world.offer('v1.2.4', 'first');
  world.offer('latest', 'first');
  await world.run();
  for (const tag of ['v1.2.3', 'v1.2.4', 'latest']) world.offer(tag, 'second');
  const movedTags = {
    [host]: 'warn',
    [`${host}/app`]: 'keep',
    [`${host}/app:v1.2.4`]: 'copy',
    [`${host}/app:latest`]: 'keep',
  };
  world.route.wants({ names: ['app'], movedTags });
  const { outcomes: became, moved } = await world.run({ movedTags: 'copy' });
  expect(became).toEqual({ 'app:latest': 'failed', 'app:v1.2.3': 'failed', 'app:v1.2.4': 'copied' });
  expect(moved).toHaveLength(2);
});

const ME = { identity: 'release@example.com', issuer: 'https://accounts.example.com' };

describe('with --verify-signatures', () => {
  async function signed(tag: string, made: string, sign = true) {
    const sigstore = await TestSigstore.start();
    const world = await World.open();
    const { host, storage } = world.source;
    world.route.wants({ names: ['app'], signatures: { [host]: ME } });
    const trustedRoot = sigstore.writeTrustedRoot(world.route.folder);
    const offer = async (seed: string, created: string, isSigned: boolean) => {
      const { digest } = world.offer(tag, seed, { created });
      if (!isSigned) return;
      const layer = await cosignLayer(sigstore, cosignPayload(digest, `${host}/app`), ME);
      seedMade(storage, 'app', signatureTag(digest), cosignManifest([layer]));
    };
    const run = () => world.run({ verifySignatures: 'warn', trustedRoot });
    await offer('first', MADE, true);
    await run();
    await offer('second', made, sign);
    return { run, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
  }

  test('a moved tag is told with both signers', async () => {
    await using world = await signed('v1.2.3', MADE_LATER, false);
    const { moved, lines } = await world.run();
    expect(moved).toMatchObject([
      {
        before: { signature: { status: 'verified', identity: 'release@example.com' } },
        now: { signature: { status: 'unverified' } },
      },
    ]);
    expect(lines).toContainEqual(expect.stringContaining(', signed by release@example.com), and now has'));
  });

  test('a moving tag that went back to an older signed image is told, and copied', async () => {
    await using world = await signed('latest', MADE_BEFORE);
    const { moved, lines, outcomes: became } = await world.run();
    expect(became).toEqual({ 'app:latest': 'copied' });
    expect(moved).toMatchObject([{ kind: 'went-back', kept: false, isOlder: true }]);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^warning: \S+\/app:latest went back to an older image; it was copied: the source had/,
      ),
    );
  });

  test('a moving tag that went on is no news', async () => {
    await using world = await signed('latest', MADE_LATER);
    expect((await world.run()).moved).toEqual([]);
  });
});

describe('synctl check', () => {
  async function check(world: World, name: string, movedTags: 'warn' | 'keep' | 'copy') {
    const image = parseReference(`${world.source.host}/app${name}`);
    const checked = await checkImage(image, world.route.settings({ movedTags }), world.route.parts());
    return { lines: checkLines(checked), json: JSON.stringify(checkJson(checked)) };
  }

  test.each([
    ['warn', 'a run copies it'],
    ['keep', 'a run leaves the destination unchanged'],
  ] as const)('tells a moved tag with %s, of one tag and of all', async (mode, fate) => {
    await using world = await World.open();
    await world.move({ created: MADE_BEFORE });
    const told = `went back to an older image, but should not move; ${fate}: the source had .* and now has `;
    for (const [name, begin] of [
      [':v1.2.3', /^tag {10}/],
      ['', /^v1\.2\.3 /],
    ] as const) {
      const { lines, json } = await check(world, name, mode);
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`${begin.source}${told}`)));
      expect(json).toContain('"moved":{"kind":"moved"');
    }
    expect((await check(world, ':v1.2.3', 'copy')).json).not.toContain('"moved"');
  });

  test('asks no more than before of tags that did not move', async () => {
    await using world = await World.open();
    world.offer('v1.2.3', 'first');
    await world.run();
    const requests = async (mode: 'warn' | 'copy') => {
      world.source.journal.clear();
      world.destination.journal.clear();
      await check(world, '', mode);
      return [world.source, world.destination].map(({ journal }) => journal.entries.length);
    };
    expect(await requests('warn')).toEqual(await requests('copy'));
  });
});

test('a rule for a tag that is not there is told, as nothing is kept by it', async () => {
  await using world = await World.open();
  world.offer('v1.2.3', 'first');
  const { host } = world.source;
  world.route.wants({
    names: ['app'],
    movedTags: { [`${host}/ap:v1.2.3`]: 'keep', [`${host}/app:v1.2.3`]: 'keep', 'quay.io/other': 'keep' },
  });
  const { report } = await world.run();
  expect(report.warnings).toMatchObject([
    {
      message: `"${host}/ap:v1.2.3" under "movedTags" matches no wanted image; did you mean "${host}/app:v1.2.3"?`,
      place: { line: 1 },
    },
  ]);
});
