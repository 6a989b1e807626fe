import type { Architecture } from '../../config/kubernetes/architecture.ts';
import { type KubernetesVersion, toKubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { ConfigurationFailure, type Problem } from '../../config/problem.ts';
import type { Versions } from '../../config/versions.ts';
import type { Place } from '../../lib/reporter.ts';
import { joinWords } from '../../lib/text/sentence.ts';
import type { Tag } from '../../registry/oci/reference.ts';
import { isKubernetesComponent, isToldByMakers } from './known-component.ts';
import { isKubernetesImage } from './known-image.ts';
import type { PlanNotice } from './plan.ts';
import { type MatchingTag, type ReleaseKnowledge, withTroubles } from './release-knowledge.ts';

/** The version and architecture that everything in a package must have. */
export interface Choice {
  readonly version: KubernetesVersion;
  readonly arch: Architecture;
  /** The version that the file is written for, if `--kube-version` asks for another one. */
  readonly replaced: KubernetesVersion | undefined;
  /** The architecture that the file is written for; undefined if it does not say. */
  readonly fileArch: Architecture | undefined;
}

/** The problems of a versions.json and the notices for its user, collected so that all are reported at once. */
class Findings {
  readonly problems: Problem[] = [];
  readonly notices: PlanNotice[] = [];
  /** Problems that may disappear after upstream was asked. */
  readonly gaps: Problem[] = [];
  /** What `auto` means, by the names of components, images and add-ons. */
  readonly matching = new Map<string, MatchingTag>();

  problem(place: Place, message: string): void {
    this.problems.push({ place, message });
  }

  gap(place: Place, message: string): void {
    this.gaps.push({ place, message });
  }

  notice(text: string, place?: Place): void {
    if (!this.notices.some((known) => known.text === text)) this.notices.push({ text, place });
  }
}

/**
 * A versions.json that is being resolved: for which Kubernetes, with which knowledge about it, and with which findings
 * so far.
 */
export interface Resolution {
  readonly choice: Choice;
  readonly knowledge: ReleaseKnowledge;
  readonly findings: Findings;
}

interface Pin {
  readonly name: string;
  readonly version: KubernetesVersion;
  readonly place: Place;
}

function kubernetesPins(versions: Versions, findings: Findings): Pin[] {
  const entries = [
    ...versions.images.filter(({ name }) => isKubernetesImage(name)),
    ...versions.components.filter(({ name }) => isKubernetesComponent(name)),
  ];
  return entries.flatMap(({ name, tag, place }) => {
    const version = toKubernetesVersion(tag);
    if (version !== undefined) return [{ name, version, place: place('tag') }];
    if (tag !== 'auto') {
      findings.problem(
        place('tag'),
        `the tag of ${name} must be a version of Kubernetes, but it is "${tag}"`,
      );
    }
    return [];
  });
}

function others(count: number): string {
  if (count === 0) return '';
  return count === 1 ? ' and one other' : ` and ${count} others`;
}

/** Returns the one version that most of the file's own pins agree on; each pin that differs is a problem. */
function agreedVersion(pins: readonly Pin[], findings: Findings): KubernetesVersion | undefined {
  const byVersion = Map.groupBy(pins, ({ version }) => version);
  const [most] = [...byVersion.values()].toSorted((one, other) => other.length - one.length);
  const [first] = most ?? [];
  if (first === undefined || most === undefined) return undefined;
  const verb = most.length === 1 ? 'is' : 'are';
  for (const pin of pins.filter(({ version }) => version !== first.version)) {
    findings.problem(
      pin.place,
      `${pin.name} is pinned to ${pin.version}, but ${first.name}${others(most.length - 1)} ${verb} ${first.version}; ` +
        'a package contains one version of Kubernetes',
    );
  }
  return first.version;
}

/**
 * Begins to resolve a versions.json for the wanted version of Kubernetes, else the one that the file agrees on. Throws
 * `CONFIGURATION_MALFORMED` if there is neither.
 */
export function beginResolution(
  versions: Versions,
  wanted: { readonly version: KubernetesVersion | undefined; readonly arch: Architecture | undefined },
  knowledge: ReleaseKnowledge,
): Resolution {
  const findings = new Findings();
  const agreed = agreedVersion(kubernetesPins(versions, findings), findings);
  const version = wanted.version ?? agreed;
  if (version === undefined) {
    if (findings.problems.length === 0) {
      findings.problem(
        { file: versions.file, line: 1, column: 1 },
        'the version of Kubernetes is not set; set --kube-version, or a tag for kube-apiserver or kubelet',
      );
    }
    throw new ConfigurationFailure(versions.file, findings.problems);
  }
  const replaced = agreed === undefined || agreed === version ? undefined : agreed;
  if (replaced !== undefined) {
    findings.notice(`Kubernetes ${version} is packed instead of ${replaced} from ${versions.file}`);
  }
  const arch = wanted.arch ?? versions.arch ?? 'amd64';
  return { choice: { version, arch, replaced, fileArch: versions.arch }, knowledge, findings };
}

/** A tag, and where it comes from; without `origin` for a tag of the file, and for Kubernetes' own. */
export interface ResolvedTag {
  readonly tag: Tag;
  readonly origin?: string | undefined;
}

/**
 * Returns the tag that `auto` means for a component, image or add-on with a version of its own; undefined, with
 * `problem` at `place`, if it is unknown.
 */
export function automaticTag(
  name: string,
  { place, problem }: { readonly place: Place; readonly problem: string },
  { choice, knowledge, findings }: Resolution,
): ResolvedTag | undefined {
  const found = knowledge.matching(name, choice.version);
  if (found !== undefined) findings.matching.set(name, found);
  else if (isToldByMakers(name)) findings.gap(place, withTroubles(problem, knowledge.troublesOf([name])));
  else findings.problem(place, problem);
  return found && { tag: found.tag, origin: found.origin };
}

/** Adds one notice for all tags that are used because those that go with this Kubernetes are unknown. */
export function noticeLastKnown({ choice, knowledge, findings }: Resolution): void {
  const taken = [...findings.matching].filter(([, { lastOf }]) => lastOf !== undefined);
  const names = joinWords(taken.map(([name]) => name));
  const [minor, ...others] = new Set(taken.map(([, { lastOf }]) => lastOf));
  if (minor === undefined) return;
  const verb = taken.length === 1 ? 'matches' : 'match';
  const tags = taken.map(([name, { tag }]) => `${name} ${tag}`).join(', ');
  findings.notice(
    withTroubles(
      `packer does not know yet which ${names} ${verb} Kubernetes ${choice.version}, so it uses those of ${[minor, ...others].join(' and ')} (${tags})`,
      knowledge.troublesOf(taken.map(([name]) => name)),
    ),
  );
}
