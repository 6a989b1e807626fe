import type { FlagSource } from '../config/flags/flag-source.ts';
import { reportedFailures } from '../config/reported-failure.ts';
import { describeFailure, type Failure } from '../lib/failure.ts';
import { askCredentialHelper } from '../process/credential-helper.ts';
import type { Ending } from '../process/exit-code.ts';
import { VERSION } from '../process/version.ts';
import type { RunParts } from '../sync/parts.ts';
import { filesOfWrongFlags, headOfWrongFlags, refusedReport } from '../sync/report/refused-report.ts';
import { formatReport, type Report, reportHead } from '../sync/report/report.ts';
import { requireReportFile, writeReport } from '../sync/report/report-file.ts';
import { outcomeOf } from '../sync/report/run-outcome.ts';
import { headlineOf } from '../sync/report/wording.ts';
import { runSync } from '../sync/run/run.ts';
import { filesOf, type SyncSettings } from '../sync/settings.ts';
import { Upstream } from '../upstream/upstream.ts';
import type { CommandContext } from './commands.ts';

/** Where a refusal is reported: `others` are files that the report must not replace. */
interface RefusedSettings extends Pick<SyncSettings, 'report' | 'json'> {
  readonly others: readonly string[];
}

/** Returns what the command line provides to a command that uses registries. */
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

/**
 * Returns `complete` if all wanted images are at the destination and those that matched before still match, or if
 * `failOn` is `never`.
 */
export function endingOf(report: Report, failOn: SyncSettings['failOn']): Ending {
  return outcomeOf(report) === 'succeeded' || failOn === 'never' ? 'complete' : 'incomplete';
}

/** Mirrors, writes the report if `--report` names a file, and ends with one sentence. */
export async function syncCommand(settings: SyncSettings, context: CommandContext): Promise<Ending> {
  const report = await mirror(settings, context);
  if (settings.report !== undefined) writeReport(settings.report, report);
  tellEnd(report, context);
  if (settings.json) context.print(formatReport(report));
  return endingOf(report, settings.failOn);
}

/** Returns the report of a run. One that cannot start leaves a report that says why, and throws it. */
async function mirror(settings: SyncSettings, context: CommandContext): Promise<Report> {
  const started = new Date();
  try {
    requireReportFile(settings.report, filesOf(settings));
    using maker = await Upstream.open(settings, context);
    const { report } = await runSync(settings, { ...runParts(context), maker });
    return report;
  } catch (error) {
    const times = { started, ended: new Date() };
    const report = refusedReport(reportHead(settings, VERSION), reportedFailures(error), times);
    leaveRefusal({ ...settings, others: filesOf(settings) }, report, context);
    throw error;
  }
}

/**
 * Writes the report of a run that could not start if a flag requests it, and prints it as JSON if a flag requests that.
 */
function leaveRefusal(
  { report: file, others, json }: RefusedSettings,
  report: Report,
  { reporter, print }: Pick<CommandContext, 'reporter' | 'print'>,
): void {
  try {
    requireReportFile(file, others);
    if (file !== undefined) writeReport(file, report);
  } catch (error) {
    // Often this is the reason of the refusal itself, which is reported anyway.
    reporter.detail(describeFailure(error));
  }
  if (json) print(formatReport(report));
}

/** Writes the report of a run whose flags are wrong, if a flag requests it. */
export function leaveWrongFlags(
  flags: FlagSource,
  { failures, json }: { readonly failures: readonly Failure[]; readonly json: boolean },
  context: Pick<CommandContext, 'reporter' | 'print'>,
): void {
  const now = new Date();
  const head = headOfWrongFlags(flags, VERSION);
  const report = refusedReport(head, failures.flatMap(reportedFailures), { started: now, ended: now });
  leaveRefusal({ ...filesOfWrongFlags(flags), json }, report, context);
}

/** Ends the log of a run, or of joined reports, with one sentence. */
export function tellEnd(report: Report, { reporter }: Pick<CommandContext, 'reporter'>): void {
  reporter.close();
  reporter.line(headlineOf(report));
}
