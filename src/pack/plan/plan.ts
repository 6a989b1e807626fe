import type { Architecture } from '../../config/kubernetes/architecture.ts';
import type { KubeadmAnswer } from '../../config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import type { SignaturePolicies } from '../../config/signature-policy.ts';
import type { TreePath } from '../../config/tree-path.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Platform } from '../../registry/oci/platform.ts';
import type { Reference, Tag } from '../../registry/oci/reference.ts';
import type { AddonManifest } from '../manifest/addon-manifest.ts';
import type { PullCandidate } from './image-source.ts';
import type { MatchingTag } from './release-knowledge.ts';

/** One image of a package. */
export interface ImagePlan {
  /** Its name in the versions.json. */
  readonly name: string;
  /** Its name in the package, in addition to the one it is pulled by. It has a tag and no digest. */
  readonly upstream: Reference;
  /** The digest that the file pins it to: that of its index or of its manifest. */
  readonly digest?: Digest | undefined;
  /**
   * Where its tag for this Kubernetes comes from, for people; undefined for a tag of a file, and for Kubernetes' own.
   */
  readonly origin?: string | undefined;
  /** The add-on whose manifest contains the digest; undefined for one of the versions.json. */
  readonly pinnedBy?: string | undefined;
  readonly candidates: readonly PullCandidate[];
  readonly place: Place;
}

/** A place where the checksum of a download may be published. */
export interface ChecksumSource {
  readonly url: URL;
  /** The name of the download in a list of checksums. */
  readonly fileName: string;
  /** What is there: GitHub's answer about a release, with a digest of each of its files. A checksum file if undefined. */
  readonly form?: 'release' | undefined;
}

/**
 * How a download is checked: against a pin in the file, a digest that packer knows, a published checksum (the first that
 * exists), or not.
 */
export type ComponentCheck =
  | { readonly kind: 'pin'; readonly digest: Digest }
  | { readonly kind: 'known'; readonly digest: Digest }
  | { readonly kind: 'published'; readonly sources: readonly ChecksumSource[] }
  | { readonly kind: 'none' };

/** Where a download goes in the package. */
export type Placement =
  | { readonly kind: 'file'; readonly path: TreePath; readonly executable: boolean }
  | {
      readonly kind: 'archive';
      readonly folder: TreePath;
      /** The prefix that is removed from each entry's name; entries without it are not wanted. */
      readonly strip: string;
      /** The wanted files: from the name after `strip` to the name in the folder. If undefined, all are wanted. */
      readonly only?: ReadonlyMap<string, string> | undefined;
    };

/** One download of a package. */
export interface ComponentPlan {
  /** Its name in the versions.json. */
  readonly name: string;
  readonly tag: Tag;
  /**
   * Where the tag for this Kubernetes comes from, for people; undefined for a tag of the file, and for Kubernetes' own.
   */
  readonly origin?: string | undefined;
  readonly url: URL;
  /** Its name in the folder of downloads, unique to the component, its version and architecture. */
  readonly fileName: string;
  readonly check: ComponentCheck;
  readonly placement: Placement;
  readonly place: Place;
}

/** Where the manifest of an add-on comes from. */
export type AddonSource =
  | {
      readonly kind: 'download';
      readonly url: URL;
      /** Its name in the folder of downloads, unique to the add-on and its version. */
      readonly fileName: string;
      readonly check: ComponentCheck;
    }
  /** A manifest of the user's own, perhaps pinned. `written` is its path as the versions.json has it. */
  | {
      readonly kind: 'own';
      readonly file: string;
      readonly written: string;
      readonly digest: Digest | undefined;
    };

/** One add-on of a package. */
export interface AddonPlan {
  readonly name: string;
  /** Undefined for a manifest of the user's own. */
  readonly tag: Tag | undefined;
  /** Where the tag for this Kubernetes comes from, for people; undefined for a tag of the file. */
  readonly origin?: string | undefined;
  readonly source: AddonSource;
  /** The content of its manifest; undefined until it is read. */
  readonly manifest?: AddonManifest | undefined;
  readonly place: Place;
}

/** Something about a plan that the user should know, although it can be carried out. */
export interface PlanNotice {
  readonly text: string;
  readonly place?: Place | undefined;
}

/** Everything that a package will contain, resolved from a versions.json and the manifests of its add-ons. */
export interface PackagePlan {
  readonly fileName: string;
  readonly kubernetes: KubernetesVersion;
  readonly arch: Architecture;
  readonly platform: Platform;
  /** What kubeadm of this Kubernetes uses; undefined if that is unknown. */
  readonly kubeadm: KubeadmAnswer | undefined;
  /** What `auto` means here, by the names of components, images and add-ons. */
  readonly matching: ReadonlyMap<string, MatchingTag>;
  readonly images: readonly ImagePlan[];
  readonly components: readonly ComponentPlan[];
  readonly addons: readonly AddonPlan[];
  /** Whose signatures are trusted, in addition to the built-in policies. */
  readonly signatures: SignaturePolicies;
  readonly notices: readonly PlanNotice[];
}
