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

/** What it takes to resolve words for releases of Kubernetes. */
interface ResolutionParts {
  /** Lists kube-apiserver at the source; undefined if it has no such repository. Without it, nothing is listed. */
  readonly list?: (() => Promise<TagList | undefined>) | undefined;
  /** Returns the releases at the source that are not old enough; none without it. */
  readonly findYoung?: (() => Promise<ReadonlySet<KubernetesVersion>>) | undefined;
  /** What earlier runs learnt. */
  readonly learnt: readonly LearntTags[];
  /** Undefined if nobody is asked. */
  readonly maker: KubeadmMaker | undefined;
  /** Called with each answer of the maker as soon as it is there, so that it is kept if the others never come. */
  readonly onLearnt?: ((tags: LearntTags) => void) | undefined;
  readonly signal: AbortSignal;
}

/** What words mean, and what is known of that. */
interface WordResolution {
  readonly choices: readonly ReleaseChoice[];
  /** All that is known now. */
  readonly kubeadm: KubeadmKnowledge;
  /** Warnings about versions for which the maker was asked in vain. */
  readonly notices: readonly Notice[];
  /** Why the source did not list what it has; undefined if it did, or was not asked. */
  readonly listFailure: unknown;
}

/**
 * Resolves words for releases of Kubernetes: lists what the source has, unless all that it could change is known, and asks
 * the maker for what belongs to versions that nobody here knows. Throws the signal's reason; of a list that cannot be had,
 * only what is known without it is resolved.
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

/** A word of a set and the versions that it means, each with who says what belongs to it. */
export interface ResolvedWord {
  readonly word: string;
  readonly place: Place;
  /** The newest first. Empty if the source has none. */
  readonly versions: { readonly version: KubernetesVersion; readonly origin: string }[];
  /** Whether nobody knows what it means, as the source did not list what it has. */
  readonly isOpen: boolean;
  /** The newest release, if it is too young to be meant. */
  readonly passedOver?: KubernetesVersion | undefined;
}

/** A set whose words for releases of Kubernetes were resolved. */
interface ClusterResolution extends Pick<WordResolution, 'notices' | 'listFailure'> {
  readonly set: ImageSet;
  readonly words: readonly ResolvedWord[];
}

/** What nobody knows: the report has it where no origin can be told. */
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

/** What the maker said. */
interface MakerAnswers {
  readonly learnt: readonly LearntTags[];
  /** Why nobody answered, by the version that was asked for. */
  readonly troubles: ReadonlyMap<KubernetesVersion, readonly string[]>;
}

/**
 * Asks the maker about versions, the newest of each minor first. Where nobody answers for that one, the others of the minor
 * are left for the next run, and all if nobody answers at all: behind a wall, each question takes seconds. That there is no
 * such version is an answer: a source can have tags of its own, which must not keep the maker from being asked about others.
 */
async function askMaker(
  versions: readonly KubernetesVersion[],
  { maker, onLearnt, signal }: ResolutionParts,
): Promise<MakerAnswers> {
  const learnt: LearntTags[] = [];
  const troubles = new Map<KubernetesVersion, readonly string[]>();
  if (maker === undefined) return { learnt, troubles };
  /** Returns whether somebody answered. */
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

/** Returns a warning for each minor of a word with a version that nobody knows: about the newest one. */
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
        `the images of kubeadm ${version} are not known here, and neither are those of an older one`;
      // Of one that was left for the next run, what kept the maker from answering is why.
      const reasons = troubles.get(version) ?? ofFirst;
      const vain = reasons.length === 0 ? '' : `; failed requests: ${reasons.join('; ')}`;
      return [{ place, message: `${warning}${vain}` }];
    });
  });
}
