import { describe, expect, test } from 'vitest';
import type { FoundImage } from '../../src/config/images/found-images.ts';
import { parseGivenImage } from '../../src/config/images/given-image.ts';
import { parseHost, parseReference } from '../../src/registry/oci/reference.ts';
import { checkImage } from '../../src/sync/check/image-check.ts';
import type { SyncSettings } from '../../src/sync/settings.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { outcomes, type RunChoices, SyncRoute } from '../support/sync-run.ts';

const NOWHERE = `sha256:${'0'.repeat(64)}`;

/** A source, another registry beside it, a destination, and runs between them. */
class World implements AsyncDisposable {
  readonly source: TestRegistry;
  readonly hub: TestRegistry;
  readonly destination: TestRegistry;
  readonly route: SyncRoute;

  constructor(source: TestRegistry, hub: TestRegistry, destination: TestRegistry) {
    this.source = source;
    this.hub = hub;
    this.destination = destination;
    this.route = new SyncRoute({ source, destination, set: { names: ['pause', 'etcd'] } });
  }

  static async open(quirks: Quirks = {}): Promise<World> {
    const [source, hub, destination] = await Promise.all([
      startRegistry({ listing: { style: 'google' }, access: PUBLIC_TOKENS }),
      startRegistry({ access: PUBLIC_TOKENS }),
      startRegistry({ access: TOKENS, quirks }),
    ]);
    seedImage(source.storage, 'pause', { tags: ['3.9.1', '3.10.2'] });
    seedImage(source.storage, 'etcd', { tags: ['3.6.1'] });
    return new World(source, hub, destination);
  }

  /** Mirrors images. `{hub}` stands for the other registry. */
  async mirror(texts: readonly string[], choices: RunChoices & { readonly withRules?: boolean } = {}) {
    const { withRules = false, ...settings } = choices;
    const images = texts.map((text): FoundImage => {
      return { reference: parseGivenImage(text.replace('{hub}', this.hub.host)), places: [] };
    });
    return await this.run({ given: { images, files: [], withRules }, ...settings });
  }

  async run(choices: RunChoices = {}) {
    for (const registry of [this.source, this.hub, this.destination]) registry.journal.clear();
    const { report, lines } = await this.route.run({ verify: 'none', ...choices });
    return { report, lines, outcomes: outcomes(report) };
  }

  /** Returns what a tag has at the destination. */
  at(repository: string, tag: string): string | undefined {
    return this.destination.storage.repositories.get(`keel/${repository}`)?.tags.get(tag);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.source, this.hub, this.destination].map((registry) => registry.close()));
  }
}

const elsewhere: Partial<SyncSettings> = {
  imageSet: '/nowhere/image_set.json',
  source: parseHost('registry.invalid'),
};

