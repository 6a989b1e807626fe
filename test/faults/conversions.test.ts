import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parseReference } from '../../src/registry/oci/reference.ts';
import { checkImage } from '../../src/sync/check/image-check.ts';
import { describeWith } from '../support/programs.ts';
import type { FaultRule } from '../support/registry/faults.ts';
import { type Quirks, VENDOR_QUIRKS } from '../support/registry/quirks.ts';
import { seedIndex } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { copyToFolder, inspectArchitecture, inspectManifest } from '../support/skopeo.ts';
import { outcomes, SyncRoute } from '../support/sync-run.ts';
import { seedArtifact, seedAttested, seedZstdIndex } from './attested-image.ts';
import { all, conversions, IN_DOCKER, parseStored, SET, WANTED, WRITES, world } from './vendor-world.ts';
import { brokenTags } from './wholeness.ts';

/** Answers a push as a registry does that refuses it in its own words. */
function refusing(mediaType: string, status: number, code: string, message: string) {
  return {
    match: {
      kind: 'manifest-put',
      when: ({ headers }) => headers['content-type'] === mediaType,
    },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status, body: JSON.stringify({ errors: [{ code, message }] }) },
  } as const satisfies FaultRule;
}

it('converts single images as well where no OCI manifest is taken at all', async () => {
  await using here = await world({});
  const { destination, route, storage } = here;
  destination.fail(refusing(MEDIA_TYPE.ociIndex, 415, 'UNSUPPORTED', 'media type'));
  destination.fail(refusing(MEDIA_TYPE.ociManifest, 415, 'UNSUPPORTED', 'media type'));
  const { report, lines } = await route.run();
  expect(outcomes(report)).toEqual(all('copied'));
  expect(conversions(report)).toEqual({ ...IN_DOCKER, 'kube-proxy:v1.36.2': 'docker-format' });
  expect(lines.filter((line) => line.startsWith('warning: '))).toHaveLength(1);
  expect(brokenTags(destination.storage)).toEqual([]);
  for (const { manifests, tags } of destination.storage.repositories.values()) {
    for (const digest of tags.values()) expect(manifests.get(digest)?.mediaType).toMatch(/docker/);
  }
  // The image runs as before: its configuration and layers are the same bytes under Docker's names.
  const original = parseStored(storage, 'kube-proxy', 'v1.36.2');
  const pushed = parseStored(destination.storage, 'keel/kube-proxy', 'v1.36.2');
  expect(pushed.config.mediaType).toBe('application/vnd.docker.container.image.v1+json');
  expect(pushed.config.digest).toBe(original.config.digest);
  expect(pushed.layers.map(({ digest }) => digest)).toEqual(original.layers.map(({ digest }) => digest));
  expect(new Set(pushed.layers.map(({ mediaType }) => mediaType))).toEqual(
    new Set(['application/vnd.docker.image.rootfs.diff.tar.gzip']),
  );
  destination.journal.clear();
  await route.run({ verify: 'all' });
  expect(destination.journal.filter({ kind: WRITES })).toEqual([]);
});

it('keeps what can run when attestations are refused, and tries them only until that is known', async () => {
  await using here = await world({ quirks: VENDOR_QUIRKS.aliyun });
  const { destination, attested, route, storage } = here;
  // So many that the last ones begin when the first have ended.
  const many = Array.from({ length: 100 }, (_, patch) => `v1.0.${patch}`);
  for (const tag of many) seedAttested(storage, 'coredns/coredns', { seed: tag, tags: [tag], layers: [10] });
  const { report } = await route.run();
  expect(report.totals).toMatchObject({ copied: WANTED.length + many.length, failed: 0 });
  expect(Object.keys(conversions(report))).toHaveLength(1 + many.length);
  expect(brokenTags(destination.storage)).toEqual([]);
  const index = destination.storage.manifest('keel/coredns', 'v1.14.2');
  const listed: { manifests: { digest: string }[] } = JSON.parse(index?.bytes.toString('utf8') ?? '{}');
  expect(listed.manifests.map(({ digest }) => digest)).toEqual(attested.images.map(({ digest }) => digest));
  const refused = destination.journal.count({ kind: 'manifest-put', when: ({ status }) => status === 400 });
  expect(refused).toBeGreaterThan(0);
  expect(refused).toBeLessThan(2 * many.length);
});

describeWith(['skopeo'], 'what was converted', () => {
  it.each([
    ['Aliyun ACR', VENDOR_QUIRKS.aliyun, 'coredns:v1.14.2'],
    ['Huawei SWR', VENDOR_QUIRKS.huawei, 'coredns:v1.14.2'],
    ['Huawei SWR', VENDOR_QUIRKS.huawei, 'kube-scheduler:v1.36.2'],
  ] satisfies [string, Quirks, string][])(
    'for %s is whole in the eyes of skopeo',
    async (_, quirks, name) => {
      await using here = await world({ quirks });
      await here.route.run();
      const { host, login } = here.destination;
      const reference = `${host}/keel/${name}`;
      expect((await inspectManifest({ reference, login })).digest).toBe(here.digests.of(name));
      for (const architecture of ['amd64', 'arm64']) {
        expect(await inspectArchitecture({ reference, login }, architecture)).toBe(architecture);
      }
      await copyToFolder({ reference, login }, join(scratchFolder(), 'copy'));
    },
  );
});

