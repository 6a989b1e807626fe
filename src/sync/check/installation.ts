import { readImageSetIfThere } from '../../config/configuration-file.ts';
import type { ImageSet } from '../../config/image-set.ts';
import type { ImageName } from '../../config/image-set-name.ts';
import { clusterNeeds } from '../../config/kubeadm-images.ts';
import type { Architecture } from '../../config/kubernetes/architecture.ts';
import { kubeadmTags } from '../../config/kubernetes/kubeadm-tags.ts';
import { parseKubernetesRelease } from '../../config/kubernetes/kubernetes-release.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { describeFailure } from '../../lib/failure.ts';
import { RunDeadline } from '../../lib/run-deadline.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Descriptor, Manifest } from '../../registry/oci/manifest.ts';
import { entryFor } from '../../registry/oci/platform.ts';
import {
  apiHost,
  formatReference,
  parseRepository,
  parseTag,
  type Repository,
  type Tag,
} from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { describeMissing, PartsSearch } from '../copy/missing-parts.ts';
import { openRunRegistries } from '../parts.ts';
import { destinationRepository } from '../plan/naming.ts';
import { patchFor } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';
import type { KnownStateParts } from '../state/known-state.ts';
import { type KubeadmNames, kubeadmNames } from './kubeadm-names.ts';
import { type ConfigurationFile, mirrorFiles } from './mirror-configuration.ts';
import { warnOfStrangers } from './stranger-notice.ts';
import { requireLogin, viewManifest } from './tag-view.ts';

/** The Kubernetes version and architecture to install. */
export interface InstallationChoice {
  readonly version: KubernetesVersion;
  readonly architecture: Architecture;
}

/** A required image, and whether the mirror has it. */
export interface NeededImage {
  /** Its name upstream, such as `coredns/coredns:v1.14.6`. */
  readonly name: string;
  /** Its full name at the mirror. */
  readonly reference: string;
  readonly verdict: 'there' | 'incomplete' | 'missing' | 'other-platforms' | 'unknown';
  /** What is wrong. Empty if the verdict needs no explanation. */
  readonly message: string;
  readonly digest?: Digest | undefined;
}

/** The result of `synctl check --kubernetes`. */
export interface CheckedInstallation extends InstallationChoice {
  readonly mirror: string;
  readonly images: readonly NeededImage[];
  readonly names: KubeadmNames;
  /** Empty if kubeadm cannot use the names at the mirror. */
  readonly files: readonly ConfigurationFile[];
}

/** Returns whether a mirror has all required images, under names that kubeadm can use. */
export function isInstallable({ images, names }: CheckedInstallation): boolean {
  return names.kind === 'usable' && images.every(({ verdict }) => verdict === 'there');
}

interface Needed {
  readonly name: ImageName;
  readonly repository: Repository;
  readonly tag: Tag;
}

function neededImages(
  { version }: InstallationChoice,
  set: ImageSet | undefined,
  { naming, namespace, source }: SyncSettings,
): Needed[] {
  return clusterNeeds(parseKubernetesRelease(version)).map(({ name, text }) => {
    const patch = set === undefined ? undefined : patchFor(set, name)?.name;
    const from = { host: source, repository: parseRepository(name) };
    const repository = destinationRepository(naming, namespace, from, patch);
    return { name, repository, tag: parseTag(text) };
  });
}

/**
 * Returns whether the destination has all images that kubeadm of a version needs on one architecture, and the
 * configuration by which a cluster uses them. Throws failures of the settings and the image set, and
 * `COMMAND_TIMED_OUT`.
 */
export async function checkInstallation(
  choice: InstallationChoice,
  settings: SyncSettings,
  parts: KnownStateParts,
): Promise<CheckedInstallation> {
  const { reporter } = parts;
  const { destination, namespace, caFile, tlsSkipVerify } = settings;
  const set = await readImageSetIfThere(settings.imageSet);
  const { warning, tags } = kubeadmTags(choice.version) ?? {};
  if (warning !== undefined) reporter.warning(warning);
  const needed = neededImages(choice, set, settings);
  using deadline = new RunDeadline(settings.commandTimeout, parts.signal);
  const { signal } = deadline;
  const registries = await openRunRegistries(settings, { ...parts, signal, deadline: deadline.at });
  try {
    const target = registries.at(destination);
    const images = await Promise.all(needed.map((one) => lookAt(one, choice.architecture, target, signal)));
    warnOfStrangers([target], reporter);
    const repositories = new Map(needed.map(({ name, repository }) => [name, repository]));
    const names = kubeadmNames(destination, repositories);
    const pause = repositories.get('pause');
    const files =
      names.kind === 'unusable' || pause === undefined || tags === undefined
        ? []
        : mirrorFiles({
            version: choice.version,
            host: destination,
            endpoint: target.endpoint,
            caFile,
            isUnverified: tlsSkipVerify.includes(apiHost(destination)),
            repositories: names.repositories,
            pauseImage: formatReference({ host: destination, repository: pause, tag: tags.pause }),
          });
    const mirror = namespace === undefined ? destination : `${destination}/${namespace}`;
    return { ...choice, mirror, images, names, files };
  } finally {
    registries.close();
  }
}

async function lookAt(
  { name, repository, tag }: Needed,
  architecture: Architecture,
  target: Registry,
  signal: AbortSignal,
): Promise<NeededImage> {
  const wanted = `linux/${architecture}`;
  const image = {
    name: `${name}:${tag}`,
    reference: formatReference({ host: target.host, repository, tag }),
  };
  const { view, manifest } = await viewManifest(target, repository, tag, signal);
  if (view.kind === 'absent') return { ...image, verdict: 'missing', message: '' };
  if (view.kind === 'unknown') {
    await requireLogin(view, target, repository);
    return { ...image, verdict: 'unknown', message: view.reason };
  }
  const { digest, platforms = [] } = view;
  const fits = platforms.some((platform) => platform === wanted || platform.startsWith(`${wanted}/`));
  if (!fits && platforms.length > 0) {
    return { ...image, digest, verdict: 'other-platforms', message: `only for ${platforms.join(', ')}` };
  }
  const child = manifest === undefined ? undefined : childFor(manifest, architecture);
  try {
    // Other tools may leave an index without all its images there, and garbage collections an image without its layers.
    const isNeeded = (listed: Descriptor): boolean => child === undefined || listed.digest === child;
    const { missing } = await new PartsSearch(target, signal).lookBelow(repository, digest, {
      wants: isNeeded,
    });
    if (missing.length === 0) return { ...image, digest, verdict: 'there', message: '' };
    return { ...image, digest, verdict: 'incomplete', message: `it lacks ${describeMissing(missing)}` };
  } catch (error) {
    signal.throwIfAborted();
    return { ...image, digest, verdict: 'unknown', message: describeFailure(error) };
  }
}

function childFor(manifest: Manifest, architecture: Architecture): Digest | undefined {
  if (manifest.kind === 'image') return undefined;
  return entryFor(manifest.manifests, { os: 'linux', architecture })?.digest;
}
