import { expect, it } from 'vitest';
import { parseRepository, parseTag } from '../../../src/registry/oci/reference.ts';
import { decide } from '../../../src/sync/plan/decision.ts';
import { recordedImage } from '../../support/planned-image.ts';
import { TOKENS } from '../../support/registry/access.ts';
import type { Quirks } from '../../support/registry/quirks.ts';
import { startRegistry } from '../../support/registry/registry.ts';
import { seedImage, seedIndex } from '../../support/registry/seed.ts';
import { Storage } from '../../support/registry/storage.ts';
import { outcomes, type RunChoices, SyncRoute } from '../../support/sync-run.ts';

const SET = {
  names: ['pause', 'coredns/coredns'],
  prefixes: ['kube-', 'sig-storage/'],
  exclude: ['-rc.', '-amd64'],
};
const WANTED = [
  'coredns:v1.13.1',
  'coredns:v1.14.2',
  'csi-attacher:v4.10.0',
  'kube-proxy:v1.36.2',
  'pause:3.10',
];
const ALL = (outcome: string) => Object.fromEntries(WANTED.map((name) => [name, outcome]));
const DAY_MILLISECONDS = 86_400_000;

/** A source like registry.k8s.io, which lists digests and redirects, and a destination; both tell what they were asked. */
async function world(set: object = SET) {
  const stack = new AsyncDisposableStack();
  const storage = new Storage();
  seedIndex(storage, 'pause', { tags: ['3.10'], family: 'docker' });
  seedImage(storage, 'coredns/coredns', { seed: 'c13', tags: ['v1.13.1'] });
  seedIndex(storage, 'coredns/coredns', { seed: 'c14', tags: ['v1.14.2'] });
  seedImage(storage, 'kube-proxy', { seed: 'k', tags: ['v1.36.2', 'v1.37.0-rc.0'] });
  seedImage(storage, 'kube-proxy-amd64', { tags: ['v1.36.2'] });
  seedImage(storage, 'sig-storage/csi-attacher', { tags: ['v4.10.0'] });
  seedImage(storage, 'unwanted/thing', { tags: ['v1'] });
  const source = stack.use(await startRegistry({ frontDoor: true, storage }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  const route = new SyncRoute({ source, destination, set });
  const clear = (): void => {
    source.journal.clear();
    destination.journal.clear();
  };
  return { source, destination, storage, route, clear, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A day on which a tag is, or is not, one of the sample. */
function dayWith(name: string, isSampled: boolean): Date {
  const [repository = '', tag = ''] = name.split(':');
  const days = Array.from(
    { length: 15 },
    (_, day) => new Date(Date.UTC(2026, 0, 1) + day * DAY_MILLISECONDS),
  );
  const known = recordedImage();
  const found = days.find((now) => {
    const { reason } = decide({
      repository: parseRepository(`keel/${repository}`),
      tag: parseTag(tag),
      sourceDigest: known.sourceDigest,
      listing: { kind: 'tags', tags: new Set([parseTag(tag)]) },
      recorded: known,
      options: known.options,
      isSignatureDue: false,
      keepsMoved: false,
      verify: 'sample',
      now,
    });
    return (reason.code === 'SAMPLED') === isSampled;
  });
  if (found === undefined) throw new Error(`no such day in two weeks for ${name}`);
  return found;
}

it('finds by name and prefix what is wanted, and nothing else', async () => {
  await using all = await world();
  const { report } = await all.route.run();
  expect(outcomes(report)).toEqual(ALL('copied'));
  expect(report.unmatched).toEqual([]);
  expect(all.source.journal.count({ path: /unwanted/ })).toBe(0);
  const { repositories } = all.destination.storage;
  expect([...repositories.keys()].toSorted()).toEqual(
    ['coredns', 'csi-attacher', 'kube-proxy', 'pause'].map((name) => `keel/${name}`),
  );
});

it('asks only for listings when nothing changed', async () => {
  await using all = await world();
  await all.route.run({ verify: 'none' });
  all.clear();
  const { report } = await all.route.run({ verify: 'none' });
  expect(outcomes(report)).toEqual({ ...ALL('skipped'), 'pause:3.10': 'checked' });
  // The login is proved by a token and a ping with it; each repository has a token of its own.
  const login = { ping: 2, token: 5 };
  expect(all.destination.journal.tally()).toEqual({ ...login, 'tags-list': 4, 'manifest-head': 1 });
  expect(all.source.journal.count({ kind: ['manifest-get', 'manifest-head', 'blob-get'] })).toBe(0);
});

it.each<[string, RunChoices, boolean]>([
  ['at once with --verify all', { verify: 'all' }, true],
  ['on its day with --verify sample', { verify: 'sample', now: dayWith('kube-proxy:v1.36.2', true) }, true],
  ['not on other days', { verify: 'sample', now: dayWith('kube-proxy:v1.36.2', false) }, false],
  ['never with --verify none', { verify: 'none' }, false],
])('notices a tag that someone overwrote: %s', async (_, choices, isNoticed) => {
  await using all = await world();
  await all.route.run();
  const { destination, storage } = all;
  seedImage(destination.storage, 'keel/kube-proxy', { seed: 'someone', tags: ['v1.36.2'] });
  const { report } = await all.route.run(choices);
  expect(outcomes(report)['kube-proxy:v1.36.2']).toBe(isNoticed ? 'copied' : 'skipped');
  const isRight =
    destination.storage.manifest('keel/kube-proxy', 'v1.36.2')?.digest ===
    storage.manifest('kube-proxy', 'v1.36.2')?.digest;
  expect(isRight).toBe(isNoticed);
});

it('notices a deleted tag by the listing alone', async () => {
  await using all = await world();
  await all.route.run();
  all.destination.storage.deleteTag('keel/coredns', 'v1.13.1');
  all.clear();
  const { report } = await all.route.run({ verify: 'none' });
  expect(outcomes(report)).toMatchObject({ 'coredns:v1.13.1': 'copied', 'coredns:v1.14.2': 'skipped' });
  expect(all.destination.journal.count('upload-put')).toBe(0);
});

it('copies a tag that changed at the source, alone', async () => {
  await using all = await world();
  await all.route.run();
  seedImage(all.storage, 'kube-proxy', { seed: 'newer', tags: ['v1.36.2'] });
  all.clear();
  const { report } = await all.route.run({ verify: 'none' });
  expect(outcomes(report)).toEqual({
    ...ALL('skipped'),
    'pause:3.10': 'checked',
    'kube-proxy:v1.36.2': 'copied',
  });
  expect(all.destination.journal.count('manifest-put')).toBe(1);
});

it.each<[RunChoices['naming'], string[]]>([
  ['dashed', ['keel/coredns-coredns', 'keel/kube-proxy', 'keel/pause', 'keel/sig-storage-csi-attacher']],
  ['path', ['keel/coredns/coredns', 'keel/kube-proxy', 'keel/pause', 'keel/sig-storage/csi-attacher']],
])('names repositories as --naming %s says', async (naming, names) => {
  await using all = await world();
  const { report } = await all.route.run(naming === undefined ? {} : { naming });
  expect(report.totals).toMatchObject({ copied: WANTED.length, failed: 0 });
  expect([...all.destination.storage.repositories.keys()].toSorted()).toEqual(names);
});

it('leaves a tag alone that two sources fill differently, says so, and goes on', async () => {
  await using all = await world({ names: ['kube-scheduler', 'scheduler-plugins/kube-scheduler', 'pause'] });
  const { storage, route, destination } = all;
  seedImage(storage, 'kube-scheduler', { seed: 's', tags: ['v1.36.2', 'v1.36.1'] });
  seedImage(storage, 'scheduler-plugins/kube-scheduler', { seed: 's', tags: ['v1.36.1'] });
  seedImage(storage, 'scheduler-plugins/kube-scheduler', { seed: 'plugins', tags: ['v1.36.2'] });
  seedImage(destination.storage, 'keel/kube-scheduler', { seed: 'by hand', tags: ['v1.36.2'] });
  const byHand = destination.storage.manifest('keel/kube-scheduler', 'v1.36.2')?.digest;
  const { report, lines } = await route.run();
  expect(outcomes(report)).toEqual({
    'kube-scheduler:v1.36.1': 'copied',
    'kube-scheduler:v1.36.2': 'collision',
    'pause:3.10': 'copied',
  });
  expect(destination.storage.manifest('keel/kube-scheduler', 'v1.36.2')?.digest).toBe(byHand);
  const collision = report.images.find(({ outcome }) => outcome === 'collision');
  expect(collision?.claimants).toEqual([
    `${all.source.host}/kube-scheduler:v1.36.2`,
    `${all.source.host}/scheduler-plugins/kube-scheduler:v1.36.2`,
  ]);
  expect(report.totals.failed).toBe(1);
  expect(lines.some((line) => line.startsWith('error: ') && line.includes('scheduler-plugins'))).toBe(true);
});

it('brings the signatures of what an index lists when it asks for the index again', async () => {
  await using all = await world({ names: ['signed'] });
  const { storage, route, destination } = all;
  const index = seedIndex(storage, 'signed', { tags: ['v1.2.3'] });
  const digests = [index, ...(index.kind === 'index' ? index.manifests : [])].map(({ digest }) => digest);
  expect(digests).toHaveLength(3);
  const signatures = digests.map((digest) => `${digest.replace(':', '-')}.sig`);
  for (const tag of signatures) seedImage(storage, 'signed', { seed: tag, tags: [tag] });
  await route.run({ verify: 'none' });
  const tags = () => [...destination.storage.repository('keel/signed').tags.keys()].toSorted();
  expect(tags()).toEqual(['v1.2.3']);
  const { report } = await route.run({ signatures: 'copy', verify: 'none' });
  expect(report.totals).toMatchObject({ skipped: 1, copied: 1 });
  await route.run({ signatures: 'copy', verify: 'all' });
  expect(tags()).toEqual(['v1.2.3', ...signatures].toSorted());
  all.clear();
  await route.run({ signatures: 'copy', verify: 'none' });
  expect(all.source.journal.count({ kind: 'manifest-get' })).toBe(0);
});

it('tells once what holds for many tags of a repository', async () => {
  await using all = await world({
    names: ['kube-scheduler', 'scheduler-plugins/kube-scheduler', 'few'],
    patches: [{ match: 'few', platforms: ['linux/riscv64'] }],
  });
  const { storage, route } = all;
  for (const tag of ['v1.36.1', 'v1.36.2']) {
    seedImage(storage, 'kube-scheduler', { seed: tag, tags: [tag] });
    seedImage(storage, 'scheduler-plugins/kube-scheduler', { seed: `plugins ${tag}`, tags: [tag] });
    seedIndex(storage, 'few', { seed: tag, tags: [tag] });
  }
  const { report, lines } = await route.run();
  expect(report.totals.failed).toBe(4);
  const errors = lines.filter((line) => line.startsWith('error: '));
  expect(errors).toHaveLength(2);
  expect(errors.join('\n')).toMatch(
    /\/keel\/kube-scheduler \(2 tags, v1\.36\.1 and v1\.36\.2\): claimed by .*; left unchanged \(give one/,
  );
  expect(errors.join('\n')).toContain(
    `${all.source.host}/few (2 tags, v1.36.1 and v1.36.2): it does not exist for linux/riscv64 (it offers`,
  );
});

it.each<[string, Quirks, number]>([
  ['mounts', {}, 0],
  ['sends what cannot be mounted', { refuseMount: 405 }, 1],
])(
  '%s when source and destination are one host, and does not block itself on one slot',
  async (_, quirks, sending) => {
    await using registry = await startRegistry({ quirks });
    for (const tag of ['v1', 'v2', 'v3']) seedIndex(registry.storage, 'app', { seed: tag, tags: [tag] });
    const route = new SyncRoute({ source: registry, destination: registry, set: { names: ['app'] } });
    const { report } = await route.run({ queryLimit: 1, limit: 1 });
    expect(outcomes(report)).toEqual({ 'app:v1': 'copied', 'app:v2': 'copied', 'app:v3': 'copied' });
    expect(registry.journal.peak('upload-put')).toBe(sending);
  },
);

it('keeps its connections: each costs a handshake, and as much again with TLS', async () => {
  await using all = await world();
  const { report } = await all.route.run({ queryLimit: 1, limit: 1 });
  expect(report.totals.copied).toBe(WANTED.length);
  expect(all.destination.journal.count('upload-put')).toBeGreaterThan(5);
  // One at a time for layers, one for the rest, and one that was opened while another came free.
  expect(all.destination.journal.connections()).toBeLessThanOrEqual(3);
});
