import type { RunOutcome } from '../state/run-rows.ts';
import type { Report } from './report.ts';

/**
 * Returns how a run ended: `interrupted` where its time was over or someone stopped it, `succeeded` where all that is
 * wanted is at the destination, what matched before still does, and the image set did not match nothing at all. The state, the summary and the exit code go by it.
 */
export function outcomeOf(report: Pick<Report, 'totals' | 'interrupted' | 'unmatched'>): RunOutcome {
  const { totals, interrupted, unmatched } = report;
  if (interrupted !== undefined) return 'interrupted';
  const isWhole = totals.failed === 0 && totals.deferred === 0;
  const isLost = unmatched.some(({ matchedBefore }) => matchedBefore);
  return isWhole && !isLost && !isNothing(report) ? 'succeeded' : 'failed';
}

/** Returns whether a run found none of the images that it was to mirror. */
export function isNothing({ totals, unmatched }: Pick<Report, 'totals' | 'unmatched'>): boolean {
  return totals.total === 0 && unmatched.length > 0;
}
