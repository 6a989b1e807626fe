import { existsSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import { expect, it } from 'vitest';
import { KUBEADM_TABLE } from '../../src/config/kubernetes/kubeadm-tag-table.ts';
import { readReport } from '../../src/sync/report/report-file.ts';
import { Desk } from '../support/built-synctl.ts';
import { freePort } from '../support/free-port.ts';
import { lastKnown } from '../support/known-releases.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { MAKERS_AUTHORITIES_FILE } from '../support/test-authority.ts';
import { LOGIN } from '../support/token-server.ts';
import {
  CANDIDATE_RELEASE,
  NEWER_PATCH,
  NEWEST_MINOR,
  NEXT,
  NEXT_CANDIDATE,
  NEXT_MINOR,
  NEXT_RELEASE,
  OLDER_PATCH,
  RELEASES,
  SECOND_NEXT_MINOR,
  type UpstreamRelease,
} from '../support/upstream/releases.ts';
import { UpstreamService } from '../support/upstream/upstream-service.ts';

const OLD = { version: '1.21.14', etcd: '3.4.13-0', coredns: 'v1.8.0', pause: '3.4.1' };
/** The last release of the built-in table, and that of the minor before. */
const LAST = lastKnown();
const BEFORE = lastKnown(NEWEST_MINOR - 1);
const KNOWN = [LAST, BEFORE].map((row) => ({ ...row, version: row.last }));
const FURTHER = { ...CANDIDATE_RELEASE, version: `1.${SECOND_NEXT_MINOR}.0` };

const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];

/** A source that has some releases, their makers behind a proxy, and a folder in which someone mirrors. */
async function world(kubernetes: readonly string[], releases: readonly UpstreamRelease[]) {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  const makers = stack.use(await UpstreamService.start([...RELEASES, OLD]));
  const publish = ({ version, etcd, coredns, pause }: UpstreamRelease) => {
    const images: [string, string][] = [
      ...PROGRAMS.map((name): [string, string] => [name, `v${version}`]),
      ['etcd', etcd],
      ['coredns/coredns', coredns],
      ['pause', pause],
    ];
    for (const [name, tag] of images) {
      seedImage(source.storage, name, { seed: `${name}:${tag}`, tags: [tag], layers: [300] });
    }
  };
  for (const release of releases) publish(release);
  const route = ['--source', source.host, '--push-to', destination.host, '--push-ns', 'keel'];
  const desk = (): Desk => {
    const made = new Desk(LOGIN);
    made.set('NODE_EXTRA_CA_CERTS', MAKERS_AUTHORITIES_FILE);
    made.set('HTTPS_PROXY', makers.proxy.url);
    made.write('image_set.json', { kubernetes });
    return made;
  };
  const own = desk();
  const command = async (where: Desk, name: string, ...line: string[]) => {
    const { code, stdout, stderr } = await where.run(name, ...route, ...line);
    const lines = `${stdout}${stderr}`.split('\n');
    return { code, lines, warnings: lines.filter((text) => text.startsWith('warning')) };
  };
  const sync = async (where: Desk = own, ...line: string[]) => {
    const ran = await command(where, 'sync', '--report', 'report.json', ...line);
    const report = readReport(join(where.folder, 'report.json'));
    const told = report.kubernetes?.map(({ word, versions }) => [
      word,
      ...versions.map(({ version, origin }) => `${version} by ${origin}`),
    ]);
    return { ...ran, report, told };
  };
  const check = (...line: string[]) => command(own, 'check', '--kubernetes', ...line);
  const held = (name: string) =>
    [...(destination.storage.repositories.get(`keel/${name}`)?.tags.keys() ?? [])].toSorted();
  /** How often the makers were asked, and how often the proxy was. */
  const asked = () => [makers.requests.length, makers.proxy.asked.length];
  const dispose = () => stack.disposeAsync();
  return {
    source,
    makers,
    publish,
    own,
    desk,
    sync,
    check,
    command,
    held,
    asked,
    [Symbol.asyncDispose]: dispose,
  };
}

