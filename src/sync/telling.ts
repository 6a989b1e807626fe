import type { Place, Reporter } from '../lib/reporter.ts';
import type { Report, ReportedImage } from './report.ts';
import { failedLine, moreUnmatchedWarning, unmatchedWarning } from './wording.ts';

/** Tells an image that did not arrive, as loud as it deserves, at its place in a file where it has one; others are passed over. */
export function tellTrouble(image: ReportedImage, reporter: Reporter, place?: Place): void {
  switch (image.outcome) {
    case 'copied':
    case 'skipped':
    case 'checked':
      return;
    case 'deferred':
      // After an interruption there may be thousands, and the headline counts them.
      if (image.reason?.code === 'INTERRUPTED') reporter.detail(failedLine(image));
      else reporter.warning(failedLine(image));
      return;
    default:
      reporter.error(failedLine(image), place);
  }
}

/** A set made for another source has dozens. */
const UNMATCHED_TOLD = 5;

/** Tells the names that match nothing: all that did before, as errors, and the first few of the others. Gives all of them. */
export function tellUnmatched(
  unmatched: Report['unmatched'],
  reporter: Pick<Reporter, 'warning' | 'error'>,
): Report['unmatched'] {
  const { lost = [], never = [] } = Object.groupBy(unmatched, ({ matchedBefore }) =>
    matchedBefore ? 'lost' : 'never',
  );
  for (const { pattern, place } of lost) reporter.error(unmatchedWarning(pattern, true), place);
  for (const { pattern, place } of never.slice(0, UNMATCHED_TOLD)) {
    reporter.warning(unmatchedWarning(pattern, false), place);
  }
  const more = never.length - UNMATCHED_TOLD;
  if (more > 0) reporter.warning(moreUnmatchedWarning(more));
  return unmatched;
}