it('drops attestations from the chosen platforms alone, and knows it again', async () => {
  await using here = await world({ quirks: VENDOR_QUIRKS.aliyun });
  const { destination, route, attested } = here;
  const choice = { platforms: [{ os: 'linux', architecture: 'arm64' }], verify: 'all' } as const;
  const { report } = await route.run(choice);
  expect(conversions(report)).toEqual({ 'coredns:v1.14.2': 'without-attestations' });
  const index = destination.storage.manifest('keel/coredns', 'v1.14.2');
  const listed: { manifests: { digest: string }[] } = JSON.parse(index?.bytes.toString('utf8') ?? '{}');
  expect(listed.manifests.map(({ digest }) => digest)).toEqual([attested.images[1]?.digest]);
  destination.journal.clear();
  expect(outcomes((await route.run(choice)).report)).toMatchObject({ 'coredns:v1.14.2': 'checked' });
  expect(destination.journal.filter({ kind: WRITES })).toEqual([]);
  // Other settings make another image.
  expect(outcomes((await route.run()).report)).toMatchObject({ 'coredns:v1.14.2': 'copied' });
  expect(brokenTags(destination.storage)).toEqual([]);
});

it('goes back to the original when the destination takes it, as soon as the image changes', async () => {
  await using here = await world({ quirks: VENDOR_QUIRKS.huawei });
  const { destination, route, storage, digests } = here;
  await route.run();
  destination.quirks = {};
  const unchanged = await route.run({ verify: 'all' });
  expect(outcomes(unchanged.report)).toEqual(all('checked'));
  seedIndex(storage, 'kube-scheduler', { seed: 'changed', tags: ['v1.36.2'] });
  const { report } = await route.run();
  expect(conversions(report)).toEqual({ 'coredns:v1.14.2': 'docker-format' });
  expect(digests.of('kube-scheduler:v1.36.2')).toBe(digests.atSource('kube-scheduler', 'v1.36.2'));
});

describe('a registry that takes OCI only (zot as it comes)', () => {
  const IN_OCI = { 'pause:3.10': 'oci-format' };

  it("gets Docker's images in the other direction, with the same layers, and once", async () => {
    await using here = await world({ quirks: VENDOR_QUIRKS.zot });
    const { destination, route, storage, digests } = here;
    const { report, lines } = await route.run();
    expect(outcomes(report)).toEqual(all('copied'));
    expect(conversions(report)).toEqual(IN_OCI);
    expect(lines.filter((line) => line.startsWith('warning: '))).toEqual([
      `warning: ${destination.host} refuses Docker's images, so they are pushed in the OCI format, with the same layers; ` +
        "their digests at the destination differ from the source's, and signatures no longer match",
    ]);
    expect(brokenTags(destination.storage)).toEqual([]);
    expect(digests.of('coredns:v1.14.2')).toBe(digests.atSource('coredns/coredns', 'v1.14.2'));
    expect(destination.storage.manifest('keel/pause', '3.10')?.mediaType).toBe(MEDIA_TYPE.ociIndex);
    const blobs = (held: typeof storage, repository: string) =>
      [...(held.repositories.get(repository)?.blobs ?? [])].toSorted();
    expect(blobs(destination.storage, 'keel/pause')).toEqual(blobs(storage, 'pause'));
    for (const choice of [{}, { verify: 'all' }] as const) {
      destination.journal.clear();
      const again = await route.run(choice);
      expect(conversions(again.report)).toEqual(IN_OCI);
      expect(destination.journal.filter({ kind: WRITES })).toEqual([]);
    }
    const image = parseReference(`${here.source.host}/pause:3.10`);
    const { tags } = await checkImage(image, route.settings(), route.parts());
    expect(tags).toMatchObject([
      { verdict: 'mirrored', message: expect.stringContaining('in the OCI format') },
    ]);
  });

  it('has what was converted found again when the state is lost', async () => {
    await using here = await world({ quirks: VENDOR_QUIRKS.zot });
    const { source, destination } = here;
    await here.route.run();
    const before = here.digests.of('pause:3.10');
    const { report } = await new SyncRoute({ source, destination, set: SET }).run();
    expect(outcomes(report)).toEqual(all('checked'));
    expect(conversions(report)).toEqual(IN_OCI);
    expect(here.digests.of('pause:3.10')).toBe(before);
  });

  it('that refuses an image in either format is told by its own words, after each was tried', async () => {
    await using here = await world({ quirks: VENDOR_QUIRKS.zot });
    const { destination, route } = here;
    destination.fail(refusing(MEDIA_TYPE.ociManifest, 400, 'MANIFEST_INVALID', 'no such thing here'));
    destination.fail(refusing(MEDIA_TYPE.ociIndex, 400, 'MANIFEST_INVALID', 'no such thing here'));
    const { report } = await route.run();
    expect(outcomes(report)).toEqual(all('failed'));
    const puts = destination.journal.filter({ kind: 'manifest-put', path: /keel\/kube-proxy/ });
    expect(puts.map(({ headers }) => headers['content-type'])).toEqual([
      MEDIA_TYPE.ociManifest,
      MEDIA_TYPE.dockerManifest,
    ]);
    const failed = report.images.find(({ destination: name }) => name.endsWith('kube-proxy:v1.36.2'));
    expect(failed?.reason).toMatchObject({
      code: 'MANIFEST_REFUSED',
      message: expect.stringContaining('no such thing here'),
    });
  });
});