const constants = (version: string) =>
  `raw.githubusercontent.com/kubernetes/kubernetes/v${version}/cmd/kubeadm/app/constants/constants.go`;

it('a Kubernetes that is in no table is mirrored with what its makers say of it, and asked for once', async () => {
  await using here = await world(['supported', NEXT_CANDIDATE, '1.21'], [...RELEASES, ...KNOWN, OLD]);
  // A minor means the tags of all its patches, also of those that the source lacks.
  const minors = [LAST, BEFORE].map(({ last }) => semver.minor(last));
  const rows = KUBEADM_TABLE.filter(({ last }) => minors.includes(semver.minor(last)));
  for (const { etcd, coredns, pause } of rows) {
    for (const [name, tag] of [
      ['etcd', etcd],
      ['coredns/coredns', coredns],
      ['pause', pause],
    ] as const) {
      seedImage(here.source.storage, name, { seed: `${name}:${tag}`, tags: [tag], layers: [300] });
    }
  }
  const first = await here.sync();
  expect([first.code, first.warnings]).toEqual([0, []]);
  // What the source has is asked no more often than by a set that names versions.
  const lists = here.source.journal.filter({ kind: 'tags-list' }).map(({ repository }) => repository);
  expect(lists.filter((name) => name === 'kube-apiserver')).toHaveLength(1);
  expect(first.told).toEqual([
    [
      'supported',
      `${NEXT} by kubernetes v${NEXT}`,
      `${NEWER_PATCH} by kubernetes v${NEWER_PATCH}`,
      `${LAST.last} by table`,
      `${OLDER_PATCH} by kubernetes v${OLDER_PATCH}`,
      `${BEFORE.last} by table`,
    ],
    [NEXT_CANDIDATE, `${NEXT_CANDIDATE} by kubernetes v${NEXT_CANDIDATE}`],
    ['1.21', '1.21.14 by kubernetes v1.21.14'],
  ]);
  expect(first.lines).toContain(
    `Kubernetes supported: ${BEFORE.last}, ${OLDER_PATCH}, ${LAST.last}, ${NEWER_PATCH}, ${NEXT} (tags from kubernetes v${NEXT}; kubernetes v${NEWER_PATCH}; table; 1 more)`,
  );
  const all = [...RELEASES, ...KNOWN, OLD];
  expect(here.held('kube-proxy')).toEqual(all.map(({ version }) => `v${version}`).toSorted());
  for (const name of ['etcd', 'coredns', 'pause'] as const) {
    expect(here.held(name)).toEqual(
      [...new Set([...all, ...rows].map((release) => release[name]))].toSorted(),
    );
  }
  expect(here.makers.asked().toSorted()).toEqual(
    ['1.21.14', OLDER_PATCH, NEWER_PATCH, NEXT, NEXT_CANDIDATE].map(constants).toSorted(),
  );

  const before = here.asked();
  const second = await here.sync();
  expect([second.code, second.warnings, second.told]).toEqual([0, [], first.told]);
  expect(second.report.totals).toMatchObject({ copied: 0, failed: 0 });
  expect(here.asked()).toEqual(before);
});

it('what the built-in table knows is mirrored without a question to any maker', async () => {
  await using here = await world([`1.${NEWEST_MINOR}`, BEFORE.last, 'latest'], KNOWN);
  const { code, told, lines } = await here.sync();
  expect([code, here.asked()]).toEqual([0, [0, 0]]);
  expect(told).toEqual([
    [`1.${NEWEST_MINOR}`, `${LAST.last} by table`],
    [BEFORE.last, `${BEFORE.last} by table`],
    ['latest', `${LAST.last} by table`],
  ]);
  expect(lines).toContain(`Kubernetes latest: ${LAST.last} (tags from table)`);
});

