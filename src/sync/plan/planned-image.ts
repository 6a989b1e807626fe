import type { ImageName } from '../../config/image-name.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Platform } from '../../registry/oci/platform.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RecordedImage } from '../state/state.ts';
import type { Decision } from './decision.ts';

/** One tag of a destination repository, where it comes from and what is to be done about it. */
export interface PlannedImage {
  readonly name: ImageName;
  readonly source: { readonly registry: Registry; readonly repository: Repository; readonly tag: Tag };
  readonly target: { readonly repository: Repository; readonly tag: Tag };
  /** As the source's listing tells it. */
  readonly sourceDigest: Digest | undefined;
  readonly platforms: readonly Platform[];
  readonly recorded: RecordedImage | undefined;
  readonly decision: Decision;
  /** The lower, the sooner: its place among its repository's tags, the newest first; what failed last time comes last. */
  readonly rank: number;
  /** Signature tags that the source lists, from which those of the image's own parts are taken. */
  readonly signatureTags: readonly Tag[];
}
