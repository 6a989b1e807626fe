import type { Architecture } from '../../config/kubernetes/architecture.ts';
import { type KubernetesVersion, toKubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import type { Versions } from '../../config/versions.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Findings } from './findings.ts';
import { isKubernetesComponent } from './known-component.ts';
import { isKubernetesImage } from './known-image.ts';

/** For what everything in a package must be. */
export interface Choice {
  readonly version: KubernetesVersion;
  readonly arch: Architecture;
  /** What the file is written for, where the version was asked for from outside and is another one. */
  readonly replaced: KubernetesVersion | undefined;
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

/** Finds the one version that the file's own pins agree on; each that differs from most is a problem. */
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

/** Returns the version of Kubernetes for which a package is built: the wanted one, else the one the file agrees on. */
export function chooseKubernetes(
  versions: Versions,
  wanted: { readonly version: KubernetesVersion | undefined; readonly arch: Architecture | undefined },
  findings: Findings,
): Choice | undefined {
  const agreed = agreedVersion(kubernetesPins(versions, findings), findings);
  const version = wanted.version ?? agreed;
  if (version === undefined) {
    if (findings.problems.length === 0) {
      findings.problem(
        { file: versions.file, line: 1, column: 1 },
        'nothing here tells the version of Kubernetes; give --kube-version, or kube-apiserver or kubelet a tag',
      );
    }
    return undefined;
  }
  const replaced = agreed === undefined || agreed === version ? undefined : agreed;
  if (replaced !== undefined) {
    findings.notice(`Kubernetes ${version} takes the place of the ${replaced} that ${versions.file} names`);
  }
  return { version, arch: wanted.arch ?? versions.arch ?? 'amd64', replaced };
}
