import type { Readable } from 'node:stream';
import type { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { Failure } from '../../lib/failure.ts';
import type { ByteRange } from '../../registry/registry.ts';

/** The files of a package, read in place: in a folder, or in a tar.gz that is unpacked while it is read. */
export interface PackageFiles extends Disposable {
  /** The path of the package. */
  readonly about: string;
  /** How many of its files may be read at the same time; undefined if that costs nothing. */
  readonly limiter: ConcurrencyLimiter | undefined;
  /**
   * Returns the position of a file among the others. A file before the last one that was read costs more than a later
   * one.
   */
  position(path: string): number;
  /** Returns a file that is small enough for the memory. Throws `PACKAGE_DAMAGED`. */
  read(path: string, signal: AbortSignal): Promise<Buffer>;
  /** Returns the SHA-256 of a file, in hexadecimal. Throws `PACKAGE_DAMAGED`. */
  sumOf(path: string, signal: AbortSignal): Promise<string>;
  /** Returns the bytes of a file in a range. Throws `PACKAGE_DAMAGED`. */
  open(path: string, range: ByteRange, signal: AbortSignal): Promise<Readable>;
}

/** The longest file that is read into memory: manifests are not longer, and the lists of a package are far shorter. */
export const SMALL_FILE = 4 * 1024 * 1024;

/** Returns the failure for a file of a package that is missing or wrong. */
export function damaged(
  about: string,
  path: string,
  message: string,
  cause?: unknown,
): Failure<'PACKAGE_DAMAGED'> {
  return new Failure({
    code: 'PACKAGE_DAMAGED',
    about: `${path} in ${about}`,
    message,
    hint: 'copy the package again, and compare it with the SHA-256 that packer printed',
    cause,
  });
}

/** Returns the failure for a file or folder that is no package of packer. */
export function noPackage(
  about: string,
  message: string,
  hint: string,
  cause?: unknown,
): Failure<'PACKAGE_UNREADABLE'> {
  return new Failure({ code: 'PACKAGE_UNREADABLE', fault: 'usage', about, message, hint, cause });
}
