import { appendFileSync } from 'node:fs';
import { describeReported } from '../config/reported-failure.ts';
import { describeFailure } from '../lib/failure.ts';
import { readGivenFile } from '../lib/given-file.ts';
import type { Ending } from '../process/exit-code.ts';
import { factsOfReport } from '../summary/facts.ts';
import { formatSummary } from '../summary/sync-summary.ts';
import { TroubleTeller, tellUnmatched } from '../sync/report/failure-notices.ts';
import { tellMoved } from '../sync/report/moved-report.ts';
import { formatReport, type Report } from '../sync/report/report.ts';
import { readReport, requireReportFile, writeReport } from '../sync/report/report-file.ts';
import { mergeReports } from '../sync/report/report-merge.ts';
import { isNothing } from '../sync/report/run-outcome.ts';
import { nothingMatched } from '../sync/report/wording.ts';
import type { CommandContext, MergeSettings } from './commands.ts';
import { endingOf, tellEnd } from './sync-command.ts';

/**
 * Joins the reports of shards, and shows them like one run. In a workflow, it adds the run's page to the job's
 * summary, so that the last job of a matrix shows one page for all shards.
 */
export async function mergeCommand(
  files: readonly string[],
  settings: MergeSettings,
  context: CommandContext,
): Promise<Ending> {
  const { reporter, print, signal } = context;
  requireReportFile(settings.report, files);
  const reports = await Promise.all(
    files.map(async (file) => ({ file, report: await reportIn(file, signal) })),
  );
  const report = mergeReports(reports);
  tellMoved(report.images, report.options, reporter);
  for (const failure of report.failures ?? []) reporter.error(describeReported(failure));
  for (const { message, place } of report.warnings) reporter.warning(message, place);
  tellUnmatched(report.unmatched, reporter);
  if (report.interrupted === undefined && report.failures === undefined && isNothing(report))
    reporter.error(nothingMatched(report.source));
  const trouble = new TroubleTeller(reporter, () => undefined);
  for (const image of report.images) trouble.take(image);
  trouble.finish();
  if (settings.report !== undefined) writeReport(settings.report, report);
  addToJobSummary(report, context);
  tellEnd(report, context);
  if (settings.json) print(formatReport(report));
  return lacksShards(report) && settings.failOn !== 'never'
    ? 'incomplete'
    : endingOf(report, settings.failOn);
}

/** Returns whether the report of a part of the run is missing. */
function lacksShards({ shards }: Report): boolean {
  return shards.length < (shards[0]?.count ?? 0);
}

/** Returns the report in a file, which may be a pipe: waits for it until the signal aborts. */
async function reportIn(file: string, signal: AbortSignal): Promise<Report> {
  const content = await readGivenFile(file, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    return { error };
  });
  return readReport(file, () => {
    if ('error' in content) throw content.error;
    return content;
  });
}

function addToJobSummary(report: Report, { reporter }: CommandContext): void {
  const { GITHUB_STEP_SUMMARY: file = '' } = process.env;
  if (file === '') return;
  try {
    const facts = factsOfReport(report, []);
    appendFileSync(file, formatSummary(lacksShards(report) ? { ...facts, outcome: 'failed' } : facts));
  } catch (error) {
    reporter.warning(`the job summary could not be written: ${describeFailure(error)}`);
  }
}
