import type { Problem } from '../../config/problem.ts';
import type { Place } from '../../lib/reporter.ts';
import type { Notice } from './plan.ts';

/** What comes to light while a versions.json is resolved: all of it is told at once at the end. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly notices: Notice[] = [];

  problem(place: Place, message: string): void {
    this.problems.push({ place, message });
  }

  notice(text: string, place?: Place): void {
    if (!this.notices.some((known) => known.text === text)) this.notices.push({ text, place });
  }
}
