import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { literalsBelow } from '../support/source-literals.ts';

/** A text that people read, with where it is. */
interface ReadText {
  readonly place: string;
  readonly text: string;
}

/** A phrase that is never right, and what to write. */
interface WrongPhrase {
  readonly phrase: string;
  readonly pattern: RegExp;
  readonly instead: string;
}

/** Returns the phrases in code style in the last column of the tables of words, with the column before it. */
function wrongPhrases(page: string): readonly WrongPhrase[] {
  const section = page.slice(page.indexOf('\n## Words\n')).slice(1).split('\n## ')[0] ?? '';
  return section.split('\n').flatMap((line) => {
    const cells = line.startsWith('| ') ? line.split('|').map((cell) => cell.trim()) : [];
    const [instead = '', last = ''] = cells.slice(-3, -1);
    return [...last.matchAll(/`([^`]+)`/g)].map(([, phrase = '']) => ({
      phrase,
      pattern: new RegExp(`(?<![\\w-])${phrase.replaceAll(' ', '\\s+')}(?![\\w-])`, 'i'),
      instead,
    }));
  });
}

/** Returns the lines of a page in which it speaks itself: code, and what it quotes or is given, is checked where it comes from. */
function linesOf(page: string): readonly ReadText[] {
  let isCode = false;
  let isGenerated = false;
  return readFileSync(page, 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      if (/^ *```/.test(line)) isCode = !isCode;
      if (/^<!-- [\w-]+:(?:start|end) -->$/.test(line)) isGenerated = line.includes(':start');
      return isCode || isGenerated
        ? []
        : [{ place: `${page}:${index + 1}`, text: line.replaceAll(/`[^`]*`/g, '``') }];
    });
}

/** Returns the lines of a shell script without its comments, and without the names of its variables and functions. */
function textsOfShell(file: string): readonly ReadText[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line, index) => ({ place: `${file}:${index + 1}`, text: line.replaceAll(SHELL_NAMES, ' ') }))
    .filter(({ text }) => !/^\s*#/.test(text));
}

/** Returns the comments of a file of TypeScript: lines that follow each other are one text, as a phrase can span two. */
function commentsOf(file: string): readonly ReadText[] {
  const texts: { readonly place: string; text: string }[] = [];
  let isOpen = false;
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    const text = /^\s*(?:\/\*\*?|\*\/?|\/\/)(.*)$/.exec(line)?.[1]?.replaceAll(/`[^`]*`/g, '``');
    const last = isOpen ? texts.at(-1) : undefined;
    isOpen = text !== undefined;
    if (text === undefined) continue;
    if (last === undefined) texts.push({ place: `${file}:${index + 1}`, text });
    else last.text += ` ${text}`;
  }
  return texts;
}

/** `$name`, `name=`, a name in a loop, and a command in front of what it is given. */
const SHELL_NAMES = /\$\{?\w+|\b\w+(?==|\(\))|\b(?:read(?: -r)?|for|local|unset)(?: \w+)+|^\s*\w+(?= ["'$])/g;

const PHRASES = wrongPhrases(readFileSync('CONTRIBUTING.md', 'utf8'));

test('the tables of words are read', () => {
  expect(PHRASES.length).toBeGreaterThan(20);
  expect(PHRASES).toContainEqual(
    expect.objectContaining({ phrase: 'receiving registry', instead: 'destination' }),
  );
});

test.each([
  [
    'pages',
    globSync('{README.md,SECURITY.md,docs/*.md,bench/README.md,action-*/README.md}').flatMap(linesOf),
    PHRASES,
  ],
  ['inputs and outputs of the actions', globSync('action-*/action.yml').flatMap(linesOf), PHRASES],
  [
    'texts of the tools',
    literalsBelow('src')
      .filter(({ text }) => text.includes(' '))
      .map(({ file, line, text }) => ({ place: `${file}:${line}`, text })),
    PHRASES,
  ],
  ['messages of the package', globSync('package/**/*.sh').flatMap(textsOfShell), PHRASES],
  ['comments of the sources', globSync('{src,scripts}/**/*.ts').flatMap(commentsOf), PHRASES],
])('%s use the words that CONTRIBUTING lists', (_name, texts, phrases) => {
  expect(texts.length).toBeGreaterThan(100);
  const found = texts.flatMap(({ place, text }) =>
    phrases
      .filter(({ pattern }) => pattern.test(text))
      .map(({ phrase, instead }) => `${place}: "${phrase}", write: ${instead}`),
  );
  expect(found).toEqual([]);
});
