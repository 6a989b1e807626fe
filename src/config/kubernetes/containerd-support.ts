import semver from 'semver';

/** Which containerd goes with a minor version of Kubernetes, in the words of containerd's RELEASES.md. */
export interface ContainerdSupport {
  readonly minor: number;
  /** The oldest version of each branch: `2.1.0+, 2.0.1+, 1.7.24+, 1.6.36+`. */
  readonly containerd: string;
  /** The versions of the CRI that the kubelet speaks: `v1`, `v1, v1alpha2 **`. */
  readonly cri: string;
}

/** The head of the table of https://github.com/containerd/containerd/blob/main/RELEASES.md#kubernetes-support */
const HEAD = ['kubernetes version', 'containerd version', 'cri version'];

/** Upstream writes `1.30(wip)` for a minor that is not out yet. */
const MINOR = /^1\.([1-9]\d{0,2})(?:\(wip\))?$/;

/** A branch with its oldest suitable version. */
const BRANCH = /^v?((?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){2})\+$/;

const CRI = /^v\d(?:(?:alpha|beta)\d)?$/;

/** A branch without a release yet: `2.0(wip)`, `1.7.tbd`. */
const PLANNED = /^v?\d{1,3}\.\d{1,3}(?:\(wip\)|\.tbd)$/;

/**
 * Returns the rows of "Kubernetes Support" in containerd's RELEASES.md, the oldest minor first; undefined for a page
 * without such a table, or with one that has a row that cannot be understood.
 */
export function readContainerdSupport(page: string): readonly ContainerdSupport[] | undefined {
  const lines = page.split('\n').map(cellsOf);
  const head = lines.findIndex((cells) => HEAD.every((word, index) => cells[index]?.toLowerCase() === word));
  if (head === -1 || !isRule(lines[head + 1])) return undefined;
  const rows: ContainerdSupport[] = [];
  for (const [minorCell = '', containerd = '', cri = ''] of lines.slice(head + 2)) {
    if (minorCell === '') break;
    const minor = MINOR.exec(minorCell)?.[1];
    if (minor === undefined) return undefined;
    const row = { minor: Number(minor), containerd, cri };
    if (containerdRange(row) === undefined || row.minor <= (rows.at(-1)?.minor ?? 0)) return undefined;
    rows.push(row);
  }
  return rows.length === 0 ? undefined : rows;
}

/** Returns the trimmed cells of a row in Markdown; empty for any other line. */
function cellsOf(line: string): readonly string[] {
  const text = line.trim();
  return text.startsWith('|') && text.endsWith('|') ? text.split('|').slice(1, -1).map(trimmed) : [];
}

function trimmed(text: string): string {
  return text.trim();
}

function isRule(cells: readonly string[] | undefined): boolean {
  return cells !== undefined && cells.length > 0 && cells.every((cell) => /^[-:]+$/.test(cell));
}

/**
 * Returns the versions of containerd that upstream's words mean, as a semver range: `2.2.0+, 2.1.5+` is
 * `>=2.2.0 || ~2.1.5`. The newest branch includes all later branches, and each other one only itself. Undefined for words
 * that cannot be understood. A kubelet without CRI v1 gets no containerd 2, which supports only CRI v1.
 */
export function containerdRange({
  containerd,
  cri,
}: Pick<ContainerdSupport, 'containerd' | 'cri'>): string | undefined {
  const words = containerd.split(',').map(trimmed);
  const versions = words.flatMap((word) => BRANCH.exec(word)?.[1] ?? []).toSorted(semver.rcompare);
  const branches = new Set(versions.map((version) => `${semver.major(version)}.${semver.minor(version)}`));
  const [newest, ...older] = versions;
  if (
    newest === undefined ||
    branches.size < versions.length ||
    !words.every((word) => BRANCH.test(word) || PLANNED.test(word))
  ) {
    return undefined;
  }
  const spoken = cri
    .replace(/ ?\*{1,2}$/, '')
    .split(',')
    .map(trimmed);
  if (!spoken.every((word) => CRI.test(word))) return undefined;
  if (spoken.includes('v1')) return [`>=${newest}`, ...older.map((version) => `~${version}`)].join(' || ');
  if (semver.major(newest) > 1) return undefined;
  return [`^${newest}`, ...older.map((version) => `~${version}`)].join(' || ');
}
