import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FlagSource } from '../config/flags/flag-source.ts';
import { reportedFailures } from '../config/reported-failure.ts';
import { seconds } from '../lib/duration.ts';
import { describeFailure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';
import type { RetryPolicy } from '../lib/retry.ts';
import { factsOfReport } from '../summary/facts.ts';
import { formatSummary } from '../summary/sync-summary.ts';
import { SYNC_FLAGS } from '../sync/flags.ts';
import type { RunParts } from '../sync/parts.ts';
import { movedImages } from '../sync/report/moved-report.ts';
import { filesOfWrongFlags, headOfWrongFlags, refusedReport } from '../sync/report/refused-report.ts';
import { type Report, reportHead, versionsOf } from '../sync/report/report.ts';
import { requireReportFile, writeReport } from '../sync/report/report-file.ts';
import { outcomeOf } from '../sync/report/run-outcome.ts';
import { headlineOf } from '../sync/report/wording.ts';
import { type FinishedRun, runSync } from '../sync/run/run.ts';
import { filesOf, parseSyncSettings, type SyncSettings } from '../sync/settings.ts';
import { isForeign } from '../sync/state/state-file-kind.ts';
import { Upstream } from '../upstream/upstream.ts';
import { labelInput, readInputs } from './inputs.ts';
import { writeJobSummary } from './job-summary.ts';
import { InputsRefused, reportObstacles } from './obstacles.ts';
import { NOTHING_DONE, setOutputs } from './outputs.ts';
import { keepForPost, keptByMain, markMain } from './post-handover.ts';
import { PROCESS_MASK } from './process-mask.ts';
import { restoreState, saveState, stateKeys } from './state-cache.ts';

/** What the entry provides to the step. */
interface StepParts
  extends Pick<RunParts, 'reporter' | 'signal' | 'environment' | 'runCredentialHelper' | 'version'> {
  readonly notices: readonly string[];
}

const RESTORE_TIME_LIMIT = seconds(30);
const RESTORE_RETRY: RetryPolicy = { attempts: 4, interval: seconds(1) };
const SAVE_TIME_LIMIT = seconds(60);

/** Mirrors by the inputs of the step and returns whether the step succeeded. Sets the outputs on every path. */
export async function mirrorStep(parts: StepParts): Promise<boolean> {
  const started = new Date();
  const flags = readFlags(parts.environment);
  let head = headOfWrongFlags(flags, parts.version);
  try {
    markMain();
    const settings = readSettings(flags, parts);
    head = reportHead(settings, parts.version);
    requireReportFile(settings.report, filesOf(settings));
    using maker = await Upstream.open(settings, parts);
    const finished = await runSync(settings, {
      ...parts,
      maker,
      fetchState: settings.state === 'file' ? () => findState(settings, parts) : undefined,
      onSecret: PROCESS_MASK.hide,
    });
    return await tell(settings, finished, parts.reporter);
  } catch (error) {
    const failures = error instanceof InputsRefused ? error.failures : [error];
    const times = { started, ended: new Date() };
    const refused = refusedReport(head, failures.flatMap(reportedFailures), times);
    setOutputs({ ...NOTHING_DONE, report: leaveRefusal(flags, refused) }, parts.reporter);
    await reportObstacles(error, parts, { stopped: 'the run was stopped before it started' });
    return false;
  }
}

/** Saves the state that the main part of the step has left, if any. */
export async function saveStep({ reporter, signal }: Pick<StepParts, 'reporter' | 'signal'>): Promise<void> {
  const kept = keptByMain();
  if (kept === undefined) return;
  await saveState(kept.database, kept.key, { reporter, signal, timeLimit: SAVE_TIME_LIMIT });
}

/** The inputs as texts, and warnings about those that the action does not have. */
type GivenInputs = FlagSource & { readonly warnings: readonly string[] };

function readFlags(environment: NodeJS.ProcessEnv): GivenInputs {
  const { values, warnings } = readInputs(SYNC_FLAGS, environment);
  const { RUNNER_TEMP = tmpdir() } = environment;
  return {
    values: new Map([['report', path.join(RUNNER_TEMP, 'sync-report.json')], ...values]),
    environment,
    label: labelInput,
    onSecret: PROCESS_MASK.hidePassword,
    warnings,
  };
}

function readSettings(flags: GivenInputs, { reporter, notices }: StepParts): SyncSettings {
  const parsed = parseSyncSettings(flags);
  for (const warning of [...notices, ...flags.warnings]) reporter.warning(warning);
  if (!parsed.ok) throw new InputsRefused(parsed.failures);
  for (const notice of parsed.notices) reporter.warning(notice);
  return parsed.settings;
}

/** Writes the report of a run that could not start and returns its path; empty if it cannot be written. */
function leaveRefusal(flags: FlagSource, report: Report): string {
  const { report: file = '', others } = filesOfWrongFlags(flags);
  try {
    requireReportFile(file, others);
    writeReport(file, report);
    return file;
  } catch {
    // The reason of the refusal may be this file.
    return '';
  }
}

async function findState(settings: SyncSettings, parts: StepParts): Promise<boolean> {
  const { reporter, signal } = parts;
  const { GITHUB_RUN_ID: id = '0', GITHUB_RUN_ATTEMPT: attempt = '1' } = parts.environment;
  const keys = stateKeys(settings, { id, attempt });
  // The runner may kill this process at any time from here on; what the file contains by then is worth saving.
  if (!settings.dryRun) keepForPost({ key: keys.key, database: path.resolve(settings.database) });
  return restoreState(settings.database, keys, {
    reporter,
    signal,
    timeLimit: RESTORE_TIME_LIMIT,
    retry: RESTORE_RETRY,
    isForeign,
  });
}

/** Writes report, outputs and summary, ends the log with the headline, and returns whether the step succeeded. */
async function tell(
  settings: SyncSettings,
  { report, runs }: FinishedRun,
  reporter: Reporter,
): Promise<boolean> {
  const { total, copied, skipped, failed, deferred, bytes } = report.totals;
  reporter.close();
  const written = leaveReport(settings.report, report, reporter);
  const moved = movedImages(report.images).length;
  const counts = { total, copied, skipped, failed, deferred, moved, bytes };
  const kubernetes = JSON.stringify(versionsOf(report));
  setOutputs({ ...counts, kubernetes, report: written, 'state-restored': report.stateRestored }, reporter);
  await writeJobSummary(formatSummary(factsOfReport(report, runs)), reporter);
  const isGood = outcomeOf(report) === 'succeeded';
  if (isGood) reporter.line(headlineOf(report));
  else if (settings.failOn === 'never') reporter.warning(headlineOf(report));
  else reporter.error(headlineOf(report));
  return isGood || settings.failOn === 'never';
}

/** Writes the report and returns its path; empty, with a warning, if it cannot be written. */
function leaveReport(file: string | undefined, report: Report, reporter: Reporter): string {
  if (file === undefined) return '';
  try {
    writeReport(file, report);
    return file;
  } catch (error) {
    reporter.warning(describeFailure(error));
    return '';
  }
}