it('a minor is there the night that the source has it, two minors further too', async () => {
  await using here = await world(['latest', 'latest-1'], KNOWN);
  await here.sync();
  for (const release of [...RELEASES, FURTHER]) here.publish(release);
  here.makers.release(FURTHER);
  const next = await here.sync();
  expect([next.code, next.warnings]).toEqual([0, []]);
  expect(next.told).toEqual([
    ['latest', `1.${SECOND_NEXT_MINOR}.0 by kubernetes v1.${SECOND_NEXT_MINOR}.0`],
    ['latest-1', `${NEXT} by kubernetes v${NEXT}`],
  ]);
  expect(here.held('etcd')).toEqual([BEFORE.etcd, LAST.etcd, NEXT_RELEASE.etcd, FURTHER.etcd].toSorted());
});

it('where no maker answers, the last tags known are taken with a warning that names the difference', async () => {
  await using here = await world(['latest'], [...RELEASES, ...KNOWN]);
  here.own.set('HTTPS_PROXY', `http://127.0.0.1:${await freePort()}`);
  const down = await here.sync();
  expect(down.code).toBe(0);
  expect(down.told).toEqual([['latest', `${NEXT} by last known, ${LAST.last}`]]);
  expect(down.warnings).toEqual([
    expect.stringMatching(
      /^warning: .*the images of kubeadm 1\.\d+\.0 are not known yet, so those of 1\.\d+\.\d+ are used \(etcd [\d.-]+, coredns v[\d.]+, pause [\d.]+\); .*; failed requests: kubeadm's constants at kubernetes v1\.\d+\.0: .*; kubeadm 1\.\d+\.0 itself: /,
    ),
  ]);
  expect(here.held('etcd')).toEqual([LAST.etcd]);

  // What was only taken was not learnt.
  here.own.set('HTTPS_PROXY', here.makers.proxy.url);
  const next = await here.sync();
  expect([next.code, next.warnings, next.told]).toEqual([
    0,
    [],
    [['latest', `${NEXT} by kubernetes v${NEXT}`]],
  ]);
  expect(here.held('etcd')).toEqual([LAST.etcd, NEXT_RELEASE.etcd].toSorted());
});

it('where no maker answers and the last tags known are not there either, the run tells which are missing', async () => {
  await using here = await world([`1.${NEXT_MINOR}`, '1.21.14'], [...RELEASES, OLD]);
  here.makers.wall('reset');
  const { code, report, warnings } = await here.sync();
  expect(code).toBe(0);
  expect(report.unmatched.map(({ pattern }) => pattern)).toEqual([
    `etcd:${LAST.etcd}`,
    'etcd:(of kubeadm 1.21.14)',
    'coredns/coredns:(of kubeadm 1.21.14)',
    'pause:(of kubeadm 1.21.14)',
  ]);
  expect(warnings.filter((text) => text.includes('failed requests'))).toHaveLength(2);
});

it('of a version whose kube-apiserver is not there yet, no tags of another version are taken', async () => {
  await using here = await world([NEXT], [...RELEASES, ...KNOWN]);
  here.source.storage.deleteTag('kube-apiserver', `v${NEXT}`);
  const { code, report } = await here.sync();
  expect([code, here.asked()]).toEqual([0, [0, 0]]);
  expect(report.unmatched.map(({ pattern }) => pattern)).toEqual([
    `kube-apiserver:v${NEXT}`,
    ...['etcd', 'coredns/coredns', 'pause'].map((name) => `${name}:(of kubeadm ${NEXT})`),
  ]);
  expect([here.held('kube-proxy'), here.held('etcd'), here.held('pause')]).toEqual([[`v${NEXT}`], [], []]);
});

it('a release that was there and is gone makes the run fail, whichever word asks for it', async () => {
  await using here = await world(['latest', BEFORE.last], KNOWN);
  expect((await here.sync()).code).toBe(0);
  for (const name of PROGRAMS) here.source.storage.deleteTag(name, `v${BEFORE.last}`);
  const { code, report } = await here.sync();
  expect(code).toBe(1);
  expect(report.unmatched).toMatchObject([{ pattern: BEFORE.last, matchedBefore: true }]);
  for (const name of PROGRAMS) here.source.storage.deleteTag(name, `v${LAST.last}`);
  expect((await here.sync()).report.unmatched).toMatchObject([
    { pattern: 'latest', matchedBefore: true },
    {},
  ]);
});

