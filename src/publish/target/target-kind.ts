import type { Flag } from '../../config/flags/flag.ts';
import type { FlagReader, FlagSource } from '../../config/flags/flag-reader.ts';
import type { Reporter } from '../../lib/reporter.ts';
import type { RetryPolicy } from '../../lib/retry.ts';
import type { ConnectionSettings, Registries } from '../../registry/registries.ts';
import type { RunArtifacts } from './run-artifacts.ts';
import type { PublishTarget } from './target.ts';

/** A kind of place that packages are published to: all that is known of it outside of its folder. */
export interface TargetKind<Word extends string = string, Name extends string = string> {
  /** What `--repo` calls it; its targets have this name. */
  readonly word: Word;
  /** How a sentence says that a package goes there, such as `to Qiniu`. */
  readonly direction: string;
  /** The heading under which help and tables list its flags. */
  readonly group: string;
  /** Its flags. They are inputs of action-pack too, and the values of those with `secret: true` are masked in logs. */
  readonly flags: readonly TargetFlag<Name>[];
  /** Returns how to open the target that the flags describe; undefined where it keeps a failure in `flags`. */
  readonly read: (flags: FlagReader<Name>, environment: FlagSource['environment']) => OpenTarget | undefined;
}

/** A flag of a kind of target, which lends it its group. */
export type TargetFlag<Name extends string = string> = Omit<Flag<Name>, 'group'>;

/** Opens a target, which then has to be proved. Throws `TARGET_UNAVAILABLE` where a run cannot have it. */
export type OpenTarget = (means: TargetMeans) => PublishTarget | Promise<PublishTarget>;

/** What a run lends to its targets. */
export interface TargetMeans {
  readonly retry: RetryPolicy;
  /** Lets a package take the place of another with its name, which otherwise only `-beta` ones may. */
  readonly overwrite: boolean;
  readonly reporter: Reporter;
  /** Opens registries with a login at one of them. The run closes them. */
  readonly openRegistries: (login: ConnectionSettings['login']) => Promise<Registries>;
  /** Undefined outside of a workflow run. */
  readonly artifacts: RunArtifacts | undefined;
}
