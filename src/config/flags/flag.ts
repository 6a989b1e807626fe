/** One flag of a command, which is an action input of the same name as well unless it says otherwise. */
export interface Flag<Name extends string = string> {
  readonly name: Name;
  /** One letter, for `-u`. */
  readonly short?: string | undefined;
  /** What its value is called in the help, such as `HOST`. A flag without one is a switch. */
  readonly value?: string | undefined;
  /** Used where the flag is left alone. */
  readonly default?: string | undefined;
  /** Told instead of the default where a rule decides. */
  readonly defaultNote?: string | undefined;
  /** What it does, as one sentence. */
  readonly description: string;
  /** The heading under which help and tables list it. */
  readonly group: string;
  /** Read where the flag is left alone. */
  readonly environment?: string | undefined;
  /** Read where that variable is empty too. Help shows only `environment`, so the description has to name it. */
  readonly otherEnvironment?: string | undefined;
  /** Its value must never be shown: whoever opens a `FlagReader` on its table is told it before anything is read. */
  readonly secret?: boolean | undefined;
  /** The flag with the user name that a secret belongs to: as `name:secret`, the two travel together. */
  readonly user?: string | undefined;
  /** May be given several times, or once with values between commas or on lines of their own. */
  readonly repeatable?: boolean | undefined;
  /** Only for a person at a terminal: no action input. */
  readonly commandLineOnly?: boolean | undefined;
}

/** Returns the flags in their groups; both keep the order of the table. */
export function groupFlags<Name extends string>(
  flags: readonly Flag<Name>[],
): ReadonlyMap<string, readonly Flag<Name>[]> {
  return Map.groupBy(flags, (flag) => flag.group);
}

/** Returns what a person needs to know of a flag's default: `"15m0s"`, a rule, or nothing. */
export function defaultOf(flag: Flag): string | undefined {
  return flag.defaultNote ?? flag.default;
}
