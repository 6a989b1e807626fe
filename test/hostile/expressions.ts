import { globSync, readFileSync } from 'node:fs';

/** A regular expression as it stands in a source. */
export interface Expression {
  readonly file: string;
  readonly expression: RegExp;
}

/** What may stand before an expression; behind anything else a slash divides. */
const BEFORE_EXPRESSION = /(?:[=(,:[!&|?;{}]|=>|\breturn)\s*$/;

/** Returns where a literal that begins here ends, behind its closing character. */
function endOfLiteral(text: string, start: number, close: string): number {
  let isInClass = false;
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') at += 1;
    else if (close === '/' && character === '[') isInClass = true;
    else if (close === '/' && character === ']') isInClass = false;
    else if (character === close && !isInClass) return at + 1;
  }
  return text.length;
}

/** Returns where a template ends, and what stands within its braces. */
function endOfTemplate(text: string, start: number): number {
  let depth = 0;
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') at += 1;
    else if (character === '`' && depth === 0) return at + 1;
    else if (character === '`') at = endOfTemplate(text, at) - 1;
    else if (text.startsWith('${', at)) depth += 1;
    else if (character === '}' && depth > 0) depth -= 1;
  }
  return text.length;
}

function* expressionsIn(text: string): Generator<RegExp> {
  for (let at = 0; at < text.length; ) {
    const character = text.charAt(at);
    const two = text.slice(at, at + 2);
    if (two === '//') at = (text.indexOf('\n', at) + 1 || text.length + 1) - 1;
    else if (two === '/*') at = text.indexOf('*/', at) + 2;
    else if (character === "'" || character === '"') at = endOfLiteral(text, at, character);
    else if (character === '`') at = endOfTemplate(text, at);
    else if (character === '/' && BEFORE_EXPRESSION.test(text.slice(Math.max(0, at - 40), at))) {
      const end = endOfLiteral(text, at, '/');
      const flags = /^[a-z]*/.exec(text.slice(end, end + 10))?.[0] ?? '';
      yield new RegExp(text.slice(at + 1, end - 1), flags);
      at = end + flags.length;
    } else at += 1;
  }
}

/** Returns every regular expression that stands in the sources as a literal. */
export function expressionsOfSources(): Expression[] {
  return globSync('src/**/*.ts').flatMap((file) =>
    [...expressionsIn(readFileSync(file, 'utf8'))].map((expression) => ({ file, expression })),
  );
}
