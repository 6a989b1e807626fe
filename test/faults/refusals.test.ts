import { expect, it } from 'vitest';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { VENDOR_QUIRKS } from '../support/registry/quirks.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { outcomes, SyncRoute } from '../support/sync-run.ts';
import { all, world } from './vendor-world.ts';
import { brokenTags } from './wholeness.ts';

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
  const { report } = await route.run({ verify: 'none' });
  expect(outcomes(report)).toMatchObject({
    'kube-proxy:v1.36.2': 'failed',
    'kube-scheduler:v1.36.2': 'skipped',
  });
  expect(destination.storage.manifest('keel/kube-proxy', 'v1.36.2')?.digest).toBe(before);
  expect(report.images.find(({ outcome }) => outcome === 'failed')?.reason).toMatchObject({
    code: 'TAG_IMMUTABLE',
    message: expect.stringMatching(
      /does not allow changes of this tag; it has sha256:\w{12}… there, and the source has sha256:\w{12}…/,
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

it('ends in a moment, and names all it left, when a destination goes away', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  const destination = await startRegistry({ access: TOKENS });
  const names = ['one', 'two', 'three'];
  for (const name of names) seedImage(source.storage, name, { tags: ['v1'] });
  const route = new SyncRoute({ source, destination, set: { names } });
  destination.fail({
    match: { kind: 'upload-put', when: () => void destination.close() === undefined },
    fault: { kind: 'reset' },
  });
  const { report } = await route.run();
  expect(report.totals).toMatchObject({ total: 3, failed: 3 });
  for (const { reason } of report.images) {
    expect(reason).toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('refused') });
  }
});