describe('images that are given', () => {
  test('are mirrored and nothing else, without an image set and without the source if nothing is from there', async () => {
    await using world = await World.open();
    const { digest } = seedIndex(world.hub.storage, 'library/nginx', { tags: ['1.27', 'latest', '1.26'] });
    const first = await world.mirror(['{hub}/library/nginx:1.27', '{hub}/library/nginx'], elsewhere);
    expect(first.outcomes).toEqual({ 'nginx:1.27': 'copied', 'nginx:latest': 'copied' });
    expect(first.lines.filter((line) => line.startsWith('warning') || line.startsWith('error'))).toEqual([]);
    expect(world.at('nginx', '1.27')).toBe(digest);
  });

  test('of registry.k8s.io come from the source, under the names that a set gives them', async () => {
    await using world = await World.open();
    const { outcomes: ends, report } = await world.mirror([
      'registry.k8s.io/pause:3.10.2',
      'k8s.gcr.io/etcd:3.6.1',
      `${world.source.host}/pause:3.9.1`,
    ]);
    expect(ends).toEqual({ 'etcd:3.6.1': 'copied', 'pause:3.10.2': 'copied', 'pause:3.9.1': 'copied' });
    expect(report.images.map(({ source }) => source)).toContain(`${world.source.host}/pause:3.10.2`);
  });

  test('that would have one name at the destination are told, and none takes the place of the other', async () => {
    await using world = await World.open();
    seedImage(world.hub.storage, 'one/app', { seed: 'one', tags: ['1.0'] });
    seedImage(world.hub.storage, 'two/app', { seed: 'two', tags: ['1.0'] });
    const { outcomes: ends, lines } = await world.mirror(['{hub}/one/app:1.0', '{hub}/two/app:1.0']);
    expect(ends).toEqual({ 'app:1.0': 'collision' });
    expect(lines.join('\n')).toContain(
      `claimed by ${world.hub.host}/one/app:1.0 and ${world.hub.host}/two/app:1.0; left unchanged ` +
        '(give one of them another name in an image set that you add with --image-set: "patches": [',
    );
    const paths = await world.mirror(['{hub}/one/app:1.0', '{hub}/two/app:1.0'], { naming: 'path' });
    expect(paths.outcomes).toEqual({ 'one/app:1.0': 'copied', 'two/app:1.0': 'copied' });
  });

  test('that do not exist fail by their names, and the others are mirrored', async () => {
    await using world = await World.open();
    seedImage(world.hub.storage, 'app', { tags: ['1.0'] });
    const { outcomes: ends, lines } = await world.mirror(['{hub}/app:1.0', '{hub}/app:2.0', '{hub}/nosuch']);
    expect(ends).toEqual({ 'app:1.0': 'copied', 'app:2.0': 'failed', 'nosuch:latest': 'failed' });
    expect(lines.join('\n')).toContain(`error: ${world.hub.host}/app:2.0: it does not exist at the source`);
  });

  test('have the patches of an image set that is named too, and its own wishes are left out', async () => {
    await using world = await World.open();
    const { digest: whole } = seedIndex(world.hub.storage, 'app', { tags: ['1.0'] });
    world.route.wants({
      names: ['etcd'],
      patches: [
        { match: `${world.hub.host}/app`, name: 'renamed', platforms: ['linux/arm64'] },
        { match: 'coredns/coredns', name: 'dns' },
      ],
    });
    const { outcomes: ends, lines } = await world.mirror(['{hub}/app:1.0'], { withRules: true });
    expect(ends).toEqual({ 'renamed:1.0': 'copied' });
    expect(world.at('renamed', '1.0')).not.toBe(whole);
    expect(lines.join('\n')).not.toContain('coredns');
    const plain = await world.mirror(['{hub}/app:1.0']);
    expect(plain.outcomes).toEqual({ 'app:1.0': 'copied' });
    expect(world.at('app', '1.0')).toBe(whole);
  });

  test('leave what the state knows of the image set, whose vanished names are still told the night after', async () => {
    await using world = await World.open();
    await world.run();
    world.source.storage.repositories.delete('etcd');
    const given = await world.mirror(['registry.k8s.io/pause:3.10.2']);
    expect(given.report.unmatched).toEqual([]);
    expect(given.lines.join('\n')).not.toContain('etcd');
    const after = await world.run();
    expect(after.report.unmatched).toMatchObject([{ pattern: 'etcd', matchedBefore: true }]);
    expect(after.outcomes).toEqual({ 'pause:3.10.2': 'skipped', 'pause:3.9.1': 'skipped' });
  });
});

describe('an image that is given with tag and digest', () => {
  test('is mirrored with this digest, in whole, though its tag moved, and a second run asks for nothing', async () => {
    await using world = await World.open();
    const { digest } = seedIndex(world.hub.storage, 'app', { seed: 'before', tags: ['latest'] });
    seedIndex(world.hub.storage, 'app', { seed: 'now', tags: ['latest'] });
    const name = `{hub}/app:latest@${digest}`;
    const dry = await world.mirror([name], { dryRun: true });
    expect(dry.outcomes).toEqual({ 'app:latest': 'copied' });
    expect(dry.lines.join('\n')).toContain(`app:latest@${digest.slice(0, 19)}…`);
    const { report } = await world.mirror([name], { platforms: [{ os: 'linux', architecture: 'amd64' }] });
    expect(report.images).toMatchObject([
      { source: `${world.hub.host}/app:latest@${digest}`, outcome: 'copied', digest },
    ]);
    expect(world.at('app', 'latest')).toBe(digest);
    const again = await world.mirror([name]);
    expect(again.report.images).toMatchObject([{ outcome: 'skipped', digest }]);
    expect(world.hub.journal.entries.filter(({ path }) => path.includes('/manifests/'))).toEqual([]);
  });

  test('takes the place of another digest under its tag, and gives it back to a run without a digest', async () => {
    await using world = await World.open();
    const { digest } = seedImage(world.hub.storage, 'app', { seed: 'before', tags: ['1.0.0'] });
    const { digest: now } = seedImage(world.hub.storage, 'app', { seed: 'now', tags: ['1.0.0'] });
    await world.mirror(['{hub}/app:1.0.0']);
    expect(world.at('app', '1.0.0')).toBe(now);
    const pinned = await world.mirror([`{hub}/app:1.0.0@${digest}`], { movedTags: 'keep' });
    expect(pinned.outcomes).toEqual({ 'app:1.0.0': 'copied' });
    expect(pinned.lines.filter((line) => line.startsWith('warning'))).toEqual([]);
    expect(world.at('app', '1.0.0')).toBe(digest);
    const back = await world.mirror(['{hub}/app:1.0.0']);
    expect(back.outcomes).toEqual({ 'app:1.0.0': 'copied' });
    expect(world.at('app', '1.0.0')).toBe(now);
  });

  test('fails with what the tag has if the source has no such digest', async () => {
    await using world = await World.open();
    const { digest } = seedImage(world.hub.storage, 'app', { tags: ['1.0'] });
    const { outcomes: ends, lines } = await world.mirror([`{hub}/app:1.0@${NOWHERE}`]);
    expect(ends).toEqual({ 'app:1.0': 'failed' });
    expect(lines).toContain(
      `error: ${world.hub.host}/app:1.0@${NOWHERE}: the source has no image with this digest; ` +
        `the tag 1.0 has ${digest.slice(0, 19)}… now (check the digest, or leave it out to mirror the image that the tag has)`,
    );
  });

  test('is not converted for a destination that refuses its format', async () => {
    await using world = await World.open({ refuseOciIndex: true });
    const { digest } = seedIndex(world.hub.storage, 'app', { tags: ['1.0'] });
    seedIndex(world.hub.storage, 'other', { tags: ['1.0'] });
    const { outcomes: ends, lines } = await world.mirror([`{hub}/app:1.0@${digest}`, '{hub}/other:1.0']);
    expect(ends).toEqual({ 'app:1.0': 'failed', 'other:1.0': 'copied' });
    expect(lines.join('\n')).toContain('would not have the digest that was given (leave the digest out');
    const without = await world.mirror(['{hub}/app:1.0']);
    expect(without.outcomes).toEqual({ 'app:1.0': 'copied' });
    const pinned = await world.mirror([`{hub}/app:1.0@${digest}`]);
    expect(pinned.outcomes, 'what was converted does not pass for it').toEqual({ 'app:1.0': 'failed' });
  });
});

