import type { Reporter } from '../lib/reporter.ts';
import type { Ending } from '../process/exit-code.ts';
import type { Reference } from '../registry/oci/reference.ts';
import type { InstallationChoice } from '../sync/check/installation.ts';
import type { SyncSettings } from '../sync/settings.ts';

/** What each command gets in addition to its settings. */
export interface CommandContext {
  readonly reporter: Reporter;
  /** Aborted by Ctrl-C and by SIGTERM. The command then stops and returns. */
  readonly signal: AbortSignal;
  /** Writes the command's result, as text or JSON, to standard output. */
  readonly print: (text: string) => void;
}

/** Where `synctl merge` writes the joined report, and whether a failure in it makes the command fail. */
export interface MergeSettings {
  readonly report: string | undefined;
  readonly failOn: SyncSettings['failOn'];
  readonly json: boolean;
}

/** Whether `synctl images` prints an image set. */
export interface ImageListSettings {
  readonly json: boolean;
}

/** The implementations of synctl's commands. An error is shown, and its fault determines the exit code. */
export interface SynctlCommands {
  sync(settings: SyncSettings, context: CommandContext): Promise<Ending>;
  check(image: Reference, settings: SyncSettings, context: CommandContext): Promise<Ending>;
  /** Prints whether the destination has all images that an installation needs. */
  checkInstallation(
    choice: InstallationChoice,
    settings: SyncSettings,
    context: CommandContext,
  ): Promise<Ending>;
  doctor(settings: SyncSettings, context: CommandContext): Promise<Ending>;
  /** Lists the contents of the state. */
  sum(settings: SyncSettings, context: CommandContext): Promise<Ending>;
  /** Lists the images in files, of which `-` is standard input. */
  images(files: readonly string[], settings: ImageListSettings, context: CommandContext): Promise<Ending>;
  /** Joins the reports of shards. `reports` are their paths. */
  merge(reports: readonly string[], settings: MergeSettings, context: CommandContext): Promise<Ending>;
}
