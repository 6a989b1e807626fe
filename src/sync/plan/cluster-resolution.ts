import type { Entry } from '../../config/document.ts';
import { type ImageSet, withReleases } from '../../config/image-set.ts';
import { type ClusterRelease, clusterNeeds } from '../../config/kubeadm-images.ts';
import { KubeadmKnowledge, type LearntTags } from '../../config/kubernetes/kubeadm-tags.ts';
import { type KubernetesVersion, kubernetesMinor } from '../../config/kubernetes/kubernetes-version.ts';
import type { KubernetesWord } from '../../config/kubernetes/kubernetes-word.ts';
import type { Notice } from '../../config/problem.ts';
import type { Place } from '../../lib/reporter.ts';
import type { TagList } from '../../registry/tag-list.ts';
import type { KubeadmMaker } from '../parts.ts';
import {
  chooseReleases,
  listedVersions,
  needsListing,
  type ReleaseChoice,
  unknownVersions,
} from '../select/release-choice.ts';

/** What resolving words for releases of Kubernetes needs. */
interface ResolutionParts {
  /** Lists kube-apiserver at the source; undefined if it has no such repository. Without it, nothing is listed. */
  readonly list?: (() => Promise<TagList | undefined>) | undefined;
  /** Returns the releases at the source that are not old enough; none without it. */
  readonly findYoung?: (() => Promise<ReadonlySet<KubernetesVersion>>) | undefined;
  /** What earlier runs learnt. */
  readonly learnt: readonly LearntTags[];
  /** Undefined if upstream is not asked. */
  readonly maker: KubeadmMaker | undefined;
  /** Called with each answer of upstream as soon as it arrives, so that it is kept even if the others never arrive. */
  readonly onLearnt?: ((tags: LearntTags) => void) | undefined;
  readonly signal: AbortSignal;
}

/** What words mean, and what is known about kubeadm. */
interface WordResolution {
  readonly choices: readonly ReleaseChoice[];
  /** All that is known about kubeadm now. */
  readonly kubeadm: KubeadmKnowledge;
  /** Warnings about versions whose images stay unknown. */
  readonly notices: readonly Notice[];
  /** Why the source did not list what it has; undefined if it did, or was not asked. */
  readonly listFailure: unknown;
}

/**
 * Resolves words for releases of Kubernetes. It lists the releases at the source, unless the list could change nothing.
 * It asks upstream which tags belong to versions that neither the built-in table nor the state has. If the source
 * cannot list its releases, it resolves only what is known without the list. Throws the signal's reason.
 */
export async function resolveWords(
  words: readonly Entry<KubernetesWord>[],
  parts: ResolutionParts,
): Promise<WordResolution> {
  const known = new KubeadmKnowledge(parts.learnt);
  const isListed = words.some(({ value }) => needsListing(value, known));
  const { listed, listFailure } = isListed ? await listVersions(parts) : NOT_ASKED;
  const young = isListed ? await parts.findYoung?.() : undefined;
  const choices = chooseReleases(words, listed, young);
  const { learnt, troubles } = await askMaker(unknownVersions(choices, known), parts);
  const kubeadm = new KubeadmKnowledge([...parts.learnt, ...learnt]);
  return { choices, kubeadm, notices: noticesOf(choices, kubeadm, troubles), listFailure };
}

/** A word of a set and the versions that it means, each with the origin of the tags that belong to it. */
export interface ResolvedWord {
  readonly word: string;
  readonly place: Place;
  /** The newest first. Empty if the source has none. */
  readonly versions: { readonly version: KubernetesVersion; readonly origin: string }[];
  /** Whether its meaning is unknown, because the source did not list its releases. */
  readonly isOpen: boolean;
  /** The newest release, if it is too young to be meant. */
  readonly passedOver?: KubernetesVersion | undefined;
}

/** A set whose words for releases of Kubernetes were resolved. */
interface ClusterResolution extends Pick<WordResolution, 'notices' | 'listFailure'> {
  readonly set: ImageSet;
  readonly words: readonly ResolvedWord[];
}

/** The origin that the report has for versions whose tags are unknown. */
const NOBODY = 'nobody';

/** Resolves the words for releases of Kubernetes in a set, as `resolveWords` does. */
export async function resolveCluster(set: ImageSet, parts: ResolutionParts): Promise<ClusterResolution> {
  const { choices, kubeadm, ...resolved } = await resolveWords(set.kubernetes, parts);
  const words = choices.map(({ word, place, versions, isOpen, passedOver }) => ({
    word: word.text,
    place,
    isOpen,
    passedOver,
    versions: versions.map((version) => ({ version, origin: kubeadm.answer(version)?.origin ?? NOBODY })),
  }));
  const releases = choices.flatMap((choice) => releasesOf(choice, kubeadm));
  return { set: withReleases(set, releases), words, ...resolved };
}

