import { formatDuration, milliseconds } from '../lib/duration.ts';
import { wrapLine } from '../lib/text/columns.ts';
import { countOf } from '../lib/text/sentence.ts';
import type { Ending } from '../process/exit-code.ts';
import type { Diagnosis } from '../sync/doctor/diagnosis.ts';
import { examine } from '../sync/doctor/doctor.ts';
import type { SyncSettings } from '../sync/settings.ts';
import type { CommandContext } from './commands.ts';
import { runParts } from './sync-command.ts';

const MARKS = {
  ok: '✓ ok',
  warning: '! warning',
  partial: '✗ in part',
  failed: '✗ failed',
  skipped: '- skipped',
} as const;
const MARK_WIDTH = 9;
const TIME_WIDTH = 7;
const NAME_WIDTH = 16;
const INDENT = MARK_WIDTH + TIME_WIDTH + NAME_WIDTH + 6;

/** Returns whether a run would work, one line a check; 1 where something would keep it from working. */
export async function doctorCommand(settings: SyncSettings, context: CommandContext): Promise<Ending> {
  const { reporter, print } = context;
  const diagnoses = await examine(settings, runParts(context), (diagnosis) =>
    reporter.line(wrapLine(diagnosisLine(diagnosis), process.stdout.columns, INDENT)),
  );
  const works = diagnoses.every(({ outcome }) => outcome !== 'failed' && outcome !== 'partial');
  reporter.close();
  reporter.line('');
  reporter.line(conclusion(diagnoses));
  if (settings.json) print(JSON.stringify({ works, checks: diagnoses }, undefined, 2));
  return works ? 'complete' : 'incomplete';
}

/** Returns the line of a check: mark and word, time taken, what it looked at, what it found, what to change. */
function diagnosisLine({ check, outcome, message, hint, milliseconds: took }: Diagnosis): string {
  const time = outcome === 'skipped' ? '' : formatDuration(milliseconds(took));
  const remedy = hint === undefined ? '' : ` (${hint})`;
  const head = [MARKS[outcome].padEnd(MARK_WIDTH), time.padStart(TIME_WIDTH), check.padEnd(NAME_WIDTH)];
  // Several problems of a file are several lines.
  return `${head.join('  ')}  ${message.replaceAll('\n', '\n    ')}${remedy}`;
}

function conclusion(diagnoses: readonly Diagnosis[]): string {
  const count = (outcome: Diagnosis['outcome']) =>
    diagnoses.filter((diagnosis) => diagnosis.outcome === outcome).length;
  const failed = count('failed');
  if (failed > 0) return `a sync would not work: ${countOf(failed, 'check')} failed`;
  const partial = diagnoses.find(({ outcome }) => outcome === 'partial');
  if (partial !== undefined) return `a sync would work in part: ${partial.message}`;
  const warnings = count('warning');
  return warnings === 0 ? 'a sync would work' : `a sync would work, with ${countOf(warnings, 'warning')}`;
}
