import type { ImageSet } from '../../config/image-set.ts';
import { APISERVER, KUBEADM_IMAGE_NAMES, KUBERNETES_PROGRAMS } from '../../config/kubeadm-images.ts';
import {
  BUILT_IN_KUBEADM,
  KubeadmKnowledge,
  kubeadmMinors,
  type LearntTags,
} from '../../config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import type { KubernetesWord } from '../../config/kubernetes/kubernetes-word.ts';
import { destinationRepository } from '../../config/mirror-naming.ts';
import type { Notice } from '../../config/problem.ts';
import { Failure } from '../../lib/failure.ts';
import { parseRepository } from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import type { TagList } from '../../registry/tag-list.ts';
import { resolveWords } from '../plan/cluster-resolution.ts';
import { youngReleases } from '../plan/release-maturity.ts';
import { listApiserver, sourceLister } from '../plan/source-listing.ts';
import { TagMaturity } from '../plan/tag-maturity.ts';
import { listedVersions } from '../select/release-choice.ts';
import { patchFor } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';
import { type KnownStateParts, openKnownState, readKnownTags } from '../state/known-state.ts';

/** The one version that a word means, and what kubeadm of it needs. */
interface InstalledRelease extends LearntTags {
  /** Whether its tags are unknown, so that those of another version are used instead. */
  readonly isAssumed: boolean;
  readonly kubeadm: KubeadmKnowledge;
  readonly notices: readonly Notice[];
}

/**
 * Returns the newest version that a word means. A version of the built-in table needs no request; for others, it asks
 * the state and then upstream. For words that are not a version, it asks the source for its releases. Throws
 * `NOT_FOUND` if the source has none, `KUBERNETES_RELEASE_UNKNOWN` if it is unknown what the version needs, and the
 * failure of the source.
 */
export async function resolveRelease(
  word: KubernetesWord,
  { settings, set }: { readonly settings: SyncSettings; readonly set: ImageSet },
  registries: Registries,
  parts: KnownStateParts,
): Promise<InstalledRelease> {
  const place = { file: '--kubernetes', line: 1, column: 1 };
  const isInTable = word.kind === 'version' && BUILT_IN_KUBEADM.knows(word.version);
  // A version that is written in full is checked even if the source does not have it.
  const listing =
    word.kind === 'version'
      ? undefined
      : await listApiserver(registries.at(settings.source), (host) => registries.at(host), parts.signal);
  const { choices, kubeadm, notices } = await resolveWords([{ value: word, place }], {
    list: word.kind === 'version' ? undefined : async () => listing,
    findYoung: () => findYoung({ settings, set }, registries, parts),
    learnt: isInTable ? [] : await readKnownTags(settings, registries, parts),
    maker: parts.maker,
    signal: parts.signal,
  });
  const version = choices[0]?.versions[0];
  if (version === undefined) throw noRelease(word, settings, listing);
  const answer = kubeadm.answer(version);
  if (answer === undefined) throw unknownRelease(version, notices);
  const { tags, origin, warning } = answer;
  return { version, tags, origin, isAssumed: warning !== undefined, kubeadm, notices };
}

/** Returns the releases at the source that a run would hold back, because they are too young. */
async function findYoung(
  { settings, set }: { readonly settings: SyncSettings; readonly set: ImageSet },
  registries: Registries,
  parts: KnownStateParts,
): Promise<ReadonlySet<KubernetesVersion>> {
  if (set.minimumAge === 0 && [...set.patches.values()].every(({ minimumAge = 0 }) => minimumAge === 0)) {
    return new Set();
  }
  using known = await openKnownState(settings, registries, parts);
  const { state } = known;
  const { signal, now = () => new Date() } = parts;
  const registry = registries.at(settings.source);
  const list = sourceLister(registry, (host) => registries.at(host));
  const names = [...KUBERNETES_PROGRAMS, ...Object.values(KUBEADM_IMAGE_NAMES)];
  const groups = names.map((name) => {
    const repository = parseRepository(name);
    const from = { host: settings.source, repository };
    const found = { name, registry, repository, list: () => list(repository, signal), namedTags: undefined };
    const patchName = patchFor(set, name)?.name;
    return { repository: destinationRepository(settings, from, { patchName }), members: [found] };
  });
  const log = { sightings: state.sightings.bind(state), sight: () => undefined };
  return await youngReleases(set, groups, {
    maturity: new TagMaturity({ log, now: now() }),
    kubeadm: new KubeadmKnowledge(state.learntTags()),
    mirrored: (repository, tags) => state.imagesOf({ host: settings.destination, repository }, tags),
    signal,
  });
}

function noRelease(
  { text }: KubernetesWord,
  { source }: SyncSettings,
  listing: TagList | undefined,
): Failure<'NOT_FOUND'> {
  const newest = listedVersions(listing?.tags ?? []).find((version) => !version.includes('-'));
  const known = newest === undefined ? '' : `, and ${newest} is its newest`;
  return new Failure({
    code: 'NOT_FOUND',
    about: `${source}/${APISERVER}`,
    message: `the source has no release of Kubernetes for "${text}"${known}`,
    hint: 'give --kubernetes a version such as 1.37.1, or --source a registry that has it',
  });
}

function unknownRelease(
  version: KubernetesVersion,
  notices: readonly Notice[],
): Failure<'KUBERNETES_RELEASE_UNKNOWN'> {
  const { oldest, newest } = kubeadmMinors();
  const [notice] = notices;
  return new Failure({
    code: 'KUBERNETES_RELEASE_UNKNOWN',
    about: `Kubernetes ${version}`,
    message: notice?.message ?? 'the images of its kubeadm are unknown',
    hint: `run synctl where it can reach dl.k8s.io or GitHub, or name a mirror of them with --upstream-mirror; without them, it supports 1.${oldest} to 1.${newest}`,
  });
}
