import { Failure } from '../../lib/failure.ts';
import { hasLogin } from '../../lib/text/hidden-secrets.ts';
import { adviseOnLookAlikes } from '../../lib/text/look-alike.ts';
import type { Flag } from './flag.ts';
import { secretsIn } from './flag-secrets.ts';
import { type FlagSource, flagText, originOf } from './flag-source.ts';
import type { FlagParser } from './flag-value.ts';

/** Parses flags and collects the failures, so that users see all of them at once. */
export class FlagReader<in Name extends string> {
  readonly failures: Failure[] = [];
  readonly #flags: ReadonlyMap<string, Flag>;
  readonly #source: FlagSource;

  constructor(flags: readonly Flag<Name>[], source: FlagSource) {
    this.#flags = new Map(flags.map((flag) => [flag.name, flag]));
    this.#source = source;
    for (const secret of secretsIn(flags, source)) source.onSecret?.(secret);
  }

  /** Returns a flag's name as users write it. */
  label(name: Name): string {
    return this.#source.label(name);
  }

  /** Returns where the text of a flag is written: its environment variable, or its name as users write it. */
  #origin(name: Name): string {
    const flag = this.#flags.get(name);
    return flag === undefined ? this.label(name) : originOf(flag, this.#source);
  }

  /** Returns whether a flag or its environment variable is given, so that its default is not used. */
  isGiven(name: Name): boolean {
    const flag = this.#flags.get(name);
    return flag !== undefined && flagText({ ...flag, default: undefined }, this.#source) !== undefined;
  }

  /** Returns flags with values as users write them: `--a x --b y` in a command, `a: x and b: y` in a workflow. */
  written(pairs: readonly (readonly [Name, string])[]): string {
    const isCommand = pairs.every(([name]) => this.label(name).startsWith('-'));
    if (isCommand) return pairs.map(([name, value]) => `${this.label(name)} ${value}`).join(' ');
    return pairs.map(([name, value]) => `${name}: ${value}`).join(' and ');
  }

  /** Returns the text of a flag: the given one, its environment variable's, or its default. */
  text(name: Name): string | undefined {
    const flag = this.#flags.get(name);
    return flag && flagText(flag, this.#source);
  }

  /** Returns the parsed text of a flag; undefined if there is none. Keeps a failure and returns undefined if it is wrong. */
  optional<T>(name: Name, parser: FlagParser<T>): T | undefined {
    const text = this.text(name);
    if (text === '') this.refuse(name, 'it is empty', 'set a value, or leave it out; is a variable not set?');
    return text === undefined || text === '' ? undefined : this.#attempt(name, text, parser);
  }

  /**
   * Returns the parsed text of a flag with a default. If the text is wrong, keeps a failure and returns the default.
   */
  required<T>(name: Name, parser: FlagParser<T>): T {
    const value = this.optional(name, parser);
    if (value !== undefined) return value;
    const fallback = this.#flags.get(name)?.default;
    if (fallback === undefined) throw new TypeError(`the flag ${name} has no default`);
    return parser(fallback, this.label(name));
  }

  /** Returns all values of a repeatable flag. Wrong ones are left out and kept as failures. */
  list<T>(name: Name, parser: FlagParser<T>): T[] {
    const found: T[] = [];
    for (const text of (this.text(name) ?? '').split(/[\n,]/)) {
      const value = text.trim() === '' ? undefined : this.#attempt(name, text.trim(), parser);
      if (value !== undefined) found.push(value);
    }
    return found;
  }

  /** Keeps a failure of a flag in combination with others. */
  refuse(name: Name, message: string, hint: string): void {
    this.failures.push(
      new Failure({ code: 'FLAG_MALFORMED', fault: 'usage', about: this.#origin(name), message, hint }),
    );
  }

  #attempt<T>(name: Name, text: string, parser: FlagParser<T>): T | undefined {
    try {
      return parser(text, this.#origin(name));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.failures.push(withAdvice(error, text));
      return undefined;
    }
  }
}

/** Returns the failure of a text, with another hint if the error is a pasted character, and without a login. */
function withAdvice(failure: Failure, text: string): Failure {
  const { code, fault, about, cause } = failure;
  // A message quotes the beginning of a long text, in which a login has no end.
  const isQuoted = hasLogin(text) && failure.message.includes('"');
  const hint = isQuoted ? 'log in with docker login' : adviseOnLookAlikes(text);
  if (hint === undefined) return failure;
  const message = isQuoted
    ? 'it contains a user name and a password, which are not read from there'
    : failure.message;
  return new Failure({ code, fault, about, message, hint, cause });
}
