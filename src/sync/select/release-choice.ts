import { prerelease, rcompare, SemVer } from 'semver';
import type { Entry } from '../../config/document.ts';
import type { KubeadmKnowledge } from '../../config/kubernetes/kubeadm-tags.ts';
import {
  type KubernetesVersion,
  kubernetesMinor,
  toKubernetesVersion,
} from '../../config/kubernetes/kubernetes-version.ts';
import type { KubernetesRelease, KubernetesWord } from '../../config/kubernetes/kubernetes-word.ts';
import type { Place } from '../../lib/reporter.ts';

/** What a word under `kubernetes` of a set means at a source. */
export interface ReleaseChoice {
  readonly word: KubernetesWord;
  readonly place: Place;
  /** Empty if the source has nothing that the word could mean, or did not list what it has. */
  readonly releases: readonly KubernetesRelease[];
  /** The versions that they are, the newest first. Empty if the source has none of them. */
  readonly versions: readonly KubernetesVersion[];
  /** The release that it would mean if that were old enough. */
  readonly passedOver?: KubernetesVersion | undefined;
  /** Whether its meaning is unknown, because the source did not list its releases. */
  readonly isOpen: boolean;
}

/** Upstream maintains the newest minor and the two before it. https://kubernetes.io/releases/ */
const MAINTAINED_MINORS = 3;
/** Several times what minors have. A malicious source must not cost endless work. */
const MINOR_LIMIT = 100;
/** More new versions than the maintained minors ever have. */
const ASKED_LIMIT = 60;

/** Returns the versions of Kubernetes among the tags of kube-apiserver, the newest first. */
export function listedVersions(tags: Iterable<string>): KubernetesVersion[] {
  return [...tags]
    .flatMap((tag) => (tag.startsWith('v') ? (toKubernetesVersion(tag) ?? []) : []))
    .map((version) => ({ version, parsed: new SemVer(version) }))
    .toSorted((one, other) => other.parsed.compare(one.parsed))
    .map(({ version }) => version);
}

/** Returns whether the releases that a source has matter for what a word means, or for what belongs to it. */
export function needsListing(word: KubernetesWord, kubeadm: KubeadmKnowledge): boolean {
  return word.kind !== 'version' || !kubeadm.knows(word.version);
}

/**
 * Returns what words mean at a source that has some versions, the newest first; `listed` is undefined if it did not
 * list them. A word means a pre-release only if it is written in full. The same applies to releases that are too
 * `young`, unless there are no others.
 */
export function chooseReleases(
  words: readonly Entry<KubernetesWord>[],
  listed: readonly KubernetesVersion[] | undefined,
  young: ReadonlySet<KubernetesVersion> = new Set(),
): ReleaseChoice[] {
  const all = (listed ?? []).filter((version) => prerelease(version) === null);
  const mature = all.filter((version) => !young.has(version));
  const stable = mature.length === 0 ? all : mature;
  const [newest] = stable;
  const passedOver = all[0] === newest ? undefined : all[0];
  const ofMinor = (minor: number) =>
    stable.filter((version) => kubernetesMinor(version) === minor).slice(0, MINOR_LIMIT);
  const choose = (word: KubernetesWord): Pick<ReleaseChoice, 'releases' | 'versions'> => {
    switch (word.kind) {
      case 'version': {
        const isThere = listed?.includes(word.version) ?? true;
        return { releases: [word], versions: isThere ? [word.version] : [] };
      }
      case 'minor':
        return { releases: [word], versions: ofMinor(word.minor) };
      case 'latest': {
        const version = newest && ofMinor(kubernetesMinor(newest) - word.back)[0];
        if (version === undefined) return { releases: [], versions: [] };
        return { releases: [{ kind: 'version', text: version, version }], versions: [version] };
      }
      case 'supported': {
        if (newest === undefined) return { releases: [], versions: [] };
        const minors = Array.from({ length: MAINTAINED_MINORS }, (_, back) => kubernetesMinor(newest) - back);
        const releases = minors
          .filter((minor) => minor >= 0)
          .map((minor): KubernetesRelease => ({ kind: 'minor', text: `1.${minor}`, minor }));
        return { releases, versions: minors.flatMap(ofMinor) };
      }
    }
  };
  return words.map(({ value, place }) => {
    const isOpen = listed === undefined && value.kind !== 'version';
    const isNewest = value.kind === 'supported' || (value.kind === 'latest' && value.back === 0);
    return { word: value, place, isOpen, passedOver: isNewest ? passedOver : undefined, ...choose(value) };
  });
}

/**
 * Returns the versions whose kubeadm is unknown, the newest first; at most 60, in which case the oldest are left out.
 */
export function unknownVersions(
  choices: readonly ReleaseChoice[],
  kubeadm: KubeadmKnowledge,
): KubernetesVersion[] {
  const all = new Set(choices.flatMap(({ versions }) => versions));
  return [...all]
    .filter((version) => !kubeadm.knows(version))
    .toSorted(rcompare)
    .slice(0, ASKED_LIMIT);
}
