import type { Place, Reporter } from '../../lib/reporter.ts';
import { groupFailures, isAboutOne } from './failure-groups.ts';
import type { Report, ReportedImage } from './report.ts';
import { failedLine, failedTogetherLine, moreUnmatchedWarning, unmatchedWarning } from './wording.ts';

/**
 * Reports images that did not arrive when all images are known: those with the same cause on one line, with their number.
 */
export class TroubleTeller {
  readonly #reporter: Reporter;
  readonly #placeOf: (sources: readonly string[]) => Place | undefined;
  readonly #held: ReportedImage[] = [];

  /** `placeOf` returns where the image set names one of these images. */
  constructor(reporter: Reporter, placeOf: (sources: readonly string[]) => Place | undefined) {
    this.#reporter = reporter;
    this.#placeOf = placeOf;
  }

  /** The number of images that failed so far. */
  get failed(): number {
    return this.#held.filter(({ outcome }) => outcome !== 'deferred').length;
  }

  /** Takes an image as soon as its outcome is known. */
  take(image: ReportedImage): void {
    // `tellMoved` reports it in detail.
    if (image.moved?.kept === true) return;
    switch (image.outcome) {
      case 'copied':
      case 'skipped':
      case 'checked':
        return;
      default:
        this.#reporter.detail(failedLine(image));
        // After an interruption there may be thousands, and the headline has their number. Those that are too young are
        // reported together, and are not errors.
        if (image.reason?.code !== 'INTERRUPTED' && image.oldEnough === undefined) this.#held.push(image);
    }
  }

  /** Reports what was taken. */
  finish(): void {
    for (const [first, ...others] of groupFailures(this.#held.splice(0))) {
      const line = failedTogetherLine(first, others);
      if (first.outcome === 'deferred') this.#reporter.warning(line);
      else this.#reporter.error(line, this.#placeOfGroup(first));
    }
  }

  #placeOfGroup(image: ReportedImage): Place | undefined {
    if (image.outcome === 'collision') return this.#placeOf(image.claimants ?? []);
    return isAboutOne(image) ? this.#placeOf([image.source]) : undefined;
  }
}

/** A set that was written for another source has dozens. */
const UNMATCHED_TOLD = 5;

/**
 * Reports names that match nothing: as errors those that matched before, as warnings the first of the others. Returns
 * all.
 */
export function tellUnmatched(
  unmatched: Report['unmatched'],
  reporter: Pick<Reporter, 'warning' | 'error'>,
): Report['unmatched'] {
  const { lost = [], never = [] } = Object.groupBy(unmatched, ({ matchedBefore }) =>
    matchedBefore ? 'lost' : 'never',
  );
  for (const line of lost) reporter.error(unmatchedWarning(line), line.place);
  for (const line of never.slice(0, UNMATCHED_TOLD)) reporter.warning(unmatchedWarning(line), line.place);
  const more = never.length - UNMATCHED_TOLD;
  if (more > 0) reporter.warning(moreUnmatchedWarning(more));
  return unmatched;
}
