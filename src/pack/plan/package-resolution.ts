import type { FoundImage } from '../../config/images/found-images.ts';
import { KUBERNETES_PROGRAMS } from '../../config/kubeadm-images.ts';
import type { Architecture } from '../../config/kubernetes/architecture.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { ConfigurationFailure } from '../../config/problem.ts';
import { unmatchedScopes } from '../../config/unmatched-scope.ts';
import type { Versions } from '../../config/versions.ts';
import type { AddonManifest } from '../manifest/addon-manifest.ts';
import { resolveAddons } from './addon-resolution.ts';
import { allImages } from './all-images.ts';
import { requireOwnPlaces, resolveComponents } from './component-resolution.ts';
import { requireOwnNames, resolveImages } from './image-resolution.ts';
import type { ImageSource } from './image-source.ts';
import { knownComponent } from './known-component.ts';
import { isKnownAs } from './known-image.ts';
import { type BetaSuffix, packageName } from './package-name.ts';
import type { ImagePlan, PackagePlan } from './plan.ts';
import { BUILT_IN_KNOWLEDGE, type ReleaseKnowledge } from './release-knowledge.ts';
import { beginResolution, noticeLastKnown, type Resolution } from './resolution.ts';

/** What the flags say about a package. */
interface ResolutionSettings {
  /** The version that `--kube-version` means: it sets the kube-* images, kubelet, kubectl, kubeadm and every `auto`. */
  readonly kubeVersion?: KubernetesVersion | undefined;
  /** `--arch`: overrides the file's; amd64 if neither is given. */
  readonly arch?: Architecture | undefined;
  readonly beta?: BetaSuffix | undefined;
  readonly imageSource: ImageSource;
}

function noticeMissing(images: readonly ImagePlan[], { choice, knowledge, findings }: Resolution): void {
  const tags = knowledge.kubeadm(choice.version)?.tags;
  if (tags === undefined || images.length === 0) return;
  const wanted = [...KUBERNETES_PROGRAMS, ...Object.keys(tags)];
  const missing = wanted.filter((name) => !images.some((image) => isKnownAs(image, name)));
  if (missing.length > 0) {
    findings.notice(
      `kubeadm ${choice.version} also needs ${missing.join(', ')}, which the package will not contain`,
    );
  }
}

/**
 * Returns what a versions.json means for exactly one Kubernetes and one architecture, so that the name of the package
 * and its content cannot disagree. `manifests` are those of its add-ons by their names; without them, the plan lacks the
 * images that they name. Throws `CONFIGURATION_MALFORMED` with every problem and its place.
 */
export function resolvePackage(
  versions: Versions,
  settings: ResolutionSettings,
  {
    manifests = new Map(),
    knowledge = BUILT_IN_KNOWLEDGE,
    isDraft = false,
    given = [],
  }: {
    readonly manifests?: ReadonlyMap<string, AddonManifest> | undefined;
    readonly knowledge?: ReleaseKnowledge | undefined;
    /** Whether upstream is still to be asked. The plan then lacks what only upstream knows. */
    readonly isDraft?: boolean | undefined;
    /** Images that are packed in addition to what the file names. */
    readonly given?: readonly FoundImage[] | undefined;
  } = {},
): PackagePlan {
  const wanted = { version: settings.kubeVersion, arch: settings.arch };
  const resolution = beginResolution(versions, wanted, knowledge);
  const { choice, findings } = resolution;
  const { imageSource: source } = settings;
  const listed = resolveImages(versions.images, source, resolution);
  const addons = resolveAddons(versions.addons, versions.file, resolution).map((addon) => ({
    ...addon,
    manifest: manifests.get(addon.name),
  }));
  const components = resolveComponents(versions.components, resolution);
  requireOwnPlaces(components, addons, resolution);
  const hasPlugins = components.some(({ name }) => knownComponent(name)?.name === 'cni-plugins');
  const { file } = versions;
  const images = allImages(listed, addons, { given, file, source, hasPlugins, resolution });
  requireOwnNames(images, resolution);
  const problems = isDraft ? findings.problems : [...findings.problems, ...findings.gaps];
  if (problems.length > 0) throw new ConfigurationFailure(versions.file, problems);
  noticeMissing(images, resolution);
  noticeLastKnown(resolution);
  const named = images.map(({ upstream }) => ({ ...upstream, tags: undefined }));
  return {
    fileName: packageName(choice.version, choice.arch, settings.beta),
    kubernetes: choice.version,
    arch: choice.arch,
    platform: { os: 'linux', architecture: choice.arch },
    kubeadm: knowledge.kubeadm(choice.version),
    matching: findings.matching,
    images,
    components,
    addons,
    signatures: versions.signatures,
    notices: [
      ...[...versions.notices, ...unmatchedScopes(versions.scopes, named)].map(({ message, place }) => ({
        text: message,
        place,
      })),
      ...findings.notices,
    ],
  };
}