/** The versions that a source has. */
interface SourceVersions {
  /** Undefined if it did not list them, or was not asked. */
  readonly listed: readonly KubernetesVersion[] | undefined;
  readonly listFailure: unknown;
}

const NOT_ASKED: SourceVersions = { listed: undefined, listFailure: undefined };

async function listVersions({ list, signal }: ResolutionParts): Promise<SourceVersions> {
  if (list === undefined) return NOT_ASKED;
  try {
    const listing = await list();
    const tags = new Set([...(listing?.tags ?? []), ...(listing?.manifests.keys() ?? [])]);
    return { listed: listedVersions(tags), listFailure: undefined };
  } catch (listFailure) {
    signal.throwIfAborted();
    return { listed: undefined, listFailure };
  }
}

function releasesOf(
  { word, place, releases, versions }: ReleaseChoice,
  kubeadm: KubeadmKnowledge,
): ClusterRelease[] {
  const meant = releases.length === 0 ? [word] : releases;
  return meant.map((release) => ({
    text: release.text,
    word: word.text,
    place,
    needs: clusterNeeds(release, kubeadm, versions),
  }));
}

const ASKED_AT_ONCE = 4;

/** The answers of upstream. */
interface MakerAnswers {
  readonly learnt: readonly LearntTags[];
  /** Why there was no answer, by the requested version. */
  readonly troubles: ReadonlyMap<KubernetesVersion, readonly string[]>;
}

/**
 * Asks upstream about versions, the newest of each minor first. If there is no answer about the newest, the other
 * versions of its minor are left for the next run. If there is no answer at all, all versions are: behind a firewall,
 * each request takes seconds. "There is no such version" is an answer: a source can have tags of its own, which must
 * not prevent requests about other versions.
 */
async function askMaker(
  versions: readonly KubernetesVersion[],
  { maker, onLearnt, signal }: ResolutionParts,
): Promise<MakerAnswers> {
  const learnt: LearntTags[] = [];
  const troubles = new Map<KubernetesVersion, readonly string[]>();
  if (maker === undefined) return { learnt, troubles };
  /** Returns whether upstream answered. */
  const ask = async (version: KubernetesVersion): Promise<boolean> => {
    const answer = await maker.kubeadmTags(version, signal);
    signal.throwIfAborted();
    if (answer.found === undefined) {
      troubles.set(version, answer.troubles);
      return answer.isAbsent === true;
    }
    learnt.push(answer.found);
    onLearnt?.(answer.found);
    return true;
  };
  const minors = [...Map.groupBy(versions, kubernetesMinor).values()];
  let left = [...minors.flatMap(([first = []]) => first), ...minors.flatMap(([, ...others]) => others)];
  while (left.length > 0) {
    const some = left.slice(0, ASKED_AT_ONCE);
    const answered = await Promise.all(some.map(ask));
    if (!answered.includes(true)) break;
    const silent = new Set(some.filter((_, index) => answered[index] !== true).map(kubernetesMinor));
    left = left.slice(ASKED_AT_ONCE).filter((version) => !silent.has(kubernetesMinor(version)));
  }
  return { learnt, troubles };
}

/** Returns a warning for each minor of a word that has unknown versions, about the newest of these. */
function noticesOf(
  choices: readonly ReleaseChoice[],
  kubeadm: KubeadmKnowledge,
  troubles: MakerAnswers['troubles'],
): Notice[] {
  const [ofFirst = []] = troubles.values();
  const told = new Set<KubernetesVersion>();
  return choices.flatMap(({ versions, place }) => {
    const unknown = versions.filter((version) => !kubeadm.knows(version));
    const newest = [...Map.groupBy(unknown, kubernetesMinor).values()].flatMap(([first = []]) => first);
    return newest.flatMap((version): Notice[] => {
      if (told.has(version)) return [];
      told.add(version);
      const warning =
        kubeadm.answer(version)?.warning ??
        `the images of kubeadm ${version} are unknown, and so are those of older versions`;
      // A version that was left for the next run gets the reasons of the first failed request.
      const reasons = troubles.get(version) ?? ofFirst;
      const vain = reasons.length === 0 ? '' : `; failed requests: ${reasons.join('; ')}`;
      return [{ place, message: `${warning}${vain}` }];
    });
  });
}
