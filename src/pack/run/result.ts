import type { Duration } from '../../lib/duration.ts';
import type { Qetag } from '../../lib/qetag.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { PackageContents } from '../contents/package-contents.ts';
import type { PackagePlan } from '../plan/plan.ts';
import type { ChosenKubernetes } from './kubernetes-choice.ts';

/** A package that was written. */
export interface BuiltPackage {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly sha256: Digest;
  /** The sha256 of the tar inside, which does not depend on the version of Node. */
  readonly tarSha256: Digest;
  readonly qetag: Qetag;
}

/** The result of a run: a plan that was only reported, or a package and what its targets answered. */
export type PackResult<Published> =
  | { readonly kind: 'planned'; readonly plan: PackagePlan; readonly chosen: ChosenKubernetes | undefined }
  | {
      readonly kind: 'packed';
      readonly file: BuiltPackage;
      readonly contents: PackageContents;
      /** What a word such as `latest` means; undefined if the version was given. */
      readonly chosen: ChosenKubernetes | undefined;
      readonly duration: Duration;
      readonly published: Published;
    };

/** The targets of a finished package. action-pack connects them with publish/; `packer` has none. */
export interface Destinations<Published> {
  /** Makes sure that all of them will take the package. Throws why one will not. */
  prove(signal: AbortSignal): Promise<void>;
  publish(file: BuiltPackage, signal: AbortSignal): Promise<Published>;
}
