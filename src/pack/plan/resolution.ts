import type { Architecture } from '../../config/kubernetes/architecture.ts';
import { type KubernetesVersion, toKubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { ConfigurationFailure, type Problem } from '../../config/problem.ts';
import type { Versions } from '../../config/versions.ts';
import type { Place } from '../../lib/reporter.ts';
import { isKubernetesComponent } from './known-component.ts';
import { isKubernetesImage } from './known-image.ts';
import type { PlanNotice } from './plan.ts';

/** The version and architecture that everything in a package must have. */
export interface Choice {
  readonly version: KubernetesVersion;
  readonly arch: Architecture;
  /** The version that the file is written for, if another one was asked for from outside. */
  readonly replaced: KubernetesVersion | undefined;
  /** The architecture that the file is written for; undefined if it does not say. */
  readonly fileArch: Architecture | undefined;
}

/**
 * What is wrong with a versions.json and what its user should know, collected so that all of it is reported at once.
 */
class Findings {
  readonly problems: Problem[] = [];
  readonly notices: PlanNotice[] = [];

  problem(place: Place, message: string): void {
    this.problems.push({ place, message });
  }

  notice(text: string, place?: Place): void {
    if (!this.notices.some((known) => known.text === text)) this.notices.push({ text, place });
  }
}

/** A versions.json on its way to a plan: for which Kubernetes it is resolved, and what was found on the way. */
export interface Resolution {
  readonly choice: Choice;
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
      findings.problem(place('tag'), `${name} carries the version of Kubernetes, which "${tag}" is not`);
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
        'one package holds one Kubernetes',
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
): Resolution {
  const findings = new Findings();
  const agreed = agreedVersion(kubernetesPins(versions, findings), findings);
  const version = wanted.version ?? agreed;
  if (version === undefined) {
    if (findings.problems.length === 0) {
      findings.problem(
        { file: versions.file, line: 1, column: 1 },
        'nothing here tells the version of Kubernetes; give --kube-version, or kube-apiserver or kubelet a tag',
      );
    }
    throw new ConfigurationFailure(versions.file, findings.problems);
  }
  const replaced = agreed === undefined || agreed === version ? undefined : agreed;
  if (replaced !== undefined) {
    findings.notice(`Kubernetes ${version} takes the place of the ${replaced} that ${versions.file} names`);
  }
  const arch = wanted.arch ?? versions.arch ?? 'amd64';
  return { choice: { version, arch, replaced, fileArch: versions.arch }, findings };
}
