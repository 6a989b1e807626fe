import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NEWEST_CNI_PLUGINS } from '../../src/config/kubernetes/runtime-table.ts';
import { packerOfFile, runIn } from '../support/built-packer.ts';
import { knownRuntime, lastKnown } from '../support/known-releases.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import {
  CANDIDATE_RELEASE,
  literally,
  NEWER_PATCH,
  NEWEST,
  NEWEST_MINOR,
  NEXT,
  NEXT_CANDIDATE,
  NEXT_MINOR,
  NEXT_RELEASE,
  OLDER_PATCH,
  PATCH_RELEASE,
  RELEASES,
  SECOND_NEXT_MINOR,
} from '../support/upstream/releases.ts';
import { UpstreamService } from '../support/upstream/upstream-service.ts';

const packer = packerOfFile();
const automatic = (...names: string[]) => names.map((name) => ({ name, tag: 'auto' }));
const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
const VERSIONS = {
  images: automatic(...PROGRAMS, 'etcd', 'coredns', 'pause'),
  components: automatic('kubeadm', 'kubelet', 'kubectl', 'containerd', 'runc', 'crictl', 'cni'),
};

/** What a dry run says with `--json`, as far as it matters here. */
interface Planned {
  readonly kubernetes: string;
  readonly wanted?: { readonly word: string; readonly origin: string };
  readonly images: readonly { readonly upstream: string; readonly origin?: string }[];
  readonly components: readonly { readonly name: string; readonly tag: string; readonly origin?: string }[];
  readonly notices: readonly string[];
}

