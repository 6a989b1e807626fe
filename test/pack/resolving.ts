import { parseDocument } from '../../src/config/document.ts';
import { parseGivenImage } from '../../src/config/images/given-image.ts';
import type { Architecture } from '../../src/config/kubernetes/architecture.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { ConfigurationFailure } from '../../src/config/problem.ts';
import { parseVersions } from '../../src/config/versions.ts';
import type { AddonManifest } from '../../src/pack/manifest/addon-manifest.ts';
import { parseImageSource } from '../../src/pack/plan/image-source.ts';
import { parseBetaSuffix } from '../../src/pack/plan/package-name.ts';
import { resolvePackage } from '../../src/pack/plan/package-resolution.ts';
import type { PackagePlan } from '../../src/pack/plan/plan.ts';
import type { ReleaseKnowledge } from '../../src/pack/plan/release-knowledge.ts';

/** What flags say about a package. */
export interface Wanted {
  readonly kube?: string;
  readonly arch?: Architecture;
  readonly beta?: string;
  readonly from?: string;
  /** Images that are given with --images. */
  readonly given?: readonly string[];
}

export const KEEL = 'registry.cn-hangzhou.aliyuncs.com/keel';

/** Returns the plan for the text of a versions.json, with the manifests of its add-ons. */
export function resolve(
  text: string,
  wanted: Wanted = {},
  manifests?: ReadonlyMap<string, AddonManifest>,
  knowledge?: ReleaseKnowledge,
): PackagePlan {
  const settings = {
    kubeVersion:
      wanted.kube === undefined ? undefined : parseKubernetesVersion(wanted.kube, '--kube-version'),
    arch: wanted.arch,
    beta: parseBetaSuffix(wanted.beta ?? '', '--beta'),
    imageSource: parseImageSource(wanted.from ?? KEEL, '--image-source'),
  };
  return resolvePackage(parseVersions(parseDocument('versions.json', text)), settings, {
    manifests,
    knowledge,
    given: (wanted.given ?? []).map((name) => ({ reference: parseGivenImage(name), places: [] })),
  });
}

/** Returns each problem of a versions.json, behind the value that stands at its place. */
export function problemsOf(text: string, wanted: Wanted = {}): string[] {
  try {
    resolve(text, wanted);
  } catch (error) {
    if (!(error instanceof ConfigurationFailure)) throw error;
    return error.problems.map(({ place, message }) => {
      const line = text.split('\n')[place.line - 1] ?? '';
      return `${/^(?:"[^"]*"|\{[^,}]*|.)/.exec(line.slice(place.column - 1))?.[0]}: ${message}`;
    });
  }
  return [];
}

/** Returns what the user is told about a plan. */
export function noticesOf(plan: PackagePlan): string[] {
  return plan.notices.map(({ text }) => text);
}
