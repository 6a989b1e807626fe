import { readImageSetIfThere } from '../../config/configuration-file.ts';
import { EMPTY_IMAGE_SET, type ImageSet } from '../../config/image-set.ts';
import { type ImageName, KUBERNETES_REGISTRY } from '../../config/image-set-name.ts';
import { clusterNeeds } from '../../config/kubeadm-images.ts';
import type { Architecture } from '../../config/kubernetes/architecture.ts';
import type { KubeadmKnowledge } from '../../config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import type { KubernetesWord } from '../../config/kubernetes/kubernetes-word.ts';
import { destinationRepository } from '../../config/mirror-naming.ts';
import { describeFailure } from '../../lib/failure.ts';
import { RunDeadline } from '../../lib/run-deadline.ts';
import { countOf, joinWords } from '../../lib/text/sentence.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Descriptor, Manifest } from '../../registry/oci/manifest.ts';
import {
  apiHost,
  formatReference,
  type Host,
  parseHost,
  parseRepository,
  parseTag,
  type Repository,
  type Tag,
} from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { SignatureCheck } from '../../signatures/signature-check.ts';
import type { RepositoryName } from '../../signatures/signed-name.ts';
import { describeMissing, type PartsBelow, PartsSearch } from '../copy/missing-parts.ts';
import { openRegistriesWithoutLogin, openRunRegistries } from '../parts.ts';
import { patchFor } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';
import type { KnownStateParts } from '../state/known-state.ts';
import { type AnonymousPull, askWithoutLogin, type SeenTag } from './anonymous-pull.ts';
import { areSignaturesFine, type CheckedSignature, checkInstalledSignature } from './check-signatures.ts';
import { resolveRelease } from './installed-release.ts';
import { type KubeadmNames, kubeadmNames } from './kubeadm-names.ts';
import { type ConfigurationFile, mirrorFiles } from './mirror-configuration.ts';
import { mirroredNames } from './mirrored-names.ts';
import { findNetworkImages, type NetworkImage } from './network-images.ts';
import { warnOfStrangers } from './stranger-notice.ts';
import { requireLogin, viewManifest } from './tag-view.ts';
import { type MirroredName, upstreamHosts } from './upstream-hosts.ts';

/** The Kubernetes version and architecture to install. */
export interface InstallationChoice {
  /** A word that means one version. If it means several releases, the newest is checked. */
  readonly word: KubernetesWord;
  readonly architecture: Architecture;
}

/** A required image, and whether the mirror has it. */
export interface NeededImage {
  /** Its name upstream, such as `coredns/coredns:v1.14.6`, with the host if that is not registry.k8s.io. */
  readonly name: string;
  /** Who needs it: kubeadm, or a network plugin that the image set names. */
  readonly for: 'kubeadm' | 'cni';
  /** Whether an installation with upstream's defaults does not need it. */
  readonly isOptional: boolean;
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
  readonly version: KubernetesVersion;
  /** The origin of the tags that belong to the version, for people, such as `table` or `kubernetes v1.38.0`. */
  readonly origin: string;
  /** Whether its tags are unknown, so that those of another version are used instead. */
  readonly isAssumed: boolean;
  readonly mirror: string;
  /** The required images of kubeadm and of the network plugins, and the optional ones of the plugins. */
  readonly images: readonly NeededImage[];
  /** Whether machines can pull what is there without the login of this run. */
  readonly withoutLogin: AnonymousPull;
  readonly requiresSignatures: boolean;
  readonly names: KubeadmNames;
  /** Empty if kubeadm cannot use the names at the mirror. */
  readonly files: readonly ConfigurationFile[];
  /** Images of the set that containerd cannot find at the mirror by the names that manifests have for them. */
  readonly unfound: readonly MirroredName[];
}

/** Returns whether a mirror has all required images, with signatures if required, under names that kubeadm can use. */
export function isInstallable({ images, names, requiresSignatures }: CheckedInstallation): boolean {
  const tags = images.filter(({ isOptional }) => !isOptional);
  const isThere = tags.every(({ verdict }) => verdict === 'there');
  return names.kind === 'usable' && isThere && areSignaturesFine({ tags, requiresSignatures });
}

interface Needed extends Pick<NeededImage, 'for' | 'isOptional'> {
  readonly name: ImageName;
  readonly from: RepositoryName;
  readonly repository: Repository;
  readonly tag: Tag;
}

function neededImages(
  version: KubernetesVersion,
  kubeadm: KubeadmKnowledge,
  set: ImageSet | undefined,
  settings: SyncSettings,
): Needed[] {
  const release = { kind: 'version', text: version, version } as const;
  return clusterNeeds(release, kubeadm, [version]).map(({ name, text }): Needed => {
    const patchName = set === undefined ? undefined : patchFor(set, name)?.name;
    const from = { host: settings.source, repository: parseRepository(name) };
    const repository = destinationRepository(settings, from, { patchName });
    return { for: 'kubeadm', isOptional: false, name, from, repository, tag: parseTag(text) };
  });
}

