import type { Place, Reporter } from '../../lib/reporter.ts';
import type { Report, ReportedImage } from './report.ts';
import {
  failedLine,
  failedTogetherLine,
  moreUnmatchedWarning,
  splitName,
  unmatchedWarning,
} from './wording.ts';

/**
 * Reports images that did not arrive, each with its severity and its place in the image set. Collisions and missing
 * platforms concern many tags of a repository, so they are reported together when all images are known.
 */
export class TroubleTeller {
  readonly #reporter: Reporter;
  readonly #placeOf: (claimants: readonly string[]) => Place | undefined;
  readonly #held: ReportedImage[] = [];

  /** `placeOf` returns where the image set asks for one of the images that claim a name. */
  constructor(reporter: Reporter, placeOf: (claimants: readonly string[]) => Place | undefined) {
    this.#reporter = reporter;
    this.#placeOf = placeOf;
  }

  take(image: ReportedImage): void {
    // `tellMoved` tells more of it.
    if (image.moved?.kept === true) return;
    switch (image.outcome) {
      case 'copied':
      case 'skipped':
      case 'checked':
        return;
      case 'deferred':
        // After an interruption there may be thousands, and the headline has their number.
        if (image.reason?.code === 'INTERRUPTED') this.#reporter.detail(failedLine(image));
        else this.#reporter.warning(failedLine(image));
        return;
      case 'collision':
        this.#held.push(image);
        return;
      default:
        if (image.reason?.code === 'PLATFORM_MISSING') this.#held.push(image);
        else this.#reporter.error(failedLine(image), this.#placeOfName(image));
    }
  }

  /** A name that is too long is a fault of the line that wants it. */
  #placeOfName({ source, reason }: ReportedImage): Place | undefined {
    return reason?.code === 'NAME_TOO_LONG' ? this.#placeOf([source]) : undefined;
  }

  /** Reports the collisions and missing platforms. */
  finish(): void {
    for (const [first, ...others] of Map.groupBy(this.#held.splice(0), causeOf).values()) {
      if (first === undefined) continue;
      this.#reporter.error(failedTogetherLine(first, others), this.#placeOf(first.claimants ?? []));
    }
  }
}

function causeOf({ source, destination, outcome, reason, claimants }: ReportedImage): string {
  const repositories = (names: readonly string[]): string[] =>
    names.map((name) => splitName(name).repository);
  const which =
    outcome === 'collision' ? repositories([destination, ...(claimants ?? [])]) : repositories([source]);
  // Messages of collisions contain the tag.
  return JSON.stringify([outcome, which, outcome === 'collision' ? '' : reason?.message, reason?.hint]);
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
