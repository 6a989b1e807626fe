import type { RunOutcome } from '../state/run-rows.ts';
import type { Report } from './report.ts';

/** What was found of an image set. */
interface Harvest {
  readonly totals: Pick<Report['totals'], 'total'>;
  readonly unmatched: readonly unknown[];
  readonly unselected?: readonly Pick<NonNullable<Report['unselected']>[number], 'emptied'>[] | undefined;
  readonly shards: Report['shards'];
}

/**
 * Returns how a run ended: `interrupted` where its time was over or someone stopped it, `succeeded` where all that is
 * wanted is at the destination, what matched before still does, and the image set did not match nothing at all. The state, the summary and the exit code go by it.
 */
export function outcomeOf(
  report: Pick<Report, 'totals' | 'failures' | 'interrupted' | 'unmatched' | 'unselected' | 'shards'>,
): RunOutcome {
  const { totals, failures = [], interrupted, unmatched } = report;
  if (failures.length > 0) return 'failed';
  if (interrupted !== undefined) return 'interrupted';
  // Tags that are too young are where the image set wants them.
  const isWhole = totals.failed === 0 && totals.deferred === (totals.tooYoung ?? 0);
  const isLost = unmatched.some(({ matchedBefore }) => matchedBefore);
  return isWhole && !isLost && !isNothing(report) ? 'succeeded' : 'failed';
}

/**
 * Returns whether an image set matched nothing at all: its lines find no image, or its filters let no tag pass. That
 * nothing was uploaded since the day that it asks for is no fault, and neither that nothing falls to one shard.
 */
export function isNothing({ totals, unmatched, unselected = [], shards }: Harvest): boolean {
  const isWhole = shards.length === (shards[0]?.count ?? 0);
  const isQuiet = unselected.some(({ emptied }) => emptied === 'since');
  return isWhole && totals.total === 0 && !isQuiet && unmatched.length + unselected.length > 0;
}
