import type { Reporter } from '../lib/reporter.ts';
import type { Ending } from '../process/exit-code.ts';
import type { Reference } from '../registry/oci/reference.ts';
import type { InstallationChoice } from '../sync/check/installation.ts';
import type { SyncSettings } from '../sync/settings.ts';

/** What every command gets besides its settings. */
export interface CommandContext {
  readonly reporter: Reporter;
  /** Aborted by Ctrl-C and by termination: the command then winds up and returns. */
  readonly signal: AbortSignal;
  /** Writes what was asked for, as text or JSON, to standard output. */
  readonly print: (text: string) => void;
}

/** Where `synctl merge` leaves the joined report, and what it makes of failures in it. */
export interface MergeSettings {
  readonly report: string | undefined;
  readonly failOn: SyncSettings['failOn'];
  readonly json: boolean;
}

/** The work behind each command of synctl. What they throw is shown, and ends the command with the code of its fault. */
export interface SynctlCommands {
  sync(settings: SyncSettings, context: CommandContext): Promise<Ending>;
  check(image: Reference, settings: SyncSettings, context: CommandContext): Promise<Ending>;
  /** Returns whether the destination has what an installation needs. */
  checkInstallation(
    choice: InstallationChoice,
    settings: SyncSettings,
    context: CommandContext,
  ): Promise<Ending>;
  doctor(settings: SyncSettings, context: CommandContext): Promise<Ending>;
  /** Lists what the state knows. */
  sum(settings: SyncSettings, context: CommandContext): Promise<Ending>;
  /** Joins the reports of shards, given by their paths. */
  merge(reports: readonly string[], settings: MergeSettings, context: CommandContext): Promise<Ending>;
}
