import { type KubeadmAnswer, KubeadmKnowledge, kubeadmMinors } from '../../config/kubernetes/kubeadm-tags.ts';
import {
  type KubernetesVersion,
  kubernetesMinor,
  toKubernetesVersion,
} from '../../config/kubernetes/kubernetes-version.ts';
import type { Tag } from '../../registry/oci/reference.ts';
import { matchingTag, matrixRow } from './component-matrix.ts';

/** The tag of a component, image or add-on that goes with a version of Kubernetes. */
export interface MatchingTag {
  readonly tag: Tag;
  /** Where the tag comes from, for people: `table`, the origin in upstream's answer, or `last known, 1.37`. */
  readonly origin: string;
  /** The minor that the tag goes with, such as `1.37`, if the tag for this version is unknown. */
  readonly lastOf?: string | undefined;
}

/** What a lock or upstream states about one version of Kubernetes. */
export interface ToldFacts {
  readonly version: KubernetesVersion;
  readonly kubeadm?: KubeadmAnswer | undefined;
  /** By the proper names of components, and by the names of images and add-ons. */
  readonly matching: ReadonlyMap<string, MatchingTag>;
  /** The requests that failed, a sentence each. */
  readonly troubles?: Troubles | undefined;
}

/** The requests that failed, by what they were for, a sentence each. */
interface Troubles {
  readonly kubeadm: readonly string[];
  /** By the proper names of the components. */
  readonly components: ReadonlyMap<string, readonly string[]>;
}

const NO_TROUBLES: Troubles = { kubeadm: [], components: new Map() };

/** Returns a sentence followed by the requests that failed. */
export function withTroubles(sentence: string, troubles: readonly string[]): string {
  return troubles.length === 0 ? sentence : `${sentence}; failed requests: ${troubles.join('; ')}`;
}

/**
 * What packer knows about the tags that go with a version of Kubernetes: first the facts that it was created with, then
 * the built-in tables, and at last what goes with the newest version before it.
 */
export class ReleaseKnowledge {
  readonly #told: ToldFacts | undefined;
  readonly #kubeadm: KubeadmKnowledge;

  constructor(told?: ToldFacts) {
    this.#told = told;
    const answer = told?.kubeadm;
    const isLearnt = told !== undefined && answer !== undefined && answer.warning === undefined;
    this.#kubeadm = new KubeadmKnowledge(
      isLearnt ? [{ version: told.version, tags: answer.tags, origin: answer.origin }] : [],
    );
  }

  /** The requests that failed. */
  get troubles(): Troubles {
    return this.#told?.troubles ?? NO_TROUBLES;
  }

  /** Returns the requests that failed for some components, a sentence each. */
  troublesOf(names: Iterable<string>): string[] {
    const { components } = this.troubles;
    return [...new Set([...names].flatMap((name) => components.get(name) ?? []))];
  }

  /** Returns the tags that kubeadm of a version uses; undefined if the version is older than all known ones. */
  kubeadm(version: KubernetesVersion): KubeadmAnswer | undefined {
    const told = this.#toldOf(version)?.kubeadm;
    return told ?? this.#kubeadm.answer(version);
  }

  /** Returns the versions of Kubernetes whose kubeadm uses a tag, as `KubeadmKnowledge.versionsOf` does. */
  readonly versionsOf: KubeadmKnowledge['versionsOf'] = (image, tag) => this.#kubeadm.versionsOf(image, tag);

  /** Returns whether a lock, upstream or the table states which images kubeadm of a version uses. */
  knowsKubeadm(version: KubernetesVersion): boolean {
    return this.#toldOf(version)?.kubeadm !== undefined || this.#kubeadm.knows(version);
  }

  /** Returns whether a lock, upstream or the matrix states which tag goes with a version. */
  knowsTag(name: string, version: KubernetesVersion): boolean {
    return this.#toldOf(version)?.matching.has(name) === true || matrixRow(version) !== undefined;
  }

  /**
   * Returns what `auto` means for a component, image or add-on with a version of its own. A minor that is newer than
   * all known ones gets the tag of the newest one. Undefined if there is none.
   */
  matching(name: string, version: KubernetesVersion): MatchingTag | undefined {
    const told = this.#toldOf(version)?.matching.get(name);
    if (told !== undefined) return told;
    const tag = matchingTag(name, version);
    if (tag !== undefined) return { tag, origin: 'table' };
    return matrixRow(version) === undefined ? lastKnown(name, version) : undefined;
  }

  #toldOf(version: KubernetesVersion): ToldFacts | undefined {
    return this.#told?.version === version ? this.#told : undefined;
  }
}

/** The knowledge of the built-in tables alone. */
export const BUILT_IN_KNOWLEDGE = new ReleaseKnowledge();

function lastKnown(name: string, version: KubernetesVersion): MatchingTag | undefined {
  const { oldest } = kubeadmMinors();
  for (let minor = kubernetesMinor(version) - 1; minor >= oldest; minor -= 1) {
    const earlier = toKubernetesVersion(`1.${minor}.0`);
    if (earlier === undefined || matrixRow(earlier) === undefined) continue;
    const tag = matchingTag(name, earlier);
    return tag && { tag, origin: `last known, 1.${minor}`, lastOf: `1.${minor}` };
  }
  return undefined;
}
