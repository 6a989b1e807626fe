import { formatDuration, milliseconds } from '../lib/duration.ts';
import { bar } from '../lib/text/chart-bar.ts';
import { alignColumns } from '../lib/text/columns.ts';
import { formatSize } from '../lib/text/size.ts';
import { formatTime } from '../lib/text/time.ts';
import type { RecordedRun } from '../sync/state/run-rows.ts';

const RUNS_SHOWN = 14;
const BAR_WIDTH = 20;

/**
 * Returns the last runs, the oldest first, as a chart of plain characters in a fenced block: when, a bar for the
 * copied images, and the numbers.
 */
export function formatHistory(runs: readonly RecordedRun[]): string {
  return ['```text', ...historyLines(runs), '```'].join('\n');
}

/** Returns the lines of the chart of the last runs, the oldest first. */
export function historyLines(runs: readonly RecordedRun[]): string[] {
  const shown = runs.slice(-RUNS_SHOWN);
  const most = Math.max(1, ...shown.map((run) => run.copied));
  const rows = shown.map((run) => [
    formatTime(run.started),
    bar(run.copied / most, BAR_WIDTH),
    `${run.copied} copied`,
    formatSize(run.bytes),
    formatDuration(milliseconds(run.ended.getTime() - run.started.getTime())),
    describeTrouble(run),
  ]);
  return alignColumns(rows, new Set([2, 3, 4]));
}

function describeTrouble(run: RecordedRun): string {
  const parts: string[] = [];
  if (run.failed > 0) parts.push(`${run.failed} failed`);
  if (run.deferred > 0) parts.push(`${run.deferred} deferred`);
  if (run.outcome === 'interrupted') parts.push('stopped');
  return parts.length === 0 ? '' : `✗ ${parts.join(', ')}`;
}