it('where the source of kubeadm is laid out in another way, kubeadm itself is asked, and it is told', async () => {
  await using here = await world([NEXT], RELEASES);
  here.makers.replace(constants(NEXT), 'DefaultEtcdVersion =', 'UsualEtcdVersion =');
  const { code, lines, warnings } = await here.sync();
  expect([code, warnings]).toEqual([0, []]);
  expect(lines).toContain(`Kubernetes ${NEXT} (tags from kubeadm ${NEXT})`);
  expect(here.held('etcd')).toEqual([NEXT_RELEASE.etcd]);
});

it('a dry run asks and shows, and keeps nothing', async () => {
  await using here = await world(['latest'], RELEASES);
  const dry = await here.sync(here.own, '--dry-run');
  expect(dry.lines).toContain(`Kubernetes latest: ${NEXT} (tags from kubernetes v${NEXT})`);
  expect(dry.lines.filter((line) => line.includes('etcd:'))).toHaveLength(1);
  expect([existsSync(join(here.own.folder, 'sync.bolt.db')), here.held('etcd')]).toEqual([false, []]);
  await here.sync(here.own, '--dry-run');
  expect(here.makers.asked()).toEqual([constants(NEXT), constants(NEXT)]);
});

it('--upstream-mirror is asked in place of the makers', async () => {
  await using here = await world(['latest', 'latest'], RELEASES);
  const { code, told, lines } = await here.sync(here.own, '--upstream-mirror', here.makers.mirror);
  expect([code, told]).toEqual([0, Array(2).fill(['latest', `${NEXT} by kubernetes v${NEXT}`])]);
  // A word that is there twice is told once.
  expect(lines.filter((line) => line.startsWith('Kubernetes '))).toHaveLength(1);
  expect([here.makers.proxy.asked, here.makers.requests.map(({ at }) => at)]).toEqual([[], ['mirror']]);
});

it('what was learnt is in a state beside the images too, and in that of each shard', async () => {
  await using here = await world(['latest'], RELEASES);
  const nights = ['1/2', '2/2'].map((shard) => ['--state', 'registry', '--shard', shard]);
  for (const night of nights) expect((await here.sync(here.desk(), ...night)).code).toBe(0);
  expect(here.held('etcd')).toEqual([NEXT_RELEASE.etcd]);
  const before = here.asked();
  expect(before[0]).toBe(2);
  for (const night of [...nights, ['--state', 'registry']]) {
    const { code, told } = await here.sync(here.desk(), ...night);
    expect([code, told]).toEqual([0, [['latest', `${NEXT} by kubernetes v${NEXT}`]]]);
  }
  expect(here.asked()).toEqual(before);
});

it('synctl check takes words that mean one version, and asks no maker for what a run learnt', async () => {
  await using here = await world(['supported'], [...RELEASES, ...KNOWN]);
  const program = await here.command(here.own, 'check', `kube-proxy:v${NEXT}`);
  expect([program.warnings, here.asked()]).toEqual([[], [0, 0]]);
  expect(program.lines.some((line) => line.includes('selected by image_set.json:'))).toBe(true);
  const early = await here.check('latest');
  expect(early.code).toBe(1);
  expect(here.makers.asked()).toEqual([constants(NEXT)]);
  expect((await here.sync()).code).toBe(0);
  const before = here.asked();
  for (const [word, version, origin] of [
    ['latest', NEXT, ` (latest; tags from kubernetes v${NEXT})`],
    ['latest-1', NEWER_PATCH, ` (latest-1; tags from kubernetes v${NEWER_PATCH})`],
    [`1.${NEXT_MINOR}`, NEXT, ` (1.${NEXT_MINOR}; tags from kubernetes v${NEXT})`],
    [NEXT, NEXT, ` (tags from kubernetes v${NEXT})`],
    [LAST.last, LAST.last, ''],
  ] as const) {
    const { code, lines } = await here.check(word);
    expect([code, lines[0]]).toEqual([0, expect.stringMatching(/^Kubernetes /)]);
    expect(lines[0]).toContain(`Kubernetes ${version}${origin} for linux/amd64 from `);
  }
  const wanted = await here.command(here.own, 'check', `etcd:${NEXT_RELEASE.etcd}`);
  expect([wanted.code, wanted.lines.some((line) => line.includes('selected by image_set.json:'))]).toEqual([
    0,
    true,
  ]);
  expect(here.asked()).toEqual(before);
});

