import type { ImageSet } from '../../config/image-set.ts';
import { KUBEADM_IMAGE_NAMES, KUBERNETES_PROGRAMS } from '../../config/kubeadm-images.ts';
import type { KubeadmKnowledge } from '../../config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { TagList } from '../../registry/tag-list.ts';
import { listedVersions } from '../select/release-choice.ts';
import { minimumAgeFor } from '../select/selection.ts';
import type { RecordedImage } from '../state/image-rows.ts';
import type { FoundRepository } from './discovery.ts';
import type { RepositoryGroup } from './naming.ts';
import type { TagMaturity } from './tag-maturity.ts';

interface ReleaseParts {
  readonly maturity: TagMaturity;
  /** What is known about the images that kubeadm of each release needs. */
  readonly kubeadm: KubeadmKnowledge;
  /** Returns the images that were mirrored to tags of a destination repository. */
  readonly mirrored: (destination: Repository, tags: readonly Tag[]) => ReadonlyMap<Tag, RecordedImage>;
  readonly signal: AbortSignal;
}

/** A repository that releases need, and which of its tags are too young. */
interface AgedRepository {
  readonly found: FoundRepository;
  readonly listing: TagList;
  readonly young: ReadonlySet<Tag>;
}

/** More new releases than there are in a month. */
const NEW_RELEASES = 12;

/**
 * Returns the releases of Kubernetes that have an image at the source which is not known to be old enough. Images that
 * cannot be listed hold no release back, and neither do unknown images of kubeadm: each tag is judged again before it
 * is copied.
 */
export async function youngReleases(
  set: ImageSet,
  groups: readonly Pick<RepositoryGroup, 'repository' | 'members'>[],
  parts: ReleaseParts,
): Promise<ReadonlySet<KubernetesVersion>> {
  const repositories = new Map<string, AgedRepository>();
  const wanted = new Set<string>([...KUBERNETES_PROGRAMS, ...Object.values(KUBEADM_IMAGE_NAMES)]);
  await Promise.all(
    groups.flatMap(({ repository: destination, members }) =>
      members
        .filter(({ name }) => wanted.has(name))
        .map(async (found) => {
          const minimumAge = minimumAgeFor(set, found.name);
          const listing = minimumAge === 0 ? undefined : await found.list().catch(() => undefined);
          if (listing === undefined) return;
          const recorded = parts.mirrored(destination, [...listing.tags, ...listing.manifests.keys()]);
          const mirrored = (tag: Tag) => recorded.get(tag)?.sourceDigest;
          const source = { host: found.registry.host, repository: found.repository };
          const young = parts.maturity.youngIn(source, listing, { minimumAge, mirrored });
          repositories.set(found.name, { found, listing, young });
        }),
    ),
  );
  const tags = KUBERNETES_PROGRAMS.flatMap((name) => {
    const listing = repositories.get(name)?.listing;
    return listing === undefined ? [] : [...listing.tags, ...listing.manifests.keys()];
  });
  const versions = listedVersions(new Set(tags)).filter((version) => !version.includes('-'));
  const youngImages = new Map(
    versions.map((version) => [version, imagesOf(version, parts.kubeadm, repositories)] as const),
  );
  await sightNew([...youngImages.values()], parts);
  return new Set(versions.filter((version) => youngImages.get(version)?.length !== 0));
}

interface YoungImage extends AgedRepository {
  readonly tag: Tag;
}

/** Returns the images of a release that are too young. */
function imagesOf(
  version: KubernetesVersion,
  kubeadm: KubeadmKnowledge,
  repositories: ReadonlyMap<string, AgedRepository>,
): YoungImage[] {
  const known = kubeadm.knows(version) ? kubeadm.answer(version)?.tags : undefined;
  const needed = [
    ...KUBERNETES_PROGRAMS.map((name) => [name, `v${version}`] as const),
    ...(['etcd', 'coredns', 'pause'] as const).flatMap((image) =>
      known === undefined ? [] : [[KUBEADM_IMAGE_NAMES[image], known[image]] as const],
    ),
  ];
  return needed.flatMap(([name, text]) => {
    const repository = repositories.get(name);
    const tag = [...(repository?.young ?? [])].find((each) => each === text);
    return repository === undefined || tag === undefined ? [] : [{ ...repository, tag }];
  });
}

/**
 * Records the digests of the releases that are newer than all that are old enough, if the source lists no digests. As
 * long as no word means these releases, nothing else requests their digests, so they would never become old enough.
 */
async function sightNew(
  releases: readonly (readonly YoungImage[])[],
  { maturity, signal }: ReleaseParts,
): Promise<void> {
  const firstOld = releases.findIndex((images) => images.length === 0);
  const fresh = firstOld === -1 ? [] : releases.slice(0, Math.min(firstOld, NEW_RELEASES));
  const unlisted = fresh.flat().filter(({ listing, tag }) => !listing.manifests.has(tag));
  const asked = new Map(unlisted.map((image) => [`${image.found.name}:${image.tag}`, image]));
  await Promise.all(
    [...asked.values()].map(async ({ found: { registry, repository }, tag }) => {
      const there = await registry.findManifest(repository, tag, signal).catch(() => undefined);
      signal.throwIfAborted();
      if (there !== undefined) maturity.sight({ host: registry.host, repository, tag }, there.digest);
    }),
  );
}
