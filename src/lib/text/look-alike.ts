/**
 * Characters that word processors, chat programs and input methods put in place of those of a keyboard, with the
 * characters that are meant.
 */
const PLAIN: ReadonlyMap<string, string> = new Map([
  ...pairs('“”„‟«»＂', '"'),
  ...pairs('‘’‚‛＇', "'"),
  ...pairs('\u2010\u2011\u2012–—\u2015−－', '-'),
  ...pairs('\u00a0\u2002\u2003\u2007\u2009\u202f\u3000', ' '),
  ...pairs('\u00ad\u200b\u200c\u200d\u2060\ufeff', ''),
  ...pairs('、', ','),
  ...fullWidth(),
]);
const ANY = new RegExp(`[${[...PLAIN.keys()].join('')}]`, 'u');
const ALL = new RegExp(ANY.source, 'gu');

/** Returns the full-width forms of all characters of a keyboard, in the order of ASCII. */
function fullWidth(): [string, string][] {
  return Array.from({ length: 0x7f - 0x21 }, (_, index) => [
    String.fromCodePoint(0xff01 + index),
    String.fromCodePoint(0x21 + index),
  ]);
}

function pairs(from: string, to: string): [string, string][] {
  return [...from].map((character) => [character, to]);
}

/** Returns a text with the plain characters that are meant. */
export function withPlainCharacters(text: string): string {
  return text.replace(ALL, (character) => PLAIN.get(character) ?? character);
}

/**
 * Returns what is unusual in a text and how to write it, as a part of a sentence; undefined if there is nothing:
 * `it has “ (U+201C): write "pause"`.
 */
export function adviseOnLookAlikes(text: string): string | undefined {
  const found = ANY.exec(text)?.[0];
  if (found === undefined) return undefined;
  const code = `U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  const isVisible = !/[\s\u00ad\u200b-\u200d\u2060\ufeff]/.test(found);
  const name = isVisible
    ? `${found} (${code})`
    : `a character that looks like ${PLAIN.get(found) === '' ? 'nothing' : 'a space'} (${code})`;
  const plain = withPlainCharacters(text).trim();
  return `it has ${name}: write ${plain.slice(0, 200)}`;
}

/** Returns a text of the same length with plain spaces in place of the unusual ones. */
export function withPlainSpaces(text: string): string {
  return text.replace(/[\u00a0\u2002\u2003\u2007\u2009\u202f\u3000\u200b\u2060\ufeff]/g, ' ');
}
