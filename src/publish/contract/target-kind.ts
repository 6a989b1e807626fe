import type { Flag } from '../../config/flags/flag.ts';
import type { FlagReader } from '../../config/flags/flag-reader.ts';
import type { FlagSource } from '../../config/flags/flag-source.ts';
import type { HttpTrust } from '../../lib/http/http.ts';
import type { Reporter } from '../../lib/reporter.ts';
import type { RetryPolicy } from '../../lib/retry.ts';
import type { ConnectionSettings, Registries } from '../../registry/registries.ts';
import type { RunArtifacts } from './run-artifacts.ts';
import type { PublishTarget } from './target.ts';

/** A kind of target: everything that the rest of the program needs from one of the folders next to this one. */
export interface TargetKind<Word extends string = string, Name extends string = string> {
  /** Its word for `--repo`, which is also the name of its targets. */
  readonly word: Word;
  /** How a sentence names it as a destination, such as `to Qiniu`. */
  readonly direction: string;
  /** The heading above its flags in help and documentation. */
  readonly group: string;
  /** Its flags, which are also inputs of action-pack. The values of flags with `secret: true` are masked in logs. */
  readonly flags: readonly TargetFlag<Name>[];
  /**
   * Returns the function that opens the target; undefined if flags are wrong or missing, with the failures in `flags`.
   */
  readonly read: (flags: FlagReader<Name>, environment: FlagSource['environment']) => OpenTarget | undefined;
}

/** A flag of a kind of target. Its group is that of the kind. */
export type TargetFlag<Name extends string = string> = Omit<Flag<Name>, 'group'>;

/** Returns an open target, not yet checked. Throws `TARGET_UNAVAILABLE` if this run cannot use it. */
export type OpenTarget = (means: TargetMeans) => PublishTarget | Promise<PublishTarget>;

/** What a run provides to its targets. */
export interface TargetMeans {
  readonly retry: RetryPolicy;
  /** Whether a package may replace another one of its name, as `-beta` packages always may. */
  readonly overwrite: boolean;
  readonly reporter: Reporter;
  /** The certificate authorities that every target trusts. */
  readonly trust: HttpTrust;
  /** Opens registries with a login for one host. The run closes them. */
  readonly openRegistries: (login: ConnectionSettings['login']) => Promise<Registries>;
  /** Undefined outside a workflow run. */
  readonly artifacts: RunArtifacts | undefined;
}
