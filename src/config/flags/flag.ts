/** A flag of a command. It is an action input of the same name too, unless it is `commandLineOnly`. */
export interface Flag<Name extends string = string> {
  readonly name: Name;
  /** Its letter, for `-u`. */
  readonly short?: string | undefined;
  /** Name of its value in help, such as `HOST`. A flag without one is a switch. */
  readonly value?: string | undefined;
  /** The value if the flag is not given. */
  readonly default?: string | undefined;
  /**
   * The default in action.yml, where it has to differ: the runner fills it in, and the action takes exactly this text
   * for an input that was left out. It must mean the same as `default`.
   */
  readonly inputDefault?: string | undefined;
  /** Shown instead of the default if a rule determines it. */
  readonly defaultNote?: string | undefined;
  /** What it does, as one sentence. */
  readonly description: string;
  /** Its heading in help and tables. */
  readonly group: string;
  /** The environment variable that is used if the flag is not given. */
  readonly environment?: string | undefined;
  /**
   * The variable that is used if that one is empty too. Help shows only `environment`, so the description has to name
   * it.
   */
  readonly otherEnvironment?: string | undefined;
  /** Its value must never be shown. A `FlagReader` reports it to `onSecret` before it reads anything. */
  readonly secret?: boolean | undefined;
  /** Returns the secrets in its value, if the value contains more than one. */
  readonly secretsIn?: ((text: string) => readonly string[]) | undefined;
  /** The flag with the user name that a secret belongs to. Requests contain both, as `name:secret`. */
  readonly user?: string | undefined;
  /** May be given several times, or once with values separated by commas or line ends. */
  readonly repeatable?: boolean | undefined;
  /**
   * Whether an empty text is refused, such as that of a variable that is not set. With the default instead, the command
   * would send a login to another host, or work on other images than the user means.
   */
  readonly refusesEmpty?: boolean | undefined;
  /** Whether it is not an action input. */
  readonly commandLineOnly?: boolean | undefined;
  /** Whether it is an action input and an environment variable, but not a flag: other users see arguments. */
  readonly inputOnly?: boolean | undefined;
}

/** Returns the flags by group. Groups and flags keep the order of the table. */
export function groupFlags<Name extends string>(
  flags: readonly Flag<Name>[],
): ReadonlyMap<string, readonly Flag<Name>[]> {
  return Map.groupBy(flags, (flag) => flag.group);
}

/** Returns a flag's default for people: a text, a rule, or undefined. */
export function defaultOf(flag: Flag): string | undefined {
  return flag.defaultNote ?? flag.default;
}
