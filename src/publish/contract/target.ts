import type { Qetag } from '../../lib/qetag.ts';
import type { Digest } from '../../registry/oci/digest.ts';

/** An offline package to publish. */
export interface PackageFile {
  readonly path: string;
  /** Its name at every target, such as `kube-1.36.2-amd64.tar.gz`. */
  readonly name: string;
  readonly size: number;
  readonly sha256: Digest;
  readonly qetag: Qetag;
}

/** Where a published package is. */
export interface PackageLocation {
  /** The name of the target. */
  readonly target: string;
  /** A URL or image reference. */
  readonly address: string;
  /** How to download it: a command, or one sentence. */
  readonly instruction: string;
  /** `present` if the target already had this content, so that nothing was sent. */
  readonly outcome: 'published' | 'present';
  /** The part of the content that was not compared, for people. Undefined if all of it was. */
  readonly uncompared?: string | undefined;
}

/** Called with the number of bytes that have arrived. The number falls if something has to be sent again. */
export type TransferProgress = (bytesDone: number) => void;

/** A target to publish packages to. */
export interface PublishTarget {
  readonly name: string;
  /**
   * Checks the credentials and the target before anything is fetched, and leaves nothing behind. Throws a `Failure`.
   */
  prove(signal: AbortSignal): Promise<void>;
  /** Uploads the package, resuming an interrupted upload, unless it is there already. Throws a `Failure`. */
  publish(file: PackageFile, signal: AbortSignal, onProgress: TransferProgress): Promise<PackageLocation>;
}
