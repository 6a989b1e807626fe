import type { RunOutcome } from '../state/run-rows.ts';
import type { Report } from './report.ts';

/**
 * Returns how a run ended: `interrupted` where its time was over or someone stopped it, `succeeded` where all that is
 * wanted is at the destination and what matched before still does. The state, the summary and the exit code go by it.
 */
export function outcomeOf(report: Pick<Report, 'totals' | 'interrupted' | 'unmatched'>): RunOutcome {
  const { totals, interrupted, unmatched } = report;
  if (interrupted !== undefined) return 'interrupted';
  const isWhole = totals.failed === 0 && totals.deferred === 0;
  return isWhole && !unmatched.some(({ matchedBefore }) => matchedBefore) ? 'succeeded' : 'failed';
}