test('an extra with a digest is mirrored with it, and check compares the destination with it and not with the tag', async () => {
  await using world = await World.open();
  const { digest } = seedIndex(world.hub.storage, 'app', { seed: 'before', tags: ['1.0.0'] });
  const name = `${world.hub.host}/app`;
  world.route.wants({ extras: [`${name}:1.0.0@${digest}`, `${name}@${digest}`] });
  const made = `digest-${digest.slice(7, 19)}`;
  expect((await world.run()).outcomes).toEqual({ 'app:1.0.0': 'copied', [`app:${made}`]: 'copied' });
  seedIndex(world.hub.storage, 'app', { seed: 'now', tags: ['1.0.0'] });
  expect((await world.run()).outcomes).toEqual({ 'app:1.0.0': 'skipped', [`app:${made}`]: 'skipped' });
  const check = async (image: string, platforms: SyncSettings['platforms'] = []) => {
    const settings = world.route.settings({ platforms });
    const { tags } = await checkImage(parseReference(image), settings, world.route.parts());
    return tags.map(({ tag, verdict, recorded }) => [tag, verdict, recorded?.pushedDigest]);
  };
  const amd64 = [{ os: 'linux', architecture: 'amd64' }];
  expect(await check(`${name}:1.0.0`, amd64)).toEqual([['1.0.0', 'mirrored', digest]]);
  expect(await check(`${name}:1.0.0@${digest}`)).toEqual([['1.0.0', 'mirrored', digest]]);
  expect(await check(`${name}@${digest}`)).toEqual([[digest, 'mirrored', digest]]);
  expect(await check(`${name}:1.0.0@${NOWHERE}`)).toEqual([['1.0.0', 'not-at-source', digest]]);
  expect(await check(name)).toEqual([['1.0.0', 'mirrored', digest]]);
});

test('a tag of signatures that is given is mirrored like any other', async () => {
  await using world = await World.open();
  const tag = `sha256-${'a'.repeat(64)}.sig`;
  seedImage(world.hub.storage, 'app', { tags: [tag] });
  expect((await world.mirror([`{hub}/app:${tag}`])).outcomes).toEqual({ [`app:${tag}`]: 'copied' });
});

describe('an image that is given by its digest alone', () => {
  test('gets a tag that keeps it from garbage collection, and can be pulled by its digest', async () => {
    await using world = await World.open();
    const { digest } = seedIndex(world.hub.storage, 'app', { tags: ['1.0'] });
    const tag = `digest-${digest.slice(7, 19)}`;
    const { report, outcomes: ends } = await world.mirror([`{hub}/app@${digest}`]);
    expect(ends).toEqual({ [`app:${tag}`]: 'copied' });
    expect(report.images).toMatchObject([{ source: `${world.hub.host}/app@${digest}` }]);
    expect(world.destination.storage.repositories.get('keel/app')?.manifests.has(digest)).toBe(true);
    expect((await world.mirror([`{hub}/app@${digest}`])).outcomes).toEqual({ [`app:${tag}`]: 'skipped' });
  });

  test('fails if the source has no such digest', async () => {
    await using world = await World.open();
    seedImage(world.hub.storage, 'app', { tags: ['1.0'] });
    const { lines } = await world.mirror([`{hub}/app@${NOWHERE}`]);
    expect(lines).toContain(
      `error: ${world.hub.host}/app@${NOWHERE}: the source has no image with this digest (check the digest and the repository)`,
    );
  });
});
