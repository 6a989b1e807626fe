import type { Place, Reporter } from '../lib/reporter.ts';
import type { ReportedImage } from './report.ts';
import { failedLine } from './wording.ts';

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
