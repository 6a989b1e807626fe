import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { anchorOf } from './translated-page.ts';

/** A block of code on a page. */
export interface Snippet {
  readonly page: string;
  /** Of its first line. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** A command that a page shows, on a line that may have others. */
export interface ShownCommand extends ShellLine {
  /** What is set before it or exported above it in the same block. */
  readonly environment: Readonly<Record<string, string>>;
  /** The program's name without a folder, and what it is given. */
  readonly words: readonly string[];
}

/** Returns the blocks of code of a page. */
export function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```$/gm)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length + 1,
    language: match[2] ?? '',
    text: match[3] ?? '',
  }));
}

/** A link of a page to a file of the repository, and to a heading of it. */
export interface PageLink {
  readonly path: string;
  readonly anchor: string | undefined;
}

/** Returns the links of a page into the repository, those to its own headings too. */
export function linksOf(page: string): PageLink[] {
  const text = readFileSync(page, 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
    ([, link, image]) => link ?? image ?? '',
  );
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { path: path === '' ? page : join(dirname(page), path), anchor };
    });
}

/**
 * Splits a line into the commands of its pipes and lists, and each into words, as a shell does as far as pages need it: with
 * quotes, until a comment, and without what redirections name.
 */
export function splitLine(text: string): string[][] {
  const commands: string[][] = [[]];
  for (const [whole] of text.matchAll(/&&|[|;]|(?:"[^"]*"|'[^']*'|[^\s"'|;&])+/g)) {
    if (whole.startsWith('#')) break;
    if (/^(?:&&|[|;])$/.test(whole)) commands.push([]);
    else commands.at(-1)?.push(whole.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'));
  }
  return commands.map((words) => {
    const end = words.findIndex((word) => /^[<>]/.test(word));
    return end < 0 ? words : words.slice(0, end);
  });
}

const PROMPT = /^[$#] /;

/** A command with what a page shows that it prints. */
export interface ShownRun extends ShownCommand {
  readonly output: readonly string[];
  /** How many of its last lines a `| tail -n` leaves. */
  readonly tail: number | undefined;
}

/** Returns the commands of a page below which it shows what they print. */
export function runsOf(page: string): ShownRun[] {
  const lines = readFileSync(page, 'utf8').split('\n');
  const first = new Map(
    commandsOf(page)
      .toReversed()
      .map((command) => [command.line, command]),
  );
  return [...first.values()].toReversed().flatMap((command) => {
    const below = lines.slice(command.line);
    const output = below.slice(
      0,
      below.findIndex((line) => PROMPT.test(line) || line === '```'),
    );
    const tail = / \| tail -n (\d+)/.exec(command.text)?.[1];
    // In a script every line is a command.
    const isConsole = PROMPT.test(lines[command.line - 1] ?? '');
    return output.length === 0 || !isConsole
      ? []
      : [{ ...command, output, tail: tail === undefined ? undefined : Number(tail) }];
  });
}

/** Returns the tables of a page as rows of cells, the heads first, without the code of blocks. */
export function tablesOf(page: string): string[][][] {
  const text = readFileSync(page, 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  return [...text.matchAll(/(?:^\|.*\|\n)+/gm)].map(([table]) =>
    table
      .trimEnd()
      .split('\n')
      .filter((row) => !/^[|\s:-]+$/.test(row))
      .map((row) =>
        row
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}

/** Returns the addresses of the headings of a page, as GitHub makes them of their text. */
export function anchorsOf(page: string): Set<string> {
  const text = readFileSync(page, 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  const slugs = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
  return new Set(slugs);
}

/** A line that a page shows for a shell, without its prompt. */
export interface ShellLine {
  readonly page: string;
  readonly line: number;
  readonly text: string;
}

/** Returns the lines of a page for a shell, by blocks: those behind a prompt in blocks of a console, every line of a script. */
export function shellLinesOf(page: string): ShellLine[][] {
  return snippetsOf(page)
    .filter(({ language }) => ['console', 'sh', 'bash'].includes(language))
    .map(({ language, line, text }) =>
      text.split('\n').flatMap((given, index) => {
        const isShown = language === 'console' ? PROMPT.test(given) : given.trim() !== '';
        const shown = language === 'console' ? given.replace(PROMPT, '') : given;
        return isShown ? [{ page, line: line + index, text: shown }] : [];
      }),
    );
}

/** Returns the commands of a page, each of those that share a line too. */
export function commandsOf(page: string): ShownCommand[] {
  return shellLinesOf(page).flatMap((lines) => {
    const exported: Record<string, string> = {};
    return lines.flatMap((shown) =>
      splitLine(shown.text).flatMap((words): ShownCommand[] => {
        const environment = { ...exported };
        if (words[0] === 'export') {
          for (const word of words.slice(1)) assign(exported, word);
          return [];
        }
        while (words[0] !== undefined && assign(environment, words[0])) words.shift();
        const [program = '', ...rest] = words;
        return [{ ...shown, environment, words: [program.replace(/^.*\//, ''), ...rest] }];
      }),
    );
  });
}

function assign(environment: Record<string, string>, word: string): boolean {
  const [, name, value = ''] = /^([A-Z_]+)=(.*)$/s.exec(word) ?? [];
  if (name === undefined) return false;
  environment[name] = value;
  return true;
}