it('where the source fails to list its releases, what a word means is not known, and not that it means nothing', async () => {
  await using here = await world(['latest'], RELEASES);
  expect((await here.sync()).code).toBe(0);
  here.source.fail({
    match: { kind: 'tags-list', path: /kube-apiserver/ },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'status', status: 500 },
  });
  const { code, report } = await here.sync();
  expect([code, report.kubernetes, report.unmatched]).toEqual([
    1,
    [expect.objectContaining({ word: 'latest', versions: [], unknown: true })],
    [],
  ]);
  for (const image of [`kube-proxy:v${NEXT}`, `pause:${NEXT_RELEASE.pause}`]) {
    const one = await here.command(here.own, 'check', image);
    expect([one.code, one.warnings]).toEqual([
      0,
      [expect.stringMatching(/json:3:5: the meaning of "latest" is unknown: .*kube-apiserver: cannot list/)],
    ]);
    expect(one.lines.find((line) => line.startsWith('image set'))).toContain(
      'image_set.json selects the image (image_set.json:3:5), and perhaps this tag',
    );
  }
  const many = await here.command(here.own, 'check', 'kube-proxy');
  expect([many.code, many.lines.join('\n')]).toEqual([
    1,
    expect.stringContaining('/kube-apiserver: cannot list its tags'),
  ]);
});

it('synctl check tells that a verdict depends on tags that nobody knows', async () => {
  await using here = await world([NEXT], [...RELEASES, ...KNOWN]);
  here.own.set('HTTPS_PROXY', `http://127.0.0.1:${await freePort()}`);
  await here.sync();
  const verdict = async () => {
    const { code, lines } = await here.check(NEXT);
    return [code, lines.find((line) => line.startsWith('installable'))];
  };
  expect(await verdict()).toEqual([
    0,
    expect.stringMatching(
      /are there, if its etcd, CoreDNS and pause are those of the last known, 1\.37\.\d+; machines need a login$/,
    ),
  ]);
  here.own.set('HTTPS_PROXY', here.makers.proxy.url);
  await here.sync();
  expect(await verdict()).toEqual([0, expect.stringMatching(/are there; machines need a login$/)]);
});

it('synctl check tells of a version for which nobody knows the images', async () => {
  await using here = await world([`1.${NEXT_MINOR}`], [...RELEASES, OLD]);
  here.makers.wall('reset');
  const { code, lines } = await here.check('1.21');
  expect(code).toBe(1);
  expect(lines.join('\n')).toContain(
    'the images of kubeadm 1.21.14 are unknown, and so are those of older versions',
  );
});

it('synctl doctor tells what the words mean as a run would find it', async () => {
  await using here = await world(['latest'], RELEASES);
  const doctor = async () => {
    const { code, lines } = await here.command(here.own, 'doctor');
    return [code, lines.find((line) => line.includes('source list'))];
  };
  expect(await doctor()).toEqual([0, expect.stringMatching(/^✓ ok .* 7 repositories list 7 selected tags/)]);
  here.makers.wall('reset');
  expect(await doctor()).toEqual([
    0,
    expect.stringContaining(`the images of kubeadm ${NEXT} are not known yet`),
  ]);
});
