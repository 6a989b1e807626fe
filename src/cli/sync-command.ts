import { askCredentialHelper } from '../process/credential-helper.ts';
import type { Ending } from '../process/exit-code.ts';
import { VERSION } from '../process/version.ts';
import type { RunParts } from '../sync/parts.ts';
import { formatReport, type Report, requireReportFile, writeReport } from '../sync/report/report.ts';
import { outcomeOf } from '../sync/report/run-outcome.ts';
import { headlineOf } from '../sync/report/wording.ts';
import { runSync } from '../sync/run/run.ts';
import type { SyncSettings } from '../sync/settings.ts';
import type { CommandContext } from './commands.ts';

/** Returns what the command line lends to a command that uses registries. */
export function runParts({ reporter, signal }: CommandContext): RunParts {
  return {
    reporter,
    signal,
    environment: process.env,
    runCredentialHelper: askCredentialHelper,
    // What a terminal shows never contains a secret, and there is no log to mask.
    onSecret: () => undefined,
    version: VERSION,
  };
}

/** Returns `complete` if all wanted images are there and what matched before still does, or if `failOn` is `never`. */
export function endingOf(report: Report, failOn: SyncSettings['failOn']): Ending {
  return outcomeOf(report) === 'succeeded' || failOn === 'never' ? 'complete' : 'incomplete';
}

/** Mirrors, writes the report if `--report` names a file, and ends with one sentence. */
export async function syncCommand(settings: SyncSettings, context: CommandContext): Promise<Ending> {
  requireReportFile(settings.report, [settings.database, settings.imageSet]);
  const { report } = await runSync(settings, runParts(context));
  if (settings.report !== undefined) writeReport(settings.report, report);
  tellEnd(report, context);
  if (settings.json) context.print(formatReport(report));
  return endingOf(report, settings.failOn);
}

/** Ends the log of a run, or of joined reports, with one sentence. */
export function tellEnd(report: Report, { reporter }: Pick<CommandContext, 'reporter'>): void {
  reporter.close();
  reporter.line(headlineOf(report));
}
