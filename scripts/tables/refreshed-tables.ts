import semver from 'semver';
import { CNI_PLUGINS } from '../../src/config/cni-plugin.ts';
import type { CniPlugin } from '../../src/config/kubernetes/cni-image-table.ts';
import type { ContainerdSupport } from '../../src/config/kubernetes/containerd-support.ts';
import type { KubeadmRow } from '../../src/config/kubernetes/kubeadm-tag-table.ts';
import {
  type KubernetesVersion,
  kubernetesMinor,
  parseKubernetesVersion,
} from '../../src/config/kubernetes/kubernetes-version.ts';
import type { CniList } from './cni-lists.ts';
import { withList } from './cni-rows.ts';
import type { VersionTags } from './kubeadm-rows.ts';
import { withVersions } from './kubeadm-rows.ts';
import { refusal } from './refusal.ts';
import { branchOf, type ContainerdRelease, withContainerd, withMinors, withSupport } from './runtime-rows.ts';
import type { UpstreamTables } from './upstream-tables.ts';

/** More releases than upstream publishes in three years: an answer that implies so many is not a version. */
const MOST_NEW_RELEASES = 200;

/** The requests of "make tables" to upstream. Each throws if there is no answer, or one that cannot be right. */
export interface Answers {
  /** The newest stable release, of all or of a minor. */
  newestRelease(minor: number | undefined): Promise<KubernetesVersion>;
  kubeadmTags(version: KubernetesVersion): Promise<VersionTags>;
  containerdSupport(): Promise<readonly ContainerdSupport[]>;
  /** The newest patch of containerd that is `from` or later, of the same branch. */
  newestContainerd(from: string): Promise<ContainerdRelease>;
  newestCniPlugins(): Promise<string>;
  /** The images of a network plugin at its newest release. */
  cniList(plugin: CniPlugin): Promise<CniList>;
}

interface Refreshing {
  readonly answers: Answers;
  /** The day that is recorded with new texts of upstream, such as `2026-11-30`. */
  readonly day: string;
  /** Whether to ask upstream also for versions that the table already has. */
  readonly all: boolean;
}

/** Returns the tables as upstream has them now. Throws `TABLES_REFUSED` and what `answers` throw. */
export async function refreshed(
  tables: UpstreamTables,
  { answers, day, all }: Refreshing,
): Promise<UpstreamTables> {
  const newest = await newestReleases(tables.kubeadm, answers);
  const [kubeadm, listed, cniPlugins, cniLists] = await Promise.all([
    refreshedKubeadm(tables.kubeadm, newest, { answers, day, all }),
    answers.containerdSupport(),
    answers.newestCniPlugins(),
    Promise.all(CNI_PLUGINS.map(async (plugin) => ({ plugin, list: await answers.cniList(plugin) }))),
  ]);
  if (semver.lt(cniPlugins, tables.cniPlugins)) {
    throw refusal('CNI plugins', `${cniPlugins} is older than ${tables.cniPlugins}`);
  }
  const newestMinor = Math.max(...newest.map(kubernetesMinor));
  const runtimes = withSupport(withMinors(tables.runtimes, newestMinor), listed, day);
  const cniImages = cniLists.reduce(
    (rows, { plugin, list }) => withList(rows, plugin, list),
    [...tables.cniImages],
  );
  const newestRuntimes = await withContainerd(runtimes, newestPatches(tables, answers));
  return { kubeadm, cniPlugins, cniImages, runtimes: newestRuntimes };
}

/** Requests each branch once, starting at the newest patch in the table. */
function newestPatches(
  { runtimes }: UpstreamTables,
  answers: Answers,
): (branch: string, from: string) => Promise<ContainerdRelease> {
  const asked = new Map<string, Promise<ContainerdRelease>>();
  const known = runtimes.map(({ containerd }) => containerd).toSorted(semver.rcompare);
  return (branch, from) => {
    const newest = known.find((version) => branchOf(version) === branch) ?? from;
    const answer = asked.get(branch) ?? answers.newestContainerd(newest);
    asked.set(branch, answer);
    return answer;
  };
}

/** Returns the newest release of each minor, starting at the oldest in the table. */
async function newestReleases(rows: readonly KubeadmRow[], answers: Answers): Promise<KubernetesVersion[]> {
  const minors = rows.map(({ first }) => semver.minor(first));
  const oldest = Math.min(...minors);
  const newest = kubernetesMinor(await answers.newestRelease(undefined));
  if (newest < Math.max(...minors))
    throw refusal('Kubernetes', `1.${newest} is older than the newest in the table`);
  if (newest - oldest > MOST_NEW_RELEASES) throw refusal('Kubernetes', `1.${newest} is no likely version`);
  const asked = Array.from({ length: newest - oldest + 1 }, (_, index) =>
    answers.newestRelease(oldest + index),
  );
  return Promise.all(asked);
}

async function refreshedKubeadm(
  rows: readonly KubeadmRow[],
  newest: readonly KubernetesVersion[],
  { answers, all }: Refreshing,
): Promise<KubeadmRow[]> {
  const wanted = newest.flatMap((release) => releasesUpTo(release, rows, all));
  if (!all && wanted.length > MOST_NEW_RELEASES) {
    throw refusal('Kubernetes', `upstream names ${wanted.length} releases that the table does not have`);
  }
  const learnt = await Promise.all(wanted.map((version) => answers.kubeadmTags(version)));
  return withVersions(all ? [] : rows, learnt);
}

/** Returns the releases of a minor up to the newest that the table does not have, or all of them. */
function releasesUpTo(
  newest: KubernetesVersion,
  rows: readonly KubeadmRow[],
  all: boolean,
): KubernetesVersion[] {
  const minor = kubernetesMinor(newest);
  const own = rows.filter(({ first }) => semver.minor(first) === minor);
  const last = own.at(-1)?.last;
  if (last !== undefined && semver.lt(newest, last)) {
    throw refusal(`Kubernetes 1.${minor}`, `${newest} is older than ${last}, which the table has`);
  }
  const begun = last === undefined || all ? 0 : semver.patch(semver.inc(last, 'patch') ?? last);
  const length = semver.patch(newest) - begun + 1;
  const stable = Array.from({ length }, (_, index) => `1.${minor}.${begun + index}`);
  const before = all
    ? own.map(({ first }) => first).filter((first) => semver.prerelease(first) !== null)
    : [];
  return [...before, ...stable].map((version) => parseKubernetesVersion(version, 'the table'));
}
