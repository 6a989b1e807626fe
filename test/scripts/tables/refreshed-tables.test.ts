import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { type Answers, refreshed } from '../../../scripts/tables/refreshed-tables.ts';
import { describeDifference, type UpstreamTables } from '../../../scripts/tables/upstream-tables.ts';
import { CNI_TABLE } from '../../../src/config/kubernetes/cni-image-table.ts';
import type { KubeadmRow } from '../../../src/config/kubernetes/kubeadm-tag-table.ts';
import {
  type KubernetesVersion,
  parseKubernetesVersion,
} from '../../../src/config/kubernetes/kubernetes-version.ts';

const version = (text: string): KubernetesVersion => parseKubernetesVersion(text, 'test');

function row(first: string, last: string, etcd: string, coredns: string, pause: string): KubeadmRow {
  return { first, last, etcd, coredns, pause };
}

const TABLES: UpstreamTables = {
  kubeadm: [
    row('1.36.0', '1.36.3', '3.6.8-0', 'v1.14.2', '3.10.2'),
    row('1.36.4', '1.36.4', '3.6.9-0', 'v1.14.2', '3.10.2'),
    row('1.37.0-rc.0', '1.37.1', '3.7.0-0', 'v1.14.6', '3.10.2'),
  ],
  runtimes: [
    {
      minor: 36,
      support: { day: '2026-08-22', containerd: '2.3.0+, 2.2.0+', cri: 'v1' },
      containerd: '2.2.7',
      runc: '1.3.6',
    },
    { minor: 37, support: undefined, containerd: '2.3.4', runc: '1.4.3' },
  ],
  cniPlugins: '1.9.1',
  cniImages: CNI_TABLE,
};

/** Upstream as the tables above have it, but for what a test says. */
interface World {
  readonly stable: readonly string[];
  readonly tags?: Readonly<Record<string, readonly [etcd: string, coredns: string, pause: string]>>;
  readonly support?: Readonly<Record<number, string>>;
  /** The newest patch of each branch of containerd, with its runc. */
  readonly containerd?: Readonly<Record<string, readonly [containerd: string, runc: string]>>;
  readonly cniPlugins?: string;
}

const UNCHANGED: World = { stable: ['1.36.4', '1.37.1'] };

function answersOf({
  stable,
  tags = {},
  support = {},
  containerd = {},
  cniPlugins = '1.9.1',
}: World): Answers {
  const branches = { '2.2': ['2.2.7', '1.3.6'], '2.3': ['2.3.4', '1.4.3'], ...containerd } as const;
  return {
    newestRelease: async (minor) =>
      version(stable.findLast((each) => minor === undefined || each.startsWith(`1.${minor}.`)) ?? 'none'),
    kubeadmTags: async (asked) => {
      const found = tags[asked];
      if (found === undefined) throw new Error(`nobody should ask for ${asked}`);
      return { version: asked, tags: { etcd: found[0], coredns: found[1], pause: found[2] } };
    },
    containerdSupport: async () =>
      Object.entries({ 36: '2.3.0+, 2.2.0+', ...support }).map(([minor, words]) => ({
        minor: Number(minor),
        containerd: words,
        cri: 'v1',
      })),
    newestContainerd: async (from) => {
      const found = Object.entries(branches).find(([branch]) => from.startsWith(`${branch}.`));
      if (found === undefined) throw new Error(`nobody should ask for ${from}`);
      return { containerd: found[1][0], runc: found[1][1] };
    },
    newestCniPlugins: async () => cniPlugins,
    cniList: async (plugin) => {
      const images = CNI_TABLE.filter((each) => each.plugin === plugin);
      return { release: images[0]?.release ?? '', images };
    },
  };
}

function refresh(world: World, all = false): Promise<UpstreamTables> {
  return refreshed(TABLES, { answers: answersOf(world), day: '2026-12-09', all });
}

async function difference(world: World): Promise<string[]> {
  return describeDifference(TABLES, await refresh(world));
}

