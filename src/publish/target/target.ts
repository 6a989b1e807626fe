import type { Qetag } from '../../lib/qetag.ts';
import type { Digest } from '../../registry/oci/digest.ts';

/** A file that is published: an offline package. */
export interface PackageFile {
  readonly path: string;
  /** What it is called wherever it goes, such as `kube-1.36.2-amd64.tar.gz`. */
  readonly name: string;
  readonly size: number;
  readonly sha256: Digest;
  readonly qetag: Qetag;
}

/** Where a package is now. */
export interface PackageLocation {
  /** The name of the target. */
  readonly target: string;
  /** A URL or image reference. */
  readonly address: string;
  /** How to get it from there: a command, or one sentence. */
  readonly instruction: string;
  /** `present` when it was there already, with this content, and nothing was sent. */
  readonly outcome: 'published' | 'present';
}

/** Told how many bytes of the package are there; the number may fall when something has to be sent again. */
export type TransferProgress = (bytesDone: number) => void;

/** A place that packages are published to. */
export interface PublishTarget {
  readonly name: string;
  /** Proves that credentials and destination are good, before anything is fetched. Leaves nothing behind. */
  prove(signal: AbortSignal): Promise<void>;
  /** Brings the package there, going on from where an earlier run stopped; sends nothing when it is there. */
  publish(file: PackageFile, signal: AbortSignal, onProgress: TransferProgress): Promise<PackageLocation>;
}
