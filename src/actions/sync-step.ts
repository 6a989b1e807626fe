import { tmpdir } from 'node:os';
import path from 'node:path';
import { seconds } from '../lib/duration.ts';
import { describeFailure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';
import { factsOfReport } from '../summary/facts.ts';
import { formatSummary } from '../summary/sync-summary.ts';
import { SYNC_FLAGS } from '../sync/flags.ts';
import type { RunParts } from '../sync/parts.ts';
import { movedImages } from '../sync/report/moved-report.ts';
import { type Report, requireReportFile, writeReport } from '../sync/report/report.ts';
import { outcomeOf } from '../sync/report/run-outcome.ts';
import { headlineOf } from '../sync/report/wording.ts';
import { type FinishedRun, runSync } from '../sync/run/run.ts';
import { parseSyncSettings, type SyncSettings } from '../sync/settings.ts';
import { isForeign } from '../sync/state/state-file-kind.ts';
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
const SAVE_TIME_LIMIT = seconds(60);

/** Mirrors by the inputs of the step and returns whether the step succeeded. Sets the outputs on every path. */
export async function mirrorStep(parts: StepParts): Promise<boolean> {
  try {
    markMain();
    const settings = readSettings(parts);
    requireReportFile(settings.report, [settings.database, settings.imageSet]);
    const finished = await runSync(settings, {
      ...parts,
      fetchState: settings.state === 'file' ? () => findState(settings, parts) : undefined,
      onSecret: PROCESS_MASK.hide,
    });
    return await tell(settings, finished, parts.reporter);
  } catch (error) {
    setOutputs(NOTHING_DONE, parts.reporter);
    await reportObstacles(error, parts, { stopped: 'the run was stopped before it began' });
    return false;
  }
}

/** Saves the state that the main part of the step has left, if any. */
export async function saveStep({ reporter, signal }: Pick<StepParts, 'reporter' | 'signal'>): Promise<void> {
  const kept = keptByMain();
  if (kept === undefined) return;
  await saveState(kept.database, kept.key, { reporter, signal, timeLimit: SAVE_TIME_LIMIT });
}

function readSettings({ reporter, environment, notices }: StepParts): SyncSettings {
  const { values, warnings } = readInputs(SYNC_FLAGS, environment);
  const { RUNNER_TEMP = tmpdir() } = environment;
  const parsed = parseSyncSettings({
    values: new Map([['report', path.join(RUNNER_TEMP, 'sync-report.json')], ...values]),
    environment,
    label: labelInput,
    onSecret: PROCESS_MASK.hidePassword,
  });
  for (const warning of [...notices, ...warnings]) reporter.warning(warning);
  if (!parsed.ok) throw new InputsRefused(parsed.failures);
  for (const notice of parsed.notices) reporter.warning(notice);
  return parsed.settings;
}

async function findState(settings: SyncSettings, parts: StepParts): Promise<boolean> {
  const { reporter, signal } = parts;
  const { GITHUB_RUN_ID: id = '0', GITHUB_RUN_ATTEMPT: attempt = '1' } = parts.environment;
  const keys = stateKeys(settings, { id, attempt });
  // The runner may kill this process at any time from here on; whatever is in the file by then is worth saving.
  if (!settings.dryRun) keepForPost({ key: keys.key, database: path.resolve(settings.database) });
  return restoreState(settings.database, keys, {
    reporter,
    signal,
    timeLimit: RESTORE_TIME_LIMIT,
    isForeign,
  });
}

/** Writes report, outputs and summary, ends the log with the headline, and returns whether the step succeeded. */
async function tell(
  settings: SyncSettings,
  { report, runs }: FinishedRun,
  reporter: Reporter,
): Promise<boolean> {
  const { total, copied, skipped, failed, bytes } = report.totals;
  reporter.close();
  const written = leaveReport(settings.report, report, reporter);
  const moved = movedImages(report.images).length;
  const counts = { total, copied, skipped, failed, moved, bytes };
  setOutputs({ ...counts, report: written, 'state-restored': report.stateRestored }, reporter);
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