describe('the tables', () => {
  it('stay as they are where upstream has nothing new, and nobody is asked for what they know', async () => {
    expect(await refresh(UNCHANGED)).toEqual(TABLES);
    expect(await difference(UNCHANGED)).toEqual([]);
  });

  it('get new patches: one with the same tags in the row of the patch before, one with others in its own', async () => {
    const world: World = {
      stable: ['1.36.6', '1.37.2'],
      tags: {
        '1.36.5': ['3.6.9-0', 'v1.14.2', '3.10.2'],
        '1.36.6': ['3.6.10-0', 'v1.14.2', '3.10.2'],
        '1.37.2': ['3.7.0-0', 'v1.14.6', '3.10.2'],
      },
    };
    expect((await refresh(world)).kubeadm).toEqual([
      row('1.36.0', '1.36.3', '3.6.8-0', 'v1.14.2', '3.10.2'),
      row('1.36.4', '1.36.5', '3.6.9-0', 'v1.14.2', '3.10.2'),
      row('1.36.6', '1.36.6', '3.6.10-0', 'v1.14.2', '3.10.2'),
      row('1.37.0-rc.0', '1.37.2', '3.7.0-0', 'v1.14.6', '3.10.2'),
    ]);
    expect(await difference(world)).toEqual([
      'kubeadm 1.36.5: etcd 3.6.9-0, coredns v1.14.2, pause 3.10.2, as 1.36.4',
      'kubeadm 1.36.6: etcd 3.6.10-0, coredns v1.14.2, pause 3.10.2',
      'kubeadm 1.37.2: etcd 3.7.0-0, coredns v1.14.6, pause 3.10.2, as 1.37.1',
    ]);
  });

  it('get new minors, with the runtime of the minor before while upstream lists nothing for them', async () => {
    const world: World = {
      stable: ['1.36.4', '1.37.1', '1.38.0', '1.39.0'],
      tags: { '1.38.0': ['3.7.1-0', 'v1.15.0', '3.11'], '1.39.0': ['3.7.1-0', 'v1.15.0', '3.11'] },
    };
    expect(await difference(world)).toEqual([
      'kubeadm 1.38.0: etcd 3.7.1-0, coredns v1.15.0, pause 3.11',
      'kubeadm 1.39.0: etcd 3.7.1-0, coredns v1.15.0, pause 3.11',
      'Kubernetes 1.38: containerd 2.3.4, runc 1.4.3; supported by upstream: not listed yet',
      'Kubernetes 1.39: containerd 2.3.4, runc 1.4.3; supported by upstream: not listed yet',
    ]);
  });

  it('get the words of upstream with the day, and keep those of minors that are listed no more', async () => {
    const world: World = { ...UNCHANGED, support: { 36: '2.3.0+, 2.2.1+', 37: '2.4.0+, 2.3.3+' } };
    const { runtimes } = await refresh(world);
    expect(runtimes.map(({ support }) => support)).toEqual([
      { day: '2026-12-09', containerd: '2.3.0+, 2.2.1+', cri: 'v1' },
      { day: '2026-12-09', containerd: '2.4.0+, 2.3.3+', cri: 'v1' },
    ]);
    expect(await difference(world)).toEqual([
      'Kubernetes 1.36: supported containerd 2.3.0+, 2.2.1+ in place of 2.3.0+, 2.2.0+',
      'Kubernetes 1.37: supported containerd 2.4.0+, 2.3.3+',
      'Kubernetes 1.37: CRI v1',
    ]);
  });

  it('get the newest patch of each branch with its runc, and of the CNI plugins', async () => {
    const world: World = {
      ...UNCHANGED,
      containerd: { '2.2': ['2.2.8', '1.3.7'], '2.3': ['2.3.5', '1.4.3'] },
      cniPlugins: '1.10.0',
    };
    expect(await difference(world)).toEqual([
      'Kubernetes 1.36: containerd 2.2.8 in place of 2.2.7',
      'Kubernetes 1.36: runc 1.3.7 in place of 1.3.6',
      'Kubernetes 1.37: containerd 2.3.5 in place of 2.3.4',
      'CNI plugins 1.10.0 in place of 1.9.1',
    ]);
  });

  it('leave a branch that upstream lists no more for the oldest newer one that it lists', async () => {
    const world: World = {
      ...UNCHANGED,
      support: { 36: '2.4.0+, 2.3.0+', 37: '2.5.0+, 2.4.0+' },
      containerd: { '2.4': ['2.4.2', '1.5.1'] },
    };
    const { runtimes } = await refresh(world);
    expect(runtimes.map(({ containerd }) => containerd)).toEqual(['2.3.4', '2.4.2']);
  });

  it('are the same from all that upstream tells as from what they lack', async () => {
    const tags = Object.fromEntries(
      ['1.36.0', '1.36.1', '1.36.2', '1.36.3', '1.36.4', '1.37.0-rc.0', '1.37.0', '1.37.1'].map((each) => {
        const found = TABLES.kubeadm.findLast(
          ({ first }) => first.startsWith(each.slice(0, 4)) && semver.lte(first, each),
        );
        return [each, [found?.etcd ?? '', found?.coredns ?? '', found?.pause ?? '']] as const;
      }),
    );
    expect(await refresh({ ...UNCHANGED, tags }, true)).toEqual(TABLES);
  });
});

describe('an answer that cannot be right is refused:', () => {
  it.each<[string, World, string]>([
    ['an older patch than a known one', { stable: ['1.36.2', '1.37.1'] }, '1.36.2 is older than 1.36.4'],
    ['an older minor than a known one', { stable: ['1.36.4'] }, '1.36 is older than the newest in the table'],
    ['a minor that is far away', { stable: ['1.36.4', '1.37.1', '1.999.0'] }, '1.999 is no likely version'],
    ['a patch that is far away', { stable: ['1.36.9999', '1.37.1'] }, 'upstream names 9995 releases'],
    [
      'a tag that goes back',
      { stable: ['1.36.5', '1.37.1'], tags: { '1.36.5': ['3.6.8-0', 'v1.14.2', '3.10.2'] } },
      'its etcd 3.6.8-0 is older than 3.6.9-0 of 1.36.4',
    ],
    [
      'a minor with older tags than the minor before',
      { stable: ['1.36.4', '1.37.1', '1.38.0'], tags: { '1.38.0': ['3.7.0-0', 'v1.14.6', '3.10'] } },
      'its pause 3.10 is older than 3.10.2 of 1.37.0-rc.0',
    ],
    ['older CNI plugins', { ...UNCHANGED, cniPlugins: '1.9.0' }, '1.9.0 is older than 1.9.1'],
    [
      'an older containerd',
      { ...UNCHANGED, containerd: { '2.3': ['2.3.3', '1.4.3'] } },
      '2.3.3 is older than 2.3.4',
    ],
    [
      'a list of which no containerd is one',
      { ...UNCHANGED, support: { 37: '2.3.9+' } },
      'no containerd from 2.3.4 on is one that upstream lists: 2.3.9+',
    ],
  ])('%s', async (_, world, message) => {
    const refusal = { code: 'TABLES_REFUSED', message: expect.stringContaining(message) };
    await expect(refresh(world)).rejects.toMatchObject(refusal);
  });
});
