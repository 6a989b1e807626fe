import type { LearntTags } from '../config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../config/kubernetes/kubernetes-version.ts';
import type { Tag } from '../registry/oci/reference.ts';

/** The result of a question to upstream. */
export interface Asked<Answer> {
  readonly found: Answer | undefined;
  /** Where the answer comes from, for people, if the answer does not contain it. */
  readonly by?: string | undefined;
  /** One sentence each, without a full stop: which source had no answer, and why. */
  readonly troubles: readonly string[];
  /** Whether all sources answered, and none has it. */
  readonly isAbsent?: boolean | undefined;
}

/** A version of a component that goes with a version of Kubernetes. */
export interface LearntComponent {
  readonly name: 'containerd' | 'runc' | 'crictl' | 'cni-plugins';
  /** Without `v`. */
  readonly tag: Tag;
  /** Where it comes from, for people: such as `releases/latest of containerd`. */
  readonly origin: string;
}

/** The components that were found, and by the name of each component the sources without an answer. */
export interface AskedComponents {
  readonly found: readonly LearntComponent[];
  readonly troubles: ReadonlyMap<string, readonly string[]>;
}

/** Upstream, which is asked at run time. The methods throw nothing but the signal's reason. */
export interface Makers {
  /**
   * Returns the newest stable release of all, or of a minor. If a minor has no stable release yet, `found` is undefined and
   * `troubles` is empty.
   */
  newestRelease(minor: number | undefined, signal: AbortSignal): Promise<Asked<KubernetesVersion>>;
  /** Returns the tags that kubeadm of a version uses. */
  kubeadmTags(version: KubernetesVersion, signal: AbortSignal): Promise<Asked<LearntTags>>;
  /** Returns the components that go with a version, except for those that could not be found out. */
  components(version: KubernetesVersion, signal: AbortSignal): Promise<AskedComponents>;
}
