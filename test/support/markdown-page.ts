import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A block of code on a page. */
export interface Snippet {
  readonly page: string;
  /** Of its first line. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** A command that a page shows, without prompt, comment and what follows in the pipe. */
export interface ShownCommand {
  readonly page: string;
  readonly line: number;
  readonly text: string;
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

/** Returns the paths of other files of the repository that a page links to. */
export function linksOf(page: string): string[] {
  const text = readFileSync(page, 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
    ([, link, image]) => link ?? image ?? '',
  );
  return targets
    .filter((target) => !/^(?:[a-z]+:|#)/.test(target))
    .map((target) => join(dirname(page), target.replace(/#.*$/, '')));
}

/** Splits a command as a shell does, as far as pages need it: quotes, and an end at a comment, pipe or redirection. */
export function splitCommand(text: string): string[] {
  const words: string[] = [];
  for (const [whole] of text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)) {
    if (/^(?:#|\||<|>|&&|;)/.test(whole)) break;
    words.push(whole.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'));
  }
  return words;
}

const PROMPT = /^[$#] /;

/** Returns the commands of a page: those behind a prompt in blocks of a console, every line in blocks of a shell. */
export function commandsOf(page: string): ShownCommand[] {
  return snippetsOf(page)
    .filter(({ language }) => ['console', 'sh', 'bash'].includes(language))
    .flatMap((snippet) => {
      const exported: Record<string, string> = {};
      return snippet.text.split('\n').flatMap((given, index): ShownCommand[] => {
        const isShown = snippet.language === 'console' ? PROMPT.test(given) : given.trim() !== '';
        if (!isShown) return [];
        const text = snippet.language === 'console' ? given.replace(PROMPT, '') : given;
        const words = splitCommand(text);
        const environment = { ...exported };
        if (words[0] === 'export') {
          for (const word of words.slice(1)) assign(exported, word);
          return [];
        }
        while (words[0] !== undefined && assign(environment, words[0])) words.shift();
        const [program = '', ...rest] = words;
        const name = program.replace(/^.*\//, '');
        return [{ page, line: snippet.line + index, text, environment, words: [name, ...rest] }];
      });
    });
}

function assign(environment: Record<string, string>, word: string): boolean {
  const [, name, value = ''] = /^([A-Z_]+)=(.*)$/s.exec(word) ?? [];
  if (name === undefined) return false;
  environment[name] = value;
  return true;
}
