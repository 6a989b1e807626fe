import type { RunOutcome } from '../state/run-rows.ts';
import type { Report } from './report.ts';

/** What was found for an image set. */
interface Harvest {
  readonly totals: Pick<Report['totals'], 'total'>;
  readonly unmatched: readonly unknown[];
  readonly unselected?: readonly Pick<NonNullable<Report['unselected']>[number], 'emptied'>[] | undefined;
  readonly shards: Report['shards'];
}

/**
 * Returns how a run ended. `interrupted`: its time was over, or someone stopped it. `succeeded`: all that is wanted is
 * at the destination, names that matched before still match, and the image set matches something. The state, the
 * summary and the exit code depend on it.
 */
export function outcomeOf(
  report: Pick<Report, 'totals' | 'failures' | 'interrupted' | 'unmatched' | 'unselected' | 'shards'>,
): RunOutcome {
  const { totals, failures = [], interrupted, unmatched } = report;
  if (failures.length > 0) return 'failed';
  if (interrupted !== undefined) return 'interrupted';
  // Tags that are too young wait because the image set requires that.
  const isWhole = totals.failed === 0 && totals.deferred === (totals.tooYoung ?? 0);
  const isLost = unmatched.some(({ matchedBefore }) => matchedBefore);
  return isWhole && !isLost && !isNothing(report) ? 'succeeded' : 'failed';
}

/**
 * Returns whether an image set matched nothing at all: its lines find no image, or its filters let no tag pass. It is
 * not an error if nothing was uploaded since the day in `since`, or if one shard has no images.
 */
export function isNothing({ totals, unmatched, unselected = [], shards }: Harvest): boolean {
  const isWhole = shards.length === (shards[0]?.count ?? 0);
  const isQuiet = unselected.some(({ emptied }) => emptied === 'since');
  return isWhole && totals.total === 0 && !isQuiet && unmatched.length + unselected.length > 0;
}
