import { Help, Option } from 'commander';
import { defaultOf, type Flag } from '../config/flags/flag.ts';

/** Never shown. It makes commander accept `--dry-run=false`, as Go's flags do. */
const SWITCH_VALUE = ' [yes]';

/** Returns whether a flag may be an argument. */
export function isArgument(flag: Flag): boolean {
  return flag.inputOnly !== true;
}

/** Returns the form of a flag in help and tables: `-u, --username NAME`, or `$VARIABLE` if it is no argument. */
export function flagTerm(flag: Flag): string {
  if (!isArgument(flag)) return `$${flag.environment}`;
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  return `${short}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
}

/** Returns what a message calls a flag on a command line: `--name`, or its variable if it is no argument. */
export function flagLabel(name: string, flags: readonly Flag[]): string {
  const flag = flags.find((each) => each.name === name);
  return flag === undefined || isArgument(flag) ? `--${name}` : (flag.environment ?? name);
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

/** Returns the part of a command's help about flags that are no arguments. Empty if there are none. */
export function variablesHelp(flags: readonly Flag[]): string {
  const variables = flags.filter((flag) => !isArgument(flag));
  if (variables.length === 0) return '';
  const told = variables.map((flag) => {
    const lines = new Help().boxWrap(flag.description, 90).split('\n');
    return [`  ${flagTerm(flag)}`, ...lines.map((line) => `    ${line}`)].join('\n');
  });
  return `\nEnvironment:\n${told.join('\n')}`;
}

/** Returns commander's option for a flag. It puts the given texts into `values`. */
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

/** Returns an option as help shows it, without what only commander needs. */
export function optionTerm(option: Option): string {
  return option.flags.replace(SWITCH_VALUE, '').replace(/<([^<>]*)>/, '$1');
}

/**
 * Returns arguments that commander understands, for two forms in scripts that were written for Go's flags: `-u=name`,
 * and switches with a value. A switch without one gets `=true`, so that it does not take the next argument.
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
