import { formatDuration, milliseconds } from '../../lib/duration.ts';
import { wrapLine } from '../../lib/text/columns.ts';
import { countOf } from '../../lib/text/sentence.ts';
import type { Diagnosis } from '../../sync/doctor/diagnosis.ts';

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

/**
 * Returns the line of a check: outcome, time, name, finding, and what to change. `width` is the terminal's. Without
 * it, the line is not broken.
 */
export function diagnosisLine(
  { check, outcome, message, hint, milliseconds: took }: Diagnosis,
  width?: number,
): string {
  const time = outcome === 'skipped' ? '' : formatDuration(milliseconds(took));
  const remedy = hint === undefined ? '' : ` (${hint})`;
  const head = [MARKS[outcome].padEnd(MARK_WIDTH), time.padStart(TIME_WIDTH), check.padEnd(NAME_WIDTH)];
  // A file may have several problems, each on its own line.
  const line = `${head.join('  ')}  ${message.replaceAll('\n', '\n    ')}${remedy}`;
  return wrapLine(line, width, INDENT);
}

/** Returns the last line of doctor, which says whether a sync would work. */
export function doctorConclusion(diagnoses: readonly Diagnosis[]): string {
  const count = (outcome: Diagnosis['outcome']) =>
    diagnoses.filter((diagnosis) => diagnosis.outcome === outcome).length;
  const failed = count('failed');
  if (failed > 0) return `a sync would not work: ${countOf(failed, 'check')} failed`;
  const partial = diagnoses.filter(({ outcome }) => outcome === 'partial').map(({ message }) => message);
  if (partial.length > 0) return `a sync would work in part: ${partial.join('; ')}`;
  const warnings = count('warning');
  const untried = diagnoses.map((diagnosis) => diagnosis.untried).filter((each) => each !== undefined);
  const verdict = ['a sync would work', ...(untried.length === 0 ? [] : ['as far as tested'])];
  return [...verdict, ...(warnings === 0 ? [] : [`with ${countOf(warnings, 'warning')}`])]
    .join(', ')
    .concat(untried.length === 0 ? '' : `: ${untried.join('; ')}`);
}
