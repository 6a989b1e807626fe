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
  /** As the versions.json calls it. */
  readonly name: string;
  /** Under which it is known in the package, besides the name it is pulled by. It has a tag and no digest. */
  readonly upstream: Reference;
  /** What the file pins it to, as the digest of its index or of its manifest. */
  readonly digest?: Digest | undefined;
  readonly candidates: readonly PullCandidate[];
  readonly place: Place;
}

/** Where a checksum of a download may be published. */
export interface ChecksumSource {
  readonly url: URL;
  /** By which a list of checksums knows the download. */
  readonly fileName: string;
}

/** How a download is checked: against a pin of the file, a published checksum (the first source that has it), or not. */
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
      /** The part of each entry's name that is left out; entries without it are not wanted. */
      readonly strip: string;
      /** By name behind `strip`, what each wanted file is called in the folder; without it, all are wanted. */
      readonly only?: ReadonlyMap<string, string> | undefined;
    };

/** One download of a package. */
export interface ComponentPlan {
  /** As the versions.json calls it. */
  readonly name: string;
  readonly tag: Tag;
  readonly url: URL;
  /** For the folder of downloads: unlike any other component, version or architecture. */
  readonly fileName: string;
  readonly check: ComponentCheck;
  readonly placement: Placement;
  readonly place: Place;
}

/** Something that a user should know about a plan, but that does not stop it. */
export interface PlanNotice {
  readonly text: string;
  readonly place?: Place | undefined;
}

/** Everything that a package will hold, resolved from a versions.json without asking anyone. */
export interface PackagePlan {
  readonly fileName: string;
  readonly kubernetes: KubernetesVersion;
  readonly arch: Architecture;
  readonly platform: Platform;
  readonly images: readonly ImagePlan[];
  readonly components: readonly ComponentPlan[];
  /** Whose signatures count, besides what is known. */
  readonly signatures: SignaturePolicies;
  readonly notices: readonly PlanNotice[];
}