it('a refusal without a reason is not believed to be about the format of other images', async () => {
  await using here = await world({});
  const { destination, route } = here;
  destination.fail({
    ...refusing(MEDIA_TYPE.ociManifest, 400, 'MANIFEST_INVALID', 'manifest invalid'),
    match: {
      kind: 'manifest-put',
      path: /keel\/kube-proxy\//,
      when: ({ headers }) => headers['content-type'] === MEDIA_TYPE.ociManifest,
    },
  });
  const { report } = await route.run();
  expect(conversions(report)).toEqual({ 'kube-proxy:v1.36.2': 'docker-format' });
});

it('finds again what it converted when the state is lost', async () => {
  await using here = await world({ quirks: VENDOR_QUIRKS.huawei });
  const { source, destination } = here;
  await here.route.run();
  const tags = () =>
    [...destination.storage.repositories].map(([name, stored]) => [name, [...stored.tags]] as const);
  const before = tags();
  const { report } = await new SyncRoute({ source, destination, set: SET }).run();
  expect(outcomes(report)).toEqual(all('checked'));
  expect(conversions(report)).toEqual(IN_DOCKER);
  expect(tags()).toEqual(before);
});

it('says clearly that layers compressed with zstd cannot be converted, and copies the rest', async () => {
  await using here = await world({ quirks: VENDOR_QUIRKS.huawei });
  const { storage, destination, route } = here;
  const image = storage.manifest('kube-scheduler', 'v1.36.2');
  const zstd = seedZstdIndex(storage, 'kube-scheduler', 'v1.37.0');
  expect(zstd).not.toBe(image?.digest);
  const { report, lines } = await route.run();
  expect(outcomes(report)).toEqual({ ...all('copied'), 'kube-scheduler:v1.37.0': 'failed' });
  const failed = report.images.find(({ outcome }) => outcome === 'failed');
  expect(failed?.reason).toMatchObject({ code: 'FORMAT_UNCONVERTIBLE' });
  expect(lines.filter((line) => line.startsWith('error: ')).join()).toMatch(/zstd.*exclude/);
  expect(brokenTags(destination.storage)).toEqual([]);
});

it("tells the registry's own words about an artifact that has no other form", async () => {
  await using here = await world({ quirks: VENDOR_QUIRKS.aliyun });
  seedArtifact(here.storage, 'kube-proxy', 'a chart', ['v9.0.0']);
  const { report } = await here.route.run();
  expect(outcomes(report)).toEqual({
    ...all('copied'),
    'kube-proxy:v9.0.0': 'failed',
  });
  expect(report.images.find(({ outcome }) => outcome === 'failed')?.reason).toMatchObject({
    code: 'FORMAT_REFUSED',
    message: expect.stringContaining('unknown manifest class for application/vnd.oci.empty.v1+json'),
  });
});

it.each([
  ['Aliyun ACR', VENDOR_QUIRKS.aliyun, 'coredns/coredns:v1.14.2', 'without attestations'],
  ['Huawei SWR', VENDOR_QUIRKS.huawei, 'kube-scheduler:v1.36.2', "in Docker's format"],
] satisfies [string, Quirks, string, string][])(
  'is told by synctl check as what it is (%s)',
  async (_, quirks, name, words) => {
    await using here = await world({ quirks });
    await here.route.run();
    const { source, destination } = here;
    // The source tells what it becomes, so no state is needed, and none believed.
    for (const route of [here.route, new SyncRoute({ source, destination, set: SET })]) {
      const image = parseReference(`${source.host}/${name}`);
      const { tags } = await checkImage(image, route.settings(), route.parts());
      expect(tags).toMatchObject([{ verdict: 'mirrored', message: expect.stringContaining(words) }]);
      const all = await checkImage({ ...image, tag: undefined }, route.settings(), route.parts());
      expect(all.tags.find(({ tag }) => tag === image.tag)).toMatchObject({
        verdict: 'mirrored',
        message: expect.stringContaining(words),
      });
    }
  },
);
