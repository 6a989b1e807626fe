/** The description of one input for users; a flag of the command line has all its fields. */
export interface DescribedInput {
  readonly name: string;
  readonly description: string;
  readonly group: string;
  /** Its form, such as `HOST` or `any|never`; a switch has none. */
  readonly value?: string | undefined;
  readonly default?: string | undefined;
  readonly inputDefault?: string | undefined;
  readonly defaultNote?: string | undefined;
  readonly environment?: string | undefined;
  readonly repeatable?: boolean | undefined;
  readonly commandLineOnly?: boolean | undefined;
}

/** The contents of an action.yml in addition to its inputs and outputs. */
export interface DescribedAction {
  readonly name: string;
  readonly description: string;
  /** An icon of the Feather set that GitHub offers. */
  readonly icon: string;
  readonly color: string;
  /** The bundle, relative to the action.yml, for main and post. */
  readonly bundle: string;
  readonly post: boolean;
  readonly inputs: readonly DescribedInput[];
  readonly outputs: Readonly<Record<string, string>>;
}

/** Returns the text of an action.yml. */
export function formatActionMetadata(action: DescribedAction): string {
  const lines = [
    '# Written by scripts/actions.ts from the tables of flags and outputs; change those and run it again.',
    `name: ${quote(action.name)}`,
    `description: ${quote(action.description)}`,
    'author: shipengqi',
    'branding:',
    `  icon: ${action.icon}`,
    `  color: ${action.color}`,
    '',
    'inputs:',
  ];
  for (const [group, inputs] of Map.groupBy(offered(action.inputs), (input) => input.group)) {
    lines.push(`  # ${group}`);
    for (const input of inputs) {
      lines.push(`  ${input.name}:`);
      lines.push(`    description: ${quote(`${describe(input)}.`)}`);
      lines.push('    required: false', `    default: ${quote(input.inputDefault ?? standardOf(input))}`);
    }
    lines.push('');
  }
  lines.push('outputs:');
  for (const [name, description] of Object.entries(action.outputs)) {
    lines.push(`  ${name}:`, `    description: ${quote(`${description}.`)}`);
  }
  lines.push('', 'runs:', '  using: node24', `  main: ${action.bundle}`);
  if (action.post) lines.push(`  post: ${action.bundle}`, '  post-if: always()');
  return `${lines.join('\n')}\n`;
}

/** Returns the inputs of an action as tables in Markdown, one under each heading. */
export function formatInputTables(inputs: readonly DescribedInput[]): string {
  return [...Map.groupBy(offered(inputs), (input) => input.group)]
    .map(([group, members]) => {
      const rows = members.map((input) => {
        const standard = input.defaultNote ?? (standardOf(input) === '' ? '' : `\`${standardOf(input)}\``);
        return `| \`${input.name}\` | ${standard} | ${cell(describe(input, false))} |`;
      });
      return [`**${group}**`, '', '| Input | Default | What it does |', '|---|---|---|', ...rows].join('\n');
    })
    .join('\n\n');
}

/** Returns the outputs of an action as a table in Markdown. */
export function formatOutputTable(outputs: Readonly<Record<string, string>>): string {
  const rows = Object.entries(outputs).map(([name, text]) => `| \`${name}\` | ${cell(text)} |`);
  return ['| Output | Content |', '|---|---|', ...rows].join('\n');
}

/** Puts a text between `<!-- name:start -->` and `<!-- name:end -->`; throws if a document lacks them. */
export function replaceSection(document: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const from = document.indexOf(start);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the document has no ${start} … ${end}`);
  return `${document.slice(0, from + start.length)}\n${text}\n${document.slice(to)}`;
}

function offered(inputs: readonly DescribedInput[]): readonly DescribedInput[] {
  return inputs.filter((input) => input.commandLineOnly !== true);
}

function describe(input: DescribedInput, withDefault = true): string {
  const parts = [input.description];
  const choices = input.value?.split('|') ?? [];
  if (choices.length > 1) parts.push(`one of ${choices.join(', ')}`);
  if (input.repeatable === true) parts.push('several: separate them with commas, or write one per line');
  if (input.environment !== undefined) parts.push(`or $${input.environment}`);
  if (withDefault && input.defaultNote !== undefined && input.default === undefined) {
    parts.push(`if empty: ${input.defaultNote}`);
  }
  return parts.join('; ');
}

function standardOf(input: DescribedInput): string {
  return input.default ?? (input.value === undefined ? 'false' : '');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
