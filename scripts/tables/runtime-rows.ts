import semver from 'semver';
import { type ContainerdSupport, containerdRange } from '../../src/config/kubernetes/containerd-support.ts';
import type { RuntimeRow } from '../../src/config/kubernetes/runtime-table.ts';
import { refusal } from './refusal.ts';

/** A release of containerd, and the runc that it is released with. */
export interface ContainerdRelease {
  readonly containerd: string;
  readonly runc: string;
}

/** Returns the newest release of a branch such as `2.3`, which is `from` or a later one. */
export type NewestOfBranch = (branch: string, from: string) => Promise<ContainerdRelease>;

/** Returns the rows with one for each further minor up to `newest`; its runtime is that of the minor before. */
export function withMinors(rows: readonly RuntimeRow[], newest: number): RuntimeRow[] {
  const all = [...rows];
  for (let last = all.at(-1); last !== undefined && last.minor < newest; last = all.at(-1)) {
    all.push({ ...last, minor: last.minor + 1, support: undefined });
  }
  return all;
}

/**
 * Returns the rows with the content of containerd's RELEASES.md on a day. A minor whose text is unchanged keeps its
 * day, and one that is no longer listed keeps its text.
 */
export function withSupport(
  rows: readonly RuntimeRow[],
  listed: readonly ContainerdSupport[],
  day: string,
): RuntimeRow[] {
  return rows.map((row) => {
    const found = listed.find(({ minor }) => minor === row.minor);
    if (found === undefined) return row;
    const { containerd, cri } = found;
    if (row.support?.containerd === containerd && row.support.cri === cri) return row;
    return { ...row, support: { day, containerd, cri } };
  });
}

/**
 * Returns the rows with the newest patches of containerd. Each minor stays with its branch as long as upstream lists it,
 * and is never behind the minor before; else it gets the oldest listed branch that is newer. Throws `TABLES_REFUSED`.
 */
export async function withContainerd(
  rows: readonly RuntimeRow[],
  newestOfBranch: NewestOfBranch,
): Promise<RuntimeRow[]> {
  const done: RuntimeRow[] = [];
  let support: RuntimeRow['support'];
  for (const row of rows) {
    support = row.support ?? support;
    const least = semver.maxSatisfying([row.containerd, done.at(-1)?.containerd ?? row.containerd], '*');
    const from = least ?? row.containerd;
    done.push({ ...row, ...(await fitting(row.minor, from, support, newestOfBranch)) });
  }
  return done;
}

async function fitting(
  minor: number,
  from: string,
  support: RuntimeRow['support'],
  newestOfBranch: NewestOfBranch,
): Promise<ContainerdRelease> {
  const range = support && containerdRange(support);
  if (support === undefined || range === undefined)
    throw refusal(`1.${minor}`, 'no containerd is known for it');
  const listed = support.containerd.match(/\d+\.\d+\.\d+/g) ?? [];
  const newer = listed
    .filter((version) => semver.gt(version, from) && branchOf(version) !== branchOf(from))
    .toSorted(semver.compare);
  for (const version of [from, ...newer]) {
    const release = await newestOfBranch(branchOf(version), version);
    if (semver.lt(release.containerd, version)) {
      throw refusal('containerd', `${release.containerd} is older than ${version}`);
    }
    if (semver.satisfies(release.containerd, range)) return release;
  }
  throw refusal(
    `1.${minor}`,
    `no containerd from ${from} on is one that upstream lists: ${support.containerd}`,
  );
}

/** Returns the branch of a version: `2.3` for `2.3.4`. */
export function branchOf(version: string): string {
  return `${semver.major(version)}.${semver.minor(version)}`;
}
