import type { LearntTags } from '../config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../config/kubernetes/kubernetes-version.ts';
import type { Tag } from '../registry/oci/reference.ts';

/** What came of a question to the makers. */
export interface Asked<Answer> {
  readonly found: Answer | undefined;
  /** Who answered, for people, where the answer does not say so itself. */
  readonly by?: string | undefined;
  /** One sentence each, without a full stop: who was asked in vain, and why. */
  readonly troubles: readonly string[];
  /** Whether all answered, and have nothing of just this. */
  readonly isAbsent?: boolean | undefined;
}

/** A version of a component that goes with a version of Kubernetes. */
export interface LearntComponent {
  readonly name: 'containerd' | 'runc' | 'crictl' | 'cni-plugins';
  /** Without `v`. */
  readonly tag: Tag;
  /** Who said it, for people: such as `releases/latest of containerd`. */
  readonly origin: string;
}

/** The components that were found, and by the name of each who was asked for it in vain. */
export interface AskedComponents {
  readonly found: readonly LearntComponent[];
  readonly troubles: ReadonlyMap<string, readonly string[]>;
}

/** Those who make Kubernetes and what it needs, asked at run time. They throw nothing but the signal's reason. */
export interface Makers {
  /**
   * Returns the newest stable release of all, or of a minor. Nothing is found, without a trouble, where a minor has no
   * stable release yet.
   */
  newestRelease(minor: number | undefined, signal: AbortSignal): Promise<Asked<KubernetesVersion>>;
  /** Returns the tags that kubeadm of a version uses. */
  kubeadmTags(version: KubernetesVersion, signal: AbortSignal): Promise<Asked<LearntTags>>;
  /** Returns the components that go with a version; without those of which nobody could tell. */
  components(version: KubernetesVersion, signal: AbortSignal): Promise<AskedComponents>;
}
