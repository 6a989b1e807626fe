import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MEDIA_TYPE } from '../../src/registry/media-type.ts';
import type { Report } from '../../src/sync/report.ts';
import { describeWith } from '../support/programs.ts';
import type { FaultRule } from '../support/registry/faults.ts';
import { type Quirks, VENDOR_QUIRKS } from '../support/registry/quirks.ts';
import { type RegistryOptions, startRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { Storage } from '../support/registry/storage.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { copyToFolder, inspectArchitecture, inspectManifest } from '../support/skopeo.ts';
import { outcomes, SyncRoute } from '../support/sync-run.ts';
import { seedArtifact, seedAttested, seedZstdIndex } from './attested-image.ts';
import { brokenTags } from './wholeness.ts';

const SET = { names: ['pause', 'coredns/coredns', 'kube-proxy', 'kube-scheduler'] };
const WANTED = ['coredns:v1.14.2', 'kube-proxy:v1.36.2', 'kube-scheduler:v1.36.2', 'pause:3.10'];
const all = (outcome: string) => Object.fromEntries(WANTED.map((name) => [name, outcome]));
const WRITES: readonly RequestKind[] = [
  'manifest-put',
  'mount',
  'upload-start',
  'upload-put',
  'upload-patch',
  'upload-delete',
];

/** A source that lists digests, as registry.k8s.io does, with every kind of image that it has. */
async function world(options: RegistryOptions) {
  const stack = new AsyncDisposableStack();
  const storage = new Storage();
  const shared = { layers: [3000, 1000], layerSeeds: ['base'] };
  seedIndex(storage, 'pause', { tags: ['3.10'], family: 'docker' });
  const attested = seedAttested(storage, 'coredns/coredns', { seed: 'c', tags: ['v1.14.2'], ...shared });
  seedImage(storage, 'kube-proxy', { seed: 'p', tags: ['v1.36.2'], ...shared });
  seedIndex(storage, 'kube-scheduler', { seed: 's', tags: ['v1.36.2'], ...shared });
  const source = stack.use(await startRegistry({ frontDoor: true, storage }));
  const destination = stack.use(await startRegistry(options));
  const route = new SyncRoute({ source, destination, set: SET });
  const digests = {
    of: (name: string) => {
      const [repository = '', tag = ''] = name.split(':');
      return destination.storage.manifest(`keel/${repository}`, tag)?.digest;
    },
    atSource: (repository: string, tag: string) => storage.manifest(repository, tag)?.digest,
  };
  return {
    storage,
    source,
    destination,
    route,
    attested,
    digests,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

interface StoredBody {
  readonly config: { readonly digest: string; readonly mediaType: string };
  readonly layers: readonly { readonly digest: string; readonly mediaType: string }[];
}

function parseStored(storage: Storage, repository: string, tag: string): StoredBody {
  return JSON.parse(storage.manifest(repository, tag)?.bytes.toString('utf8') ?? '{}');
}

function conversions({ images }: Report): Record<string, string> {
  return Object.fromEntries(
    images.flatMap(({ destination, conversion }) =>
      conversion === undefined ? [] : [[destination.replace(/^[^/]+\/keel\//, ''), conversion]],
    ),
  );
}

const IN_DOCKER = { 'coredns:v1.14.2': 'docker-format', 'kube-scheduler:v1.36.2': 'docker-format' };
const ROWS: readonly [name: string, quirks: Quirks, converted: Record<string, string>][] = [
  ['Aliyun ACR', VENDOR_QUIRKS.aliyun, { 'coredns:v1.14.2': 'without-attestations' }],
  ['Huawei SWR', VENDOR_QUIRKS.huawei, IN_DOCKER],
  ['Harbor', VENDOR_QUIRKS.harbor, {}],
  ['Amazon ECR', { ...VENDOR_QUIRKS.ecr, repositoriesMustExist: false }, {}],
  ['Quay', VENDOR_QUIRKS.quay, {}],
  ['Docker Hub', { uploadLocation: 'absolute', pathDepth: 2, mountOpensUpload: true }, {}],
  ['Artifactory', VENDOR_QUIRKS.artifactory, {}],
  ['Nexus', VENDOR_QUIRKS.nexus, {}],
  ['distribution 2.8', VENDOR_QUIRKS.distribution2, {}],
  ['a registry that mounts nothing', { refuseMount: 405 }, {}],
  ['a registry that mounts from elsewhere only', { selfMountOpensUpload: true }, {}],
  ['a registry that tells no digests', { noDigestOnHead: true }, {}],
  ['a registry that refuses its tag lists', { refuseTagsList: 403 }, {}],
  ['a registry that hides its tag lists', { refuseTagsList: 404 }, {}],
  ['a registry that says 401 for what is absent', { absentManifest: 401 }, {}],
];

it.each(ROWS)(
  '%s holds all after the first run and is left alone by the second',
  async (_, quirks, converted) => {
    await using here = await world({ quirks });
    const { destination, route, digests } = here;
    const { report, lines } = await route.run();
    expect(outcomes(report)).toEqual(all('copied'));
    expect(brokenTags(destination.storage)).toEqual([]);
    expect(conversions(report)).toEqual(converted);
    const kinds = new Set(Object.values(converted));
    expect(lines.filter((line) => line.startsWith('warning: '))).toHaveLength(kinds.size);
    for (const { destination: name, digest, source } of report.images) {
      const short = name.replace(/^[^/]+\/keel\//, '');
      expect(digests.of(short)).toBe(digest);
      const [repository = '', tag = ''] = source.replace(/^[^/]+\//, '').split(':');
      if (!(short in converted)) expect(digest).toBe(digests.atSource(repository, tag));
      else expect(digest).not.toBe(digests.atSource(repository, tag));
    }
    destination.journal.clear();
    here.source.journal.clear();
    const again = await route.run({ verify: 'none' });
    expect(again.report.totals).toMatchObject({ copied: 0, failed: 0, skipped: WANTED.length });
    expect(conversions(again.report)).toEqual(converted);
    expect(again.lines).toEqual([]);
    expect(destination.journal.filter({ kind: WRITES })).toEqual([]);
    expect(here.source.journal.count({ kind: ['manifest-get', 'blob-get', 'storage-get'] })).toBe(0);
    // Also when each tag is asked for by name.
    const verified = await route.run({ verify: 'all' });
    expect(outcomes(verified.report)).toEqual(all('checked'));
    expect(destination.journal.filter({ kind: WRITES })).toEqual([]);
  },
);

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
      const reference = `${here.destination.host}/keel/${name}`;
      expect((await inspectManifest({ reference })).digest).toBe(here.digests.of(name));
      for (const architecture of ['amd64', 'arm64']) {
        expect(await inspectArchitecture({ reference }, architecture)).toBe(architecture);
      }
      await copyToFolder({ reference }, join(scratchFolder(), 'copy'));
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

it.each<[string, 400 | 409 | 412]>([
  ['ECR', 400],
  ['an artifact store', 409],
  ['Harbor', 412],
])('leaves an immutable tag that holds something else, says so, and goes on (%s)', async (_, status) => {
  await using here = await world({ quirks: { immutableTags: status } });
  const { destination, storage, route } = here;
  await route.run();
  const before = destination.storage.manifest('keel/kube-proxy', 'v1.36.2')?.digest;
  seedImage(storage, 'kube-proxy', { seed: 'changed', tags: ['v1.36.2'] });
  const { report } = await route.run();
  expect(outcomes(report)).toMatchObject({
    'kube-proxy:v1.36.2': 'failed',
    'kube-scheduler:v1.36.2': 'skipped',
  });
  expect(destination.storage.manifest('keel/kube-proxy', 'v1.36.2')?.digest).toBe(before);
  expect(report.images.find(({ outcome }) => outcome === 'failed')?.reason).toMatchObject({
    code: 'TAG_IMMUTABLE',
    message: expect.stringMatching(
      /cannot be changed there; it holds sha256:\w{12}…, and the source has sha256:\w{12}…/,
    ),
    hint: expect.stringContaining('image set'),
  });
});

it.each([
  [400, 'ImageTagAlreadyExistsException', 'The image tag already exists and cannot be overwritten'],
  [412, 'PRECONDITION', "Failed to process request due to 'kube-proxy:v1.36.2' configured as immutable."],
  [403, 'DENIED', 'the tag is immutable'],
])(
  'counts an immutable tag that holds the image already as unchanged (%d %s)',
  async (status, code, message) => {
    // Two runs at the same time, or a listing that lags behind.
    await using here = await world({ quirks: { refuseTagsList: 404 } });
    const { destination, storage, route } = here;
    const stored = storage.manifest('kube-proxy', 'v1.36.2');
    destination.fail({
      match: { kind: 'manifest-put', path: /kube-proxy\/manifests\/v1\.36\.2$/ },
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status, body: JSON.stringify({ errors: [{ code, message }] }) },
    });
    seedImage(destination.storage, 'keel/kube-proxy', {
      seed: 'p',
      tags: ['v1.36.2'],
      layers: [3000, 1000],
      layerSeeds: ['base'],
    });
    expect(destination.storage.manifest('keel/kube-proxy', 'v1.36.2')?.digest).toBe(stored?.digest);
    const { report } = await route.run();
    expect(outcomes(report)).toEqual({ ...all('copied'), 'kube-proxy:v1.36.2': 'checked' });
  },
);

it('says what to create where repositories do not come into being by themselves (ECR)', async () => {
  await using here = await world({ quirks: VENDOR_QUIRKS.ecr });
  const { destination, route } = here;
  destination.storage.repository('keel/pause');
  const { report } = await route.run();
  expect(outcomes(report)).toEqual({ ...all('failed'), 'pause:3.10': 'copied' });
  const failed = report.images.find(({ outcome }) => outcome === 'failed');
  expect(failed?.reason).toMatchObject({
    code: 'NOT_FOUND',
    hint: expect.stringContaining('create the repository'),
  });
});

it('says which names a registry of two levels takes (Quay)', async () => {
  await using here = await world({ quirks: VENDOR_QUIRKS.quay });
  const { report } = await here.route.run({ naming: 'path' });
  expect(report.totals).toMatchObject({ copied: 3, failed: 1 });
  expect(report.images.find(({ outcome }) => outcome === 'failed')?.reason?.hint).toContain('--naming');
});

it.each([
  [403, 'DENIED', 'requested access to the resource is denied'],
  [401, 'UNAUTHORIZED', 'unauthorized to access repository: keel/pause, action: push'],
  [404, 'NAME_UNKNOWN', 'project keel not found'],
])('says to look at the namespace when a push is refused with %d', async (status, code, message) => {
  await using here = await world({});
  here.destination.fail({
    match: { kind: ['upload-start', 'mount', 'manifest-put'] },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status, body: JSON.stringify({ errors: [{ code, message }] }) },
  });
  const { report } = await here.route.run();
  expect(outcomes(report)).toEqual(all('failed'));
  for (const { reason } of report.images) expect(reason?.hint).toMatch(/namespace|account/);
});

it('waits for a store that is consistent only in the end', async () => {
  await using here = await world({});
  const { destination, route } = here;
  const late = destination.fail({
    match: { kind: 'manifest-put', path: /pause/ },
    times: 2,
    fault: { kind: 'status', status: 400, body: '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}' },
  });
  const { report } = await route.run();
  expect(late.hits).toBe(2);
  expect(outcomes(report)).toEqual(all('copied'));
  expect(brokenTags(destination.storage)).toEqual([]);
});
