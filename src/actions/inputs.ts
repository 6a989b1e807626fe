import type { Flag } from '../config/flags/flag.ts';
import { nearestName } from '../lib/text/nearest.ts';

/** The inputs under `with:` in a workflow. */
interface Inputs {
  /**
   * The texts of inputs by name, for the flag reader. An empty one is included only if it is empty in the workflow: the
   * runner fills in the default of an input that is left out.
   */
  readonly values: ReadonlyMap<string, string>;
  /** A warning for each input that the action does not have. */
  readonly warnings: readonly string[];
}

const PREFIX = 'INPUT_';

/** Returns the name of an input for a message. */
export function labelInput(name: string): string {
  return `input "${name}"`;
}

/** Returns the flags that are inputs of an action. */
function inputFlags<Name extends string>(flags: readonly Flag<Name>[]): readonly Flag<Name>[] {
  return flags.filter((flag) => flag.commandLineOnly !== true);
}

/**
 * Returns the inputs of an action by its table of flags. The warning about an unknown one suggests the nearest name.
 */
export function readInputs(
  flags: readonly Flag[],
  environment: Readonly<Record<string, string | undefined>>,
): Inputs {
  const known = new Map(inputFlags(flags).map((flag) => [variableOf(flag.name), flag]));
  const names = [...known.values()].map(({ name }) => name);
  const values = new Map<string, string>();
  const warnings: string[] = [];
  for (const [variable, text = ''] of Object.entries(environment)) {
    const flag = known.get(variable);
    if (!variable.startsWith(PREFIX) || (text === '' && flag?.default === undefined)) continue;
    if (flag?.inputDefault === text) continue;
    if (flag !== undefined) values.set(flag.name, text);
    else warnings.push(describeUnknown(variable, names));
  }
  return { values, warnings };
}

/** Returns the environment variable of an input: upper case, with underscores for spaces. */
function variableOf(name: string): string {
  return `${PREFIX}${name.replaceAll(' ', '_').toUpperCase()}`;
}

function describeUnknown(variable: string, known: Iterable<string>): string {
  const name = variable.slice(PREFIX.length).toLowerCase();
  const nearest = nearestName(name, known);
  const advice = nearest === undefined ? 'remove it' : `did you mean "${nearest}"?`;
  return `${labelInput(name)}: the action has no such input, so it was ignored (${advice})`;
}
