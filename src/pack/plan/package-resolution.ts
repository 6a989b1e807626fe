import { KUBERNETES_PROGRAMS } from '../../config/kubeadm-images.ts';
import type { Architecture } from '../../config/kubernetes/architecture.ts';
import { kubeadmTags } from '../../config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { ConfigurationFailure } from '../../config/problem.ts';
import { unmatchedScopes } from '../../config/unmatched-scope.ts';
import type { Versions } from '../../config/versions.ts';
import { resolveComponents } from './component-resolution.ts';
import { resolveImages } from './image-resolution.ts';
import type { ImageSource } from './image-source.ts';
import { type BetaSuffix, packageName } from './package-name.ts';
import type { ImagePlan, PackagePlan } from './plan.ts';
import { beginResolution, type Resolution } from './resolution.ts';

/** What the flags say about a package. */
interface ResolutionSettings {
  /** `--kube-version`: sets the kube-* images, kubelet, kubectl, kubeadm and every `auto`. */
  readonly kubeVersion?: KubernetesVersion | undefined;
  /** `--arch`: overrides the file's; amd64 if neither is given. */
  readonly arch?: Architecture | undefined;
  readonly beta?: BetaSuffix | undefined;
  readonly imageSource: ImageSource;
}

function noticeMissing(images: readonly ImagePlan[], { choice, findings }: Resolution): void {
  const tags = kubeadmTags(choice.version)?.tags;
  if (tags === undefined || images.length === 0) return;
  const packed = new Set<string>(images.map(({ upstream }) => upstream.repository.split('/').at(-1) ?? ''));
  const wanted = [...KUBERNETES_PROGRAMS, ...Object.keys(tags)];
  const missing = wanted.filter((name) => !packed.has(name));
  if (missing.length > 0) {
    findings.notice(
      `kubeadm ${choice.version} also wants ${missing.join(', ')}, which the package will not have`,
    );
  }
}

/**
 * Returns what a versions.json means for exactly one Kubernetes and one architecture, so that the name of the package
 * and its content cannot disagree. Throws `CONFIGURATION_MALFORMED` with every problem and its place.
 */
export function resolvePackage(versions: Versions, settings: ResolutionSettings): PackagePlan {
  const wanted = { version: settings.kubeVersion, arch: settings.arch };
  const resolution = beginResolution(versions, wanted);
  const { choice, findings } = resolution;
  const images = resolveImages(versions.images, settings.imageSource, resolution);
  const components = resolveComponents(versions.components, resolution);
  if (findings.problems.length > 0) throw new ConfigurationFailure(versions.file, findings.problems);
  noticeMissing(images, resolution);
  const named = images.map(({ upstream }) => ({ ...upstream, tags: undefined }));
  return {
    fileName: packageName(choice.version, choice.arch, settings.beta),
    kubernetes: choice.version,
    arch: choice.arch,
    platform: { os: 'linux', architecture: choice.arch },
    images,
    components,
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
