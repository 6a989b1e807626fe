import type { Digest } from '../../registry/oci/digest.ts';
import type { SignatureVerdict } from '../../signatures/verdict.ts';
import type { Conversion, OthersSignatures } from '../plan/recorded-options.ts';
import type { MissingPart } from './missing-parts.ts';

/** What is known about an image at the destination after it was checked or copied. */
export interface ImageFacts {
  readonly sourceDigest: Digest;
  readonly pushedDigest: Digest;
  /** Undefined if the destination accepts the original format. */
  readonly conversion: Conversion | undefined;
  /** The number of foreign layers that the destination lacks, as far as this is known. */
  readonly layersLeftOut: number;
  /** Of a tag of signatures: what others added to it. */
  readonly others?: OthersSignatures | undefined;
  /** The digests of the image and of what its index lists. Their signatures may have to be copied too. */
  readonly digests: readonly Digest[];
  /** Undefined if its signature was not verified now. */
  readonly signature?: SignatureVerdict | undefined;
}

interface UnchangedImage extends ImageFacts {
  readonly outcome: 'unchanged';
}

interface CopiedImage extends ImageFacts {
  readonly outcome: 'copied';
  /** In bytes, of its manifests and all blobs. */
  readonly size: number | undefined;
  readonly bytesSent: number;
  readonly blobs: { readonly uploaded: number; readonly mounted: number; readonly present: number };
  /** What the tag was before; undefined if the destination was not asked. */
  readonly replaced: Digest | 'nothing' | undefined;
  /** What was missing below the tag, which was right. */
  readonly missing: readonly MissingPart[];
}

/** The result of checking or copying an image. */
export type MirroredImage = UnchangedImage | CopiedImage;
