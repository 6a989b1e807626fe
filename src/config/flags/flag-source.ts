import type { Flag } from './flag.ts';

/** Where to read the texts of flags. */
export interface FlagSource {
  /**
   * The texts by flag name, from the command line or the action's inputs. An empty text is treated as not given, unless
   * the flag refuses it.
   */
  readonly values: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Returns a flag's name as users write it: `--limit`, or `input "limit"`. */
  readonly label: (name: string) => string;
  /** The arguments that are not flags. Only commands whose arguments are images have them here. */
  readonly operands?: readonly string[] | undefined;
  /** Whether there is a standard input to read from. A step of a workflow has none. */
  readonly hasInput?: boolean | undefined;
  /** Called with each secret before its first use, so that the log can mask it. A terminal shows none. */
  readonly onSecret?: ((secret: string) => void) | undefined;
}

/** Returns the text of a flag: the given one, its environment variable's, or its default. The caller refuses an empty one. */
export function flagText(flag: Flag, source: FlagSource): string | undefined {
  const given = source.values.get(flag.name);
  if (given !== undefined && given.trim() !== '') return flag.secret === true ? given : given.trim();
  if (given !== undefined && flag.refusesEmpty === true) return '';
  return inheritedTexts(flag, source).find((text) => text !== '') ?? flag.default;
}

/** Returns where the text of a flag is written: its environment variable, or the flag's name as users write it. */
export function originOf(flag: Flag, source: FlagSource): string {
  const isGiven = (source.values.get(flag.name) ?? '').trim() !== '';
  const isEmptyGiven = source.values.has(flag.name) && flag.refusesEmpty === true;
  const variables = [flag.environment, flag.otherEnvironment];
  const variable = variables.find((name) => name !== undefined && (source.environment[name] ?? '') !== '');
  return isGiven || isEmptyGiven || variable === undefined ? source.label(flag.name) : variable;
}

/** Returns the texts of a flag's environment variables, in order of precedence; empty ones included. */
export function inheritedTexts(flag: Flag, source: FlagSource): readonly string[] {
  const variables = [flag.environment, flag.otherEnvironment];
  return variables.map((name) => (name === undefined ? '' : (source.environment[name] ?? '')));
}