/** The makers, and a folder in which packer is run as by who reaches nothing but them. */
async function world(versions: object = VERSIONS) {
  const stack = new AsyncDisposableStack();
  const makers = stack.use(await UpstreamService.start());
  const folder = scratchFolder();
  writeFileSync(join(folder, 'versions.json'), JSON.stringify(versions));
  const run = (...line: string[]) =>
    runIn(folder, packer.program, ['--retry', '1', ...line], {
      ...makers.environment,
      NO_PROXY: '127.0.0.1',
    });
  return {
    makers,
    folder,
    run,
    /** Plans, and returns what is told for machines and for people. */
    plan: async (word: string, ...more: string[]) => {
      const said = await run('--kube-version', word, '--dry-run', '--json', ...more);
      if (said.code !== 0) throw new Error(said.stderr);
      const planned: Planned = JSON.parse(said.stdout);
      return { planned, told: said.stderr };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Returns the parts whose tag somebody told, with whoever that was. */
function origins({ images, components }: Planned): Record<string, string> {
  const named = [
    ...images.map(({ upstream, origin }) => ({ part: upstream.replace(/^.*\//, ''), origin })),
    ...components.map(({ name, tag, origin }) => ({ part: `${name} ${tag}`, origin })),
  ];
  return Object.fromEntries(
    named.flatMap(({ part, origin }) => (origin === undefined ? [] : [[part, origin]])),
  );
}

const NEW_COMPONENTS = {
  [`containerd ${NEWEST.containerd}`]: expect.any(String),
  [`runc ${NEWEST.runc}`]: `containerd ${NEWEST.containerd}`,
  [`cni ${NEWEST.cniPlugins}`]: expect.stringContaining('releases/latest'),
};
const LAST = lastKnown();
const OLD_COMPONENTS = {
  [`containerd ${knownRuntime(NEWEST_MINOR).containerd}`]: 'table',
  [`runc ${knownRuntime(NEWEST_MINOR).runc}`]: 'table',
  [`crictl 1.${NEWEST_MINOR}.0`]: 'table',
  [`cni ${NEWEST_CNI_PLUGINS}`]: 'table',
};

describe('a Kubernetes that no table has', () => {
  it.each<[string, string, string, Record<string, unknown>]>([
    [
      'a minor newer',
      NEXT,
      NEXT,
      {
        [`etcd:${NEXT_RELEASE.etcd}`]: `kubernetes v${NEXT}`,
        [`coredns:${NEXT_RELEASE.coredns}`]: `kubernetes v${NEXT}`,
        [`pause:${NEXT_RELEASE.pause}`]: `kubernetes v${NEXT}`,
        ...NEW_COMPONENTS,
        [`crictl ${NEWEST.crictl}`]: expect.any(String),
      },
    ],
    [
      'two minors newer, before its release',
      NEXT_CANDIDATE,
      NEXT_CANDIDATE,
      {
        [`etcd:${CANDIDATE_RELEASE.etcd}`]: `kubernetes v${NEXT_CANDIDATE}`,
        [`coredns:${CANDIDATE_RELEASE.coredns}`]: `kubernetes v${NEXT_CANDIDATE}`,
        [`pause:${NEXT_RELEASE.pause}`]: `kubernetes v${NEXT_CANDIDATE}`,
        ...NEW_COMPONENTS,
        [`crictl ${NEWEST.crictl}`]: expect.any(String),
      },
    ],
    [
      'a patch newer',
      NEWER_PATCH,
      NEWER_PATCH,
      {
        [`etcd:${PATCH_RELEASE.etcd}`]: `kubernetes v${NEWER_PATCH}`,
        [`coredns:${PATCH_RELEASE.coredns}`]: `kubernetes v${NEWER_PATCH}`,
        [`pause:${PATCH_RELEASE.pause}`]: `kubernetes v${NEWER_PATCH}`,
        ...OLD_COMPONENTS,
      },
    ],
    [
      'the minor before the newest',
      'latest-1',
      NEWER_PATCH,
      {
        [`etcd:${PATCH_RELEASE.etcd}`]: `kubernetes v${NEWER_PATCH}`,
        [`coredns:${PATCH_RELEASE.coredns}`]: `kubernetes v${NEWER_PATCH}`,
        [`pause:${PATCH_RELEASE.pause}`]: `kubernetes v${NEWER_PATCH}`,
        ...OLD_COMPONENTS,
      },
    ],
  ])(
    'is planned, with who told which tag, and nothing is fetched: %s',
    async (_, word, version, expected) => {
      await using all = await world();
      const { planned } = await all.plan(word);
      expect(planned.kubernetes).toBe(version);
      expect(origins(planned)).toEqual(expected);
      expect(planned.notices).toEqual([]);
      expect(
        all.makers.asked().filter((address) => /\/bin\/linux\/|releases\/download\/.*gz$/.test(address)),
      ).toEqual([]);
      expect(readdirSync(all.folder)).toEqual(['versions.json']);
    },
  );

  it.each([
    ['latest', NEXT],
    [`1.${NEXT_MINOR}`, NEXT],
    [`1.${NEWEST_MINOR - 1}`, OLDER_PATCH],
  ])('is what %s means: %s', async (word, version) => {
    await using all = await world({ images: automatic('kube-proxy') });
    const { planned, told } = await all.plan(word);
    expect(planned).toMatchObject({ kubernetes: version, wanted: { word, origin: 'dl.k8s.io' } });
    expect(told).toContain(`Kubernetes ${word} is ${version} (dl.k8s.io)`);
    // No part of it needs more.
    expect(all.makers.asked().filter((address) => !address.includes('stable'))).toEqual([]);
  });

  it.each<[string, string, object]>([
    ['the tables answer', LAST.last, VERSIONS],
    [
      'pins answer',
      NEXT,
      {
        images: [
          ...automatic(...PROGRAMS),
          { name: 'etcd', tag: NEXT_RELEASE.etcd },
          { name: 'pause', tag: NEXT_RELEASE.pause },
        ],
        components: [...automatic('kubeadm', 'kubelet'), { name: 'containerd', tag: NEWEST.containerd }],
      },
    ],
  ])('asks nobody for what %s, of %s', async (_, version, versions) => {
    await using all = await world(versions);
    const { planned } = await all.plan(version);
    expect(planned.kubernetes).toBe(version);
    expect(all.makers.proxy.asked).toEqual([]);
  });

  it('is asked of kubeadm itself where its constants have another layout, which is told', async () => {
    await using all = await world({ images: automatic('etcd'), components: automatic('kubelet') });
    const constants = `raw.githubusercontent.com/kubernetes/kubernetes/v${NEXT}/cmd/kubeadm/app/constants/constants.go`;
    all.makers.replace(constants, 'DefaultEtcdVersion =', 'UsualEtcdVersion =');
    const { planned, told } = await all.plan(NEXT);
    expect(origins(planned)).toEqual({ [`etcd:${NEXT_RELEASE.etcd}`]: `kubeadm ${NEXT}` });
    expect(told).toMatch(
      new RegExp(
        literally(`kubeadm ${NEXT} uses etcd ${NEXT_RELEASE.etcd}, `) +
          String.raw`.* \(kubeadm ${literally(NEXT)}\)\n {2}kubeadm's constants at kubernetes v${literally(NEXT)}: `,
      ),
    );
  });

  it('older than the oldest row is asked for as well', async () => {
    await using all = await world({ images: automatic('etcd', 'pause'), components: automatic('kubelet') });
    const [release] = RELEASES;
    if (release === undefined) throw new Error('there are no releases');
    all.makers.release({ ...release, version: '1.21.14', etcd: '3.4.13-0', pause: '3.4.1' });
    const { planned } = await all.plan('1.21.14');
    expect(origins(planned)).toEqual({
      'etcd:3.4.13-0': 'kubernetes v1.21.14',
      'pause:3.4.1': 'kubernetes v1.21.14',
    });
  });

  it('of which nobody tells gets what goes with the last known one, and a warning says why', async () => {
    await using all = await world();
    all.makers.fail('', { kind: 'status', status: 403 });
    const { planned, told } = await all.plan(`1.${SECOND_NEXT_MINOR}.0`);
    expect(origins(planned)).toEqual({
      [`etcd:${LAST.etcd}`]: `last known, ${LAST.last}`,
      [`coredns:${LAST.coredns}`]: `last known, ${LAST.last}`,
      [`pause:${LAST.pause}`]: `last known, ${LAST.last}`,
      [`containerd ${knownRuntime(NEWEST_MINOR).containerd}`]: `last known, 1.${NEWEST_MINOR}`,
      [`runc ${knownRuntime(NEWEST_MINOR).runc}`]: `last known, 1.${NEWEST_MINOR}`,
      [`crictl 1.${NEWEST_MINOR}.0`]: `last known, 1.${NEWEST_MINOR}`,
      [`cni ${NEWEST_CNI_PLUGINS}`]: `last known, 1.${NEWEST_MINOR}`,
    });
    expect(planned.notices.map((text) => text.replace(/^versions\.json[^ ]* /, ''))).toEqual([
      expect.stringMatching(
        /^the images of kubeadm 1\.\d+\.0 are not known yet, .* \(etcd [\d.-]+, .*; failed requests: .*raw\.githubusercontent\.com.*dl\.k8s\.io/,
      ),
      expect.stringMatching(
        /packer does not know yet which containerd, runc, crictl and cni-plugins match Kubernetes 1\.\d+\.0, so it uses those of 1\.\d+ \(containerd [\d.]+, .*; failed requests: .*github\.com/,
      ),
    ]);
    expect(told).toContain('failed requests');
  });

  it.each([
    [
      NEXT_CANDIDATE,
      /packer does not know yet which runc matches Kubernetes 1\.39\.0-rc\.0, .* failed requests: the runc of containerd 2\.4\.1: [^;]*$/m,
    ],
    [
      '1.21.14',
      /packer does not know which runc matches Kubernetes 1\.21\.14; set its tag; failed requests: containerd's RELEASES\.md: [^;]*$/m,
    ],
  ])('names for a component of %s who was asked in vain for just that', async (version, told) => {
    await using all = await world({
      images: automatic('kube-proxy'),
      components: automatic('containerd', 'runc', 'crictl', 'cni'),
    });
    all.makers.fail('raw.githubusercontent.com/', { kind: 'status', status: 403 });
    const said = await all.run('--kube-version', version, '--dry-run');
    expect(said.stderr).toMatch(told);
  });

  it('that does not exist is refused by a dry run as well, with the codes in JSON', async () => {
    await using all = await world();
    const line = ['--kube-version', `1.${NEXT_MINOR}.77`, '--dry-run', '--json'];
    const said = await all.run(...line);
    expect(said.code).toBe(2);
    expect(said.stderr).toMatch(
      /error: Kubernetes 1\.\d+\.77: upstream has no such release \(check --kube-version /,
    );
    expect(JSON.parse(said.stdout)).toMatchObject({
      failures: [{ code: 'KUBERNETES_UNRELEASED', about: `Kubernetes 1.${NEXT_MINOR}.77` }],
    });
  });

  it('is packed, and with its lock again without a question to anybody', async () => {
    await using all = await world();
    await using mirror = await startRegistry();
    const release = RELEASES.find(({ version }) => version === NEXT);
    if (release === undefined) throw new Error(`there is no ${NEXT}`);
    const tags = [
      ...PROGRAMS.map((name) => [name, `v${NEXT}`] as const),
      ['etcd', release.etcd] as const,
      ['coredns', release.coredns] as const,
      ['pause', release.pause] as const,
    ];
    for (const [name, tag] of tags) {
      seedImage(mirror.storage, `keel/${name}`, { tags: [tag], layers: [1000], seed: name });
    }
    const from = [
      '--image-source',
      `${mirror.host}/keel`,
      '--image-output',
      'images',
      '--download-output',
      'downloads',
    ];
    const line = ['--kube-version', 'latest', '--lock', 'keel.lock.json', ...from];
    const first = await all.run(...line);
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Kubernetes latest is ${NEXT} (dl.k8s.io)`),
    });
    const file = join(all.folder, `kube-${NEXT}-amd64.tar.gz`);
    const packed = readFileSync(file);

    const lock = JSON.parse(readFileSync(join(all.folder, 'keel.lock.json'), 'utf8'));
    expect(lock.kubernetes).toMatchObject({
      version: NEXT,
      wanted: 'latest',
      kubeadm: { etcd: release.etcd, origin: `kubernetes v${NEXT}` },
    });

    // A newer one is out, and nobody can be asked.
    all.makers.release({ ...release, version: `1.${SECOND_NEXT_MINOR}.0` });
    all.makers.wall('reset');
    const asked = all.makers.proxy.asked.length;
    const planned = await all.plan('latest', '--lock', 'keel.lock.json', ...from);
    expect(planned.planned.kubernetes).toBe(NEXT);
    expect(all.makers.proxy.asked.slice(asked)).toEqual([]);
    const again = await all.run(...line, '--output', 'again');
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('the package matches the lock keel.lock.json'),
    });
    expect(readFileSync(join(all.folder, `again/kube-${NEXT}-amd64.tar.gz`)).equals(packed)).toBe(true);
    expect(all.makers.proxy.asked.slice(asked)).toEqual([]);

    const other = await all.run('--kube-version', `1.${NEXT_MINOR}`, '--lock', 'keel.lock.json', ...from);
    expect(other.stderr).toContain(
      `the version of Kubernetes was latest, which means ${NEXT} in the lock, but now it is 1.${NEXT_MINOR}`,
    );
    expect(other.code).toBe(1);
    writeFileSync(
      join(all.folder, 'versions.json'),
      JSON.stringify(VERSIONS).replaceAll('"kubelet","tag":"auto"', `"kubelet","tag":"${LAST.last}"`),
    );
    const bare = await all.run('--lock', 'keel.lock.json', ...from);
    expect(bare.stderr).toContain(
      `the lock contains Kubernetes ${NEXT}, for --kube-version latest, but this run packs ${LAST.last}`,
    );
    expect(bare.stderr).not.toContain('is no longer part of the package');
  });
});
