import { readImageSetIfThere } from '../../config/configuration-file.ts';
import { EMPTY_IMAGE_SET, type ImageSet } from '../../config/image-set.ts';
import type { ImageName } from '../../config/image-set-name.ts';
import { clusterNeeds } from '../../config/kubeadm-images.ts';
import type { Architecture } from '../../config/kubernetes/architecture.ts';
import { kubeadmTags } from '../../config/kubernetes/kubeadm-tags.ts';
import { parseKubernetesRelease } from '../../config/kubernetes/kubernetes-release.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { describeFailure } from '../../lib/failure.ts';
import { RunDeadline } from '../../lib/run-deadline.ts';
import { countOf, joinWords } from '../../lib/text/sentence.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Descriptor, Manifest } from '../../registry/oci/manifest.ts';
import {
  apiHost,
  formatReference,
  parseRepository,
  parseTag,
  type Repository,
  type Tag,
} from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { SignatureCheck } from '../../signatures/signature-check.ts';
import type { RepositoryName } from '../../signatures/signed-name.ts';
import { describeMissing, type PartsBelow, PartsSearch } from '../copy/missing-parts.ts';
import { openRunRegistries } from '../parts.ts';
import { destinationRepository } from '../plan/naming.ts';
import { patchFor } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';
import type { KnownStateParts } from '../state/known-state.ts';
import { areSignaturesFine, type CheckedSignature, checkInstalledSignature } from './check-signatures.ts';
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
  /** Defined if signatures are checked and the mirror has the tag. */
  readonly signature?: CheckedSignature | undefined;
}

/** The result of `synctl check --kubernetes`. */
export interface CheckedInstallation extends InstallationChoice {
  readonly mirror: string;
  readonly images: readonly NeededImage[];
  readonly requiresSignatures: boolean;
  readonly names: KubeadmNames;
  /** Empty if kubeadm cannot use the names at the mirror. */
  readonly files: readonly ConfigurationFile[];
}

/** Returns whether a mirror has all required images, with signatures if required, under names that kubeadm can use. */
export function isInstallable({ images, names, requiresSignatures }: CheckedInstallation): boolean {
  const isThere = images.every(({ verdict }) => verdict === 'there');
  return names.kind === 'usable' && isThere && areSignaturesFine({ tags: images, requiresSignatures });
}

interface Needed {
  readonly name: ImageName;
  readonly from: RepositoryName;
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
    return { name, from, repository, tag: parseTag(text) };
  });
}

/**
 * Returns whether the destination has all images that kubeadm of a version needs on one architecture, and the
 * configuration by which a cluster uses them. The source is asked for signatures only that are not there. Throws
 * failures of the settings and the image set, and `COMMAND_TIMED_OUT`.
 */
export async function checkInstallation(
  choice: InstallationChoice,
  settings: SyncSettings,
  parts: KnownStateParts,
): Promise<CheckedInstallation> {
  const { reporter } = parts;
  const { destination, namespace, caFile, tlsSkipVerify, verifySignatures, trustedRoot } = settings;
  using deadline = new RunDeadline(settings.commandTimeout, parts.signal);
  const { signal } = deadline;
  const set = await readImageSetIfThere(settings.imageSet, signal);
  const { signatures: policies } = set ?? EMPTY_IMAGE_SET;
  const signatures = await SignatureCheck.open(
    verifySignatures,
    { policies, trustedRoot, file: settings.imageSet },
    signal,
  );
  const { warning, tags } = kubeadmTags(choice.version) ?? {};
  if (warning !== undefined) reporter.warning(warning);
  const needed = neededImages(choice, set, settings);
  const registries = await openRunRegistries(settings, { ...parts, signal, deadline: deadline.at });
  try {
    const target = registries.at(destination);
    const { architecture } = choice;
    const look = { architecture, target, source: registries.at(settings.source), signatures, signal };
    const images = await Promise.all(needed.map((one) => lookAt(one, look)));
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
    const requiresSignatures = verifySignatures === 'require';
    return { ...choice, mirror, images, requiresSignatures, names, files };
  } finally {
    registries.close();
  }
}

interface Look {
  readonly architecture: Architecture;
  readonly target: Registry;
  readonly source: Registry;
  /** What verifies signatures; undefined if none are wanted. */
  readonly signatures: SignatureCheck | undefined;
  readonly signal: AbortSignal;
}

async function lookAt(
  { name, from, repository, tag }: Needed,
  { architecture, target, source, signatures, signal }: Look,
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
  if (platforms.length === 0) return { ...image, digest, verdict: 'unknown', message: NO_PLATFORM };
  const children = manifest === undefined ? [] : childrenFor(manifest, architecture);
  const signature =
    signatures &&
    (await checkInstalledSignature(
      signatures,
      {
        name: from,
        tag,
        about: image.reference,
        digest,
        children: manifest === undefined ? [] : takeableFrom(manifest, architecture),
        places: [
          { registry: target, repository },
          { registry: source, repository: from.repository },
        ],
      },
      signal,
    ));
  const seen = { ...image, digest, signature };
  try {
    // Other tools may leave an index without all its images there, and garbage collections an image without its layers.
    const isNeeded = (listed: Descriptor): boolean =>
      children.length === 0 || children.includes(listed.digest);
    const below = await new PartsSearch(target, signal).lookBelow(repository, digest, { wants: isNeeded });
    const { missing, elsewhere } = below;
    if (missing.length > 0)
      return { ...seen, verdict: 'incomplete', message: `it lacks ${describeMissing(missing)}` };
    if (elsewhere > 0) return { ...seen, verdict: 'incomplete', message: describeElsewhere(elsewhere) };
    return { ...seen, verdict: 'there', message: describeUntold(below) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...seen, verdict: 'unknown', message: describeFailure(error) };
  }
}

const NO_PLATFORM = 'it does not tell for which platform it is';

/** Returns what of an image that is there could not be asked for. Empty if all of it was told. */
function describeUntold({ untold, unshown }: PartsBelow): string {
  const parts = [
    ...(unshown === 0 ? [] : [`show ${countOf(unshown, 'manifest')}`]),
    ...(untold === 0 ? [] : [`tell about ${countOf(untold, 'blob')}`]),
  ];
  return parts.length === 0 ? '' : `by its tag, as the mirror refuses to ${joinWords(parts)} of it`;
}

/** Images of Linux have no such layers, and machines would fetch them from addresses that the manifest names. */
function describeElsewhere(count: number): string {
  return `it lacks ${countOf(count, 'layer')} of a type that is not distributed; synctl sync does not copy these`;
}

/** Returns what an index lists for an architecture, of any variant: which one is taken depends on the machine. */
function childrenFor(manifest: Manifest, architecture: Architecture): readonly Digest[] {
  if (manifest.kind === 'image') return [];
  return manifest.manifests.flatMap(({ platform, digest }) =>
    platform?.os === 'linux' && platform.architecture === architecture ? [digest] : [],
  );
}

/**
 * Returns what a machine of an architecture may take from an index: what is for it, and what does not say for which
 * platform it is. containerd then looks into the configuration, and reads a missing system as its own.
 * https://github.com/containerd/platforms/blob/main/database.go
 */
function takeableFrom(manifest: Manifest, architecture: Architecture): readonly Digest[] {
  const fitting = childrenFor(manifest, architecture);
  if (manifest.kind === 'image' || fitting.length === 0) return [];
  const silent = manifest.manifests.filter(({ platform }) => platform === undefined);
  return [...fitting, ...silent.map(({ digest }) => digest)];
}
