import { Failure } from '../lib/failure.ts';
import type { Place } from '../lib/reporter.ts';
import { withoutSecrets } from '../lib/text/hidden-secrets.ts';

/** A problem in a configuration file. */
export interface Problem {
  readonly place: Place;
  /** What was expected and what was found, on one line and without a full stop. */
  readonly message: string;
}

/** A warning about a configuration file that can be used. */
export interface Notice {
  readonly place: Place;
  readonly message: string;
}

/** Returns a place as compilers write it, `file:line:column`. Editors and terminals turn it into a link. */
export function formatPlace(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}

/** The most problems that a failure lists. Further ones appear when these are solved. */
export const PROBLEMS_TOLD = 100;

/** The failure of configuration files, with their problems in the order of the files. */
export class ConfigurationFailure extends Failure<'CONFIGURATION_MALFORMED'> {
  override readonly name = 'ConfigurationFailure';
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    const shown = problems.map(({ place, message }) => ({ place, message: withoutSecrets(message) }));
    const files = [...new Set(problems.map(({ place }) => place.file))];
    const sorted = shown.toSorted(
      ({ place: one }, { place: other }) =>
        files.indexOf(one.file) - files.indexOf(other.file) ||
        one.line - other.line ||
        one.column - other.column,
    );
    const [only] = sorted;
    const told = sorted.slice(0, PROBLEMS_TOLD);
    const lines = told.map((problem) => `  ${formatPlace(problem.place)}: ${problem.message}`);
    const least = sorted.length < PROBLEMS_TOLD ? '' : 'at least ';
    super({
      code: 'CONFIGURATION_MALFORMED',
      fault: 'usage',
      about: only !== undefined && sorted.length === 1 ? formatPlace(only.place) : file,
      message:
        only !== undefined && sorted.length === 1
          ? only.message
          : `${least}${told.length} problems\n${lines.join('\n')}`,
    });
    this.problems = told;
  }
}