/**
 * Returns whether the destination has all images that kubeadm of a version needs on one architecture, and the
 * configuration by which a cluster uses them. The source is asked only for signatures that the destination lacks.
 * Throws failures of the settings and the image set, and `COMMAND_TIMED_OUT`.
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
  const limits = { ...parts, signal, deadline: deadline.at };
  const registries = await openRunRegistries(settings, limits);
  const strangers = await openRegistriesWithoutLogin(settings, limits, registries);
  try {
    const wanted = { settings, set: set ?? EMPTY_IMAGE_SET };
    const release = await resolveRelease(choice.word, wanted, registries, { ...parts, signal });
    const { version, origin, isAssumed, tags, kubeadm } = release;
    for (const { message } of release.notices) reporter.warning(message);
    const needed = neededImages(version, kubeadm, set, settings);
    const target = registries.at(destination);
    const { architecture } = choice;
    const look = { architecture, target, sourceAt: (host: Host) => registries.at(host), signatures, signal };
    const network = findNetworkImages(set ?? EMPTY_IMAGE_SET, settings, target, signal);
    const looks = [
      ...(await Promise.all(needed.map((one) => lookAt(one, look)))),
      ...(await Promise.all((await network).map((one) => lookAtNetwork(one, look)))),
    ];
    const images = looks.map(({ image }) => image);
    const seen = looks.flatMap((one) => one.seen ?? []);
    const withoutLogin = await askWithoutLogin(seen, strangers.at(destination), signal);
    warnOfStrangers([target], reporter);
    const repositories = new Map(needed.map(({ name, repository }) => [name, repository]));
    const names = kubeadmNames(destination, repositories);
    const pause = repositories.get('pause');
    const upstream = parseHost(KUBERNETES_REGISTRY);
    const hosts = upstreamHosts([
      ...needed.map(({ name, repository }) => ({
        host: upstream,
        repository: parseRepository(name),
        mirror: repository,
      })),
      ...mirroredNames(set ?? EMPTY_IMAGE_SET, settings).filter(
        ({ host, repository }) => host !== upstream || !repositories.has(repository),
      ),
    ]);
    const files =
      names.kind === 'unusable' || pause === undefined
        ? []
        : mirrorFiles({
            version,
            host: destination,
            endpoint: target.endpoint,
            caFile,
            isUnverified: tlsSkipVerify.includes(apiHost(destination)),
            repositories: names.repositories,
            upstreams: hosts,
            pauseImage: formatReference({ host: destination, repository: pause, tag: tags.pause }),
          });
    const mirror = namespace === undefined ? destination : `${destination}/${namespace}`;
    const requiresSignatures = verifySignatures === 'require';
    const unfound = hosts.flatMap((host) => host.unfound);
    const facts = { version, origin, isAssumed, mirror, requiresSignatures };
    return { ...choice, ...facts, images, withoutLogin, names, files, unfound };
  } finally {
    strangers.close();
    registries.close();
  }
}

interface Look {
  readonly architecture: Architecture;
  readonly target: Registry;
  readonly sourceAt: (host: Host) => Registry;
  /** What verifies signatures; undefined if none are wanted. */
  readonly signatures: SignatureCheck | undefined;
  readonly signal: AbortSignal;
}

/** An image, and what the mirror has under its tag, if anything. */
interface Looked {
  readonly image: NeededImage;
  readonly seen?: SeenTag | undefined;
}

async function lookAt(needed: Needed, look: Look): Promise<Looked> {
  const image = await judge(needed, look);
  const { repository, tag } = needed;
  const { digest } = image;
  return { image, seen: digest && { repository, tag, digest } };
}

async function judge(
  { for: whose, isOptional, name, from, repository, tag }: Needed,
  { architecture, target, sourceAt, signatures, signal }: Look,
): Promise<NeededImage> {
  const wanted = `linux/${architecture}`;
  const image = {
    for: whose,
    isOptional,
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
          { registry: sourceAt(from.host), repository: from.repository },
        ],
      },
      signal,
    ));
  const seen = { ...image, digest, signature };
  try {
    // Other tools may leave an index without some of its images, and garbage collections may leave an image without its
    // layers.
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

/** Returns whether the mirror has a release of an image of a network plugin: the newest one that the set wants. */
async function lookAtNetwork(
  { name, from, repository, tag, reason, isOptional }: NetworkImage,
  look: Look,
): Promise<Looked> {
  if (tag !== undefined) return await lookAt({ for: 'cni', isOptional, name, from, repository, tag }, look);
  const reference = formatReference({ host: look.target.host, repository });
  const verdict = reason === undefined ? 'missing' : 'unknown';
  return { image: { for: 'cni', isOptional, name, reference, verdict, message: reason ?? '' } };
}

const NO_PLATFORM = 'it does not name its platform';

/** Returns which parts of an image could not be checked. Empty if all of them were. */
function describeUntold({ untold, unshown }: PartsBelow): string {
  const parts = [
    ...(unshown === 0 ? [] : [`show ${countOf(unshown, 'manifest')}`]),
    ...(untold === 0 ? [] : [`confirm ${countOf(untold, 'blob')}`]),
  ];
  return parts.length === 0
    ? ''
    : `by its tag alone, because the mirror refuses to ${joinWords(parts)} of it`;
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
 * Returns what a machine of an architecture may take from an index: the entries for it, and those that name no
 * platform. For these, containerd reads the configuration, and takes a missing operating system for its own.
 * https://github.com/containerd/platforms/blob/main/database.go
 */
function takeableFrom(manifest: Manifest, architecture: Architecture): readonly Digest[] {
  const fitting = childrenFor(manifest, architecture);
  if (manifest.kind === 'image' || fitting.length === 0) return [];
  const silent = manifest.manifests.filter(({ platform }) => platform === undefined);
  return [...fitting, ...silent.map(({ digest }) => digest)];
}
