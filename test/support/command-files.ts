import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const NAMES = ['OUTPUT', 'STATE', 'ENV', 'PATH', 'STEP_SUMMARY'] as const;

/** What a step left in the five files by which it talks to the runner. */
export interface CommandFileContents {
  readonly outputs: Record<string, string>;
  readonly state: Record<string, string>;
  readonly env: Record<string, string>;
  readonly path: string[];
  readonly summary: string;
}

/** The five files a runner creates for each step, such as `GITHUB_OUTPUT`. */
export class CommandFiles {
  readonly environment: Record<string, string>;

  private constructor(environment: Record<string, string>) {
    this.environment = environment;
  }

  /** Creates the files, empty, under the runner's temporary folder. */
  static async create(temp: string): Promise<CommandFiles> {
    const folder = path.join(temp, '_runner_file_commands');
    await mkdir(folder, { recursive: true });
    const environment: Record<string, string> = {};
    for (const name of NAMES) {
      const file = path.join(folder, `${name.toLowerCase()}_${randomUUID()}`);
      await writeFile(file, '');
      environment[`GITHUB_${name}`] = file;
    }
    return new CommandFiles(environment);
  }

  async read(): Promise<CommandFileContents> {
    const text = async (name: (typeof NAMES)[number]): Promise<string> =>
      readFile(this.environment[`GITHUB_${name}`] ?? '', 'utf8');
    return {
      outputs: parseKeyValues(await text('OUTPUT')),
      state: parseKeyValues(await text('STATE')),
      env: parseKeyValues(await text('ENV')),
      path: (await text('PATH')).split('\n').filter((line) => line !== ''),
      summary: await text('STEP_SUMMARY'),
    };
  }
}

/** Reads `name=value` lines and `name<<delimiter` blocks as the runner does; an unfinished block throws. */
export function parseKeyValues(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const block = /^([^=<]+)<<(.+)$/.exec(line);
    const pair = /^([^=]+)=(.*)$/s.exec(line);
    if (block?.[1] !== undefined && block[2] !== undefined) {
      const end = lines.indexOf(block[2], index + 1);
      if (end < 0) throw new Error(`the value of ${block[1]} has no end`);
      values[block[1]] = lines.slice(index + 1, end).join('\n');
      index = end;
    } else if (pair?.[1] !== undefined) {
      values[pair[1]] = pair[2] ?? '';
    } else if (line !== '') {
      throw new Error(`not a command file line: ${line}`);
    }
  }
  return values;
}
