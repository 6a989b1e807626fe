import { Option } from 'commander';
import { defaultOf, type Flag } from '../config/flags/flag.ts';

/** Shown nowhere: it lets commander take `--dry-run=false`, as Go's flags do. */
const SWITCH_VALUE = ' [yes]';

/** Returns the form of a flag in help and tables: `-u, --username NAME`. */
export function flagTerm(flag: Flag): string {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  return `${short}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
}

/** Returns the sentence of a flag in help, with its default and its environment variable. */
function flagHelp(flag: Flag): string {
  const known = defaultOf(flag);
  const notes = [
    ...(flag.repeatable === true ? ['repeatable'] : []),
    ...(known === undefined ? [] : [`default: ${known}`]),
    ...(flag.environment === undefined ? [] : [`or $${flag.environment}`]),
  ];
  return notes.length === 0 ? flag.description : `${flag.description} (${notes.join('; ')})`;
}

/** Returns commander's option for a flag, which keeps what it is given in `values`. */
export function createOption(flag: Flag, values: Map<string, string>): Option {
  const term = flag.value === undefined ? SWITCH_VALUE : ` <${flag.value}>`;
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const option = new Option(`${short}--${flag.name}${term}`, flagHelp(flag));
  option.helpGroup(`${flag.group}:`);
  option.argParser((text: string) => {
    const before = flag.repeatable === true ? values.get(flag.name) : undefined;
    values.set(flag.name, before === undefined ? text : `${before}\n${text}`);
    return text;
  });
  return option;
}

/** Returns an option's form in help, without what only commander needs. */
export function optionTerm(option: Option): string {
  return option.flags.replace(SWITCH_VALUE, '').replace(/<([^<>]*)>/, '$1');
}

/**
 * Rewrites two forms that commander does not know and that scripts written for Go's flags have: `-u=name`, and
 * switches with a value, which a bare switch must not take from the next argument.
 */
export function expandArguments(given: readonly string[], flags: readonly Flag[]): string[] {
  const names = new Map(flags.flatMap((flag) => (flag.short === undefined ? [] : [[flag.short, flag.name]])));
  const switches = new Set(flags.flatMap((flag) => (flag.value === undefined ? [`--${flag.name}`] : [])));
  const end = given.indexOf('--');
  return given.map((argument, index) => {
    if (end >= 0 && index >= end) return argument;
    if (switches.has(argument)) return `${argument}=true`;
    const [, short, value] = /^-([a-z])=(.*)$/s.exec(argument) ?? [];
    const name = names.get(short ?? '');
    return name === undefined ? argument : `--${name}=${value}`;
  });
}
