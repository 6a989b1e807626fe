/** A `::name key=value::message` line. */
export interface WorkflowCommand {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

/** A notice, warning or error as GitHub shows it beside the run, perhaps at a line of a file. */
export interface Annotation {
  readonly level: 'notice' | 'warning' | 'error';
  readonly message: string;
  readonly title?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** A secret that stood in the open. */
export interface Leak {
  readonly secret: string;
  readonly where: string;
}

/**
 * Reads what a step prints, line by line, as the runner does: obeys commands, masks what it was told to mask, and keeps
 * the log as a person would see it.
 */
export class WorkflowLog {
  readonly commands: WorkflowCommand[] = [];
  readonly annotations: Annotation[] = [];
  /** Titles of the groups, in order. */
  readonly groups: string[] = [];
  readonly masks: string[] = [];
  /** Lines that showed a secret before or after it was masked; masking in time hides only the latter. */
  readonly leaks: Leak[] = [];
  readonly #secrets: readonly string[];
  readonly #lines: string[] = [];
  #group = false;
  #stopped: string | undefined;

  /** `secrets` are those a workflow took from its secrets: the runner masks them from the start. */
  constructor(secrets: readonly string[] = []) {
    this.#secrets = secrets;
  }

  /** The log as it is shown: masked, groups opened and indented, debug lines left out. */
  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }

  add(raw: string): void {
    const command = this.#stopped === undefined ? parseCommand(raw) : undefined;
    if (command?.name === 'add-mask') {
      this.masks.push(command.message);
      return;
    }
    this.#lookForLeaks(raw);
    if (command !== undefined) this.#obey(command);
    else if (this.#stopped !== undefined && raw.trim() === `::${this.#stopped}::`) this.#stopped = undefined;
    else this.#show(raw);
  }

  #obey(command: WorkflowCommand): void {
    this.commands.push(command);
    const { name, properties, message } = command;
    if (name === 'debug') return;
    if (name === 'stop-commands') {
      this.#stopped = message;
    } else if (name === 'group') {
      this.#group = false;
      this.groups.push(message);
      this.#show(`▼ ${message}`);
      this.#group = true;
    } else if (name === 'endgroup') {
      this.#group = false;
    } else if (name === 'notice' || name === 'warning' || name === 'error') {
      const { title, file, line, col } = properties;
      this.annotations.push({
        level: name,
        message,
        ...(title === undefined ? {} : { title }),
        ...(file === undefined ? {} : { file }),
        ...(line === undefined ? {} : { line: Number(line) }),
        ...(col === undefined ? {} : { column: Number(col) }),
      });
      this.#show(`${name.charAt(0).toUpperCase()}${name.slice(1)}: ${message}`);
    } else {
      throw new Error(`the runner knows no command ::${name}::`);
    }
  }

  #show(text: string): void {
    let shown = text;
    for (const secret of [...this.#secrets, ...this.masks]) shown = shown.replaceAll(secret, '***');
    for (const line of shown.split('\n')) this.#lines.push(this.#group ? `  ${line}` : line);
  }

  #lookForLeaks(raw: string): void {
    for (const secret of new Set([...this.#secrets, ...this.masks])) {
      if (secret !== '' && raw.includes(secret)) this.leaks.push({ secret, where: raw });
    }
  }
}

/** Reads a workflow command (version 2), with its escapes; undefined when the line is none. */
export function parseCommand(line: string): WorkflowCommand | undefined {
  const match = /^::([^\s:]+)(?: ((?:[^:]|:(?!:))*))?::(.*)$/s.exec(line.trimStart());
  if (match?.[1] === undefined) return undefined;
  const properties: Record<string, string> = {};
  for (const property of (match[2] ?? '').split(',')) {
    const equals = property.indexOf('=');
    if (equals > 0) properties[property.slice(0, equals).trim()] = decode(property.slice(equals + 1));
  }
  return { name: match[1], properties, message: decode(match[3] ?? '') };
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['%0D', '\r'],
  ['%0A', '\n'],
  ['%3A', ':'],
  ['%2C', ','],
  ['%25', '%'],
]);

function decode(text: string): string {
  return text.replace(/%(?:0D|0A|3A|2C|25)/g, (code) => ESCAPES.get(code) ?? code);
}
