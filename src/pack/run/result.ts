import type { Duration } from '../../lib/duration.ts';
import type { Qetag } from '../../lib/qetag.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { PackageContents } from '../contents/contents.ts';
import type { PackagePlan } from '../plan/plan.ts';

/** A package that was written. */
export interface BuiltPackage {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly sha256: Digest;
  /** Of the tar within, which does not depend on the version of Node. */
  readonly tarSha256: Digest;
  readonly qetag: Qetag;
}

/** What came of a run: a plan that was only told, or a package and what became of it. */
export type PackResult<Published> =
  | { readonly kind: 'planned'; readonly plan: PackagePlan }
  | {
      readonly kind: 'packed';
      readonly file: BuiltPackage;
      readonly contents: PackageContents;
      readonly duration: Duration;
      readonly published: Published;
    };

/** Where a finished package goes. The front ties it to what publishes. */
export interface Destinations<Published> {
  /** Proves that all of them will take the package; throws otherwise. */
  prove(signal: AbortSignal): Promise<void>;
  publish(file: BuiltPackage, signal: AbortSignal): Promise<Published>;
}
