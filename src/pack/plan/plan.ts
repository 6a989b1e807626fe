import type { Architecture } from '../../config/kubernetes/architecture.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import type { SignaturePolicies } from '../../config/signature-policy.ts';
import type { TreePath } from '../../config/tree-path.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Platform } from '../../registry/oci/platform.ts';
import type { Reference, Tag } from '../../registry/oci/reference.ts';
import type { PullCandidate } from './image-source.ts';

/** One image of a package. */
export interface ImagePlan {
  /** Its name in the versions.json. */
  readonly name: string;
  /** Its name in the package, in addition to the one it is pulled by. It has a tag and no digest. */
  readonly upstream: Reference;
  /** The digest that the file pins it to: that of its index or of its manifest. */
  readonly digest?: Digest | undefined;
  readonly candidates: readonly PullCandidate[];
  readonly place: Place;
}

/** A place where the checksum of a download may be published. */
export interface ChecksumSource {
  readonly url: URL;
  /** The name of the download in a list of checksums. */
  readonly fileName: string;
}

/**
 * How a download is checked: against a pin in the file, against a published checksum (the first that exists), or not.
 */
export type ComponentCheck =
  | { readonly kind: 'pin'; readonly digest: Digest }
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
  readonly url: URL;
  /** Its name in the folder of downloads, unique to the component, its version and architecture. */
  readonly fileName: string;
  readonly check: ComponentCheck;
  readonly placement: Placement;
  readonly place: Place;
}

/** Something about a plan that the user should know, although it can be carried out. */
export interface PlanNotice {
  readonly text: string;
  readonly place?: Place | undefined;
}

/** Everything that a package will hold, resolved from a versions.json without any request. */
export interface PackagePlan {
  readonly fileName: string;
  readonly kubernetes: KubernetesVersion;
  readonly arch: Architecture;
  readonly platform: Platform;
  readonly images: readonly ImagePlan[];
  readonly components: readonly ComponentPlan[];
  /** Whose signatures are trusted, in addition to the built-in policies. */
  readonly signatures: SignaturePolicies;
  readonly notices: readonly PlanNotice[];
}
