import semver from 'semver';
import type { CniPlugin, CniRow } from '../../src/config/kubernetes/cni-image-table.ts';
import type { CniList } from './cni-lists.ts';
import { refusal } from './refusal.ts';

/** An image that is no longer in the list stays for this many minors. */
const MINORS_KEPT = 2;

/**
 * Returns the rows of all plugins with upstream's list of one of them. An image that is no longer in the list stays, as
 * optional, for two minors, because older releases need it. Throws `TABLES_REFUSED` for a list that is older than the
 * rows.
 */
export function withList(rows: readonly CniRow[], plugin: CniPlugin, list: CniList): CniRow[] {
  const before = rows.filter((row) => row.plugin === plugin);
  const [known] = before.map(({ release }) => release).toSorted(semver.rcompare);
  if (known !== undefined && semver.lt(list.release, known)) {
    throw refusal(plugin, `${list.release} is older than ${known}`);
  }
  const { release } = list;
  const listed = list.images.map((image): CniRow => ({ plugin, release, ...image }));
  const gone = before
    .filter(({ image }) => !listed.some((row) => row.image === image))
    .filter((row) => minorsBetween(row.release, release) < MINORS_KEPT)
    .map((row): CniRow => ({ ...row, use: 'optional' }));
  const own = [...listed, ...gone].toSorted(
    (one, other) =>
      Number(one.use === 'optional') - Number(other.use === 'optional') || (one.image < other.image ? -1 : 1),
  );
  const at = rows.findIndex((row) => row.plugin === plugin);
  return rows.filter((row) => row.plugin !== plugin).toSpliced(at, 0, ...own);
}

function minorsBetween(older: string, newer: string): number {
  if (semver.major(older) !== semver.major(newer)) return MINORS_KEPT;
  return semver.minor(newer) - semver.minor(older);
}

/** Returns how the rows of images differ, in words for people, a line each; empty if they do not. */
export function describeImages(before: readonly CniRow[], after: readonly CniRow[]): string[] {
  const appeared = after.flatMap((row) => {
    const known = before.find(({ image }) => image === row.image);
    const name = `${row.plugin} ${row.release}: ${row.image}`;
    if (known === undefined) return [`${name} is new, with ${row.tag} (${row.use})`];
    const isTold = known.tag !== row.tag && known.use === row.use;
    if (isTold) return [`${name} ${row.tag} in place of ${known.tag}`];
    return known.use === row.use ? [] : [`${name} ${row.tag} is ${row.use} now`];
  });
  const gone = before.flatMap((row) =>
    after.some(({ image }) => image === row.image) ? [] : [`${row.plugin}: ${row.image} has gone`],
  );
  return [...appeared, ...gone];
}
