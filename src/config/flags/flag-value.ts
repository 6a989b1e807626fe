import { Failure } from '../../lib/failure.ts';
import { joinWords } from '../../lib/text/sentence.ts';

const YES = new Set(['true', 'yes', '1']);
const NO = new Set(['false', 'no', '0']);

/** Returns the value of the flag `about` from its text. Throws a `Failure` that names the allowed values. */
export type FlagParser<T> = (text: string, about: string) => T;

/** Returns a text unchanged, such as the path of a file. */
export function asIs(text: string): string {
  return text;
}

/**
 * Returns the value of a switch: true for true, yes, 1, and false for false, no, 0, in any case. Throws
 * `FLAG_MALFORMED`.
 */
export function parseSwitch(text: string, about: string): boolean {
  const word = text.toLowerCase();
  if (YES.has(word)) return true;
  if (NO.has(word)) return false;
  throw malformed(about, text, 'is neither true nor false', 'write true or false; yes, no, 1 and 0 work too');
}

/** Returns a parser of whole numbers from `least` to `most`. It throws `FLAG_MALFORMED`. */
export function wholeNumber(least: number, most: number): FlagParser<number> {
  return (text, about) => {
    const isWhole = /^\d+$/.test(text);
    const count = Number(text);
    if (isWhole && count >= least && count <= most) return count;
    const message = isWhole ? 'is out of bounds' : 'is not a whole number';
    throw malformed(about, text, message, `write a whole number from ${least} to ${most}`);
  };
}

/** Returns a parser of one of some words. It throws `FLAG_MALFORMED`. */
export function oneOf<Word extends string>(...words: readonly Word[]): FlagParser<Word> {
  return (text, about) => {
    const word = words.find((known) => known === text);
    if (word !== undefined) return word;
    throw malformed(about, text, 'is not an allowed value', `write ${joinWords(words, 'or')}`);
  };
}

/** Returns the failure of a flag with a malformed text. */
export function malformed(
  about: string,
  text: string,
  message: string,
  hint: string,
): Failure<'FLAG_MALFORMED'> {
  return new Failure({
    code: 'FLAG_MALFORMED',
    fault: 'usage',
    about,
    message: `"${text.slice(0, 200)}" ${message}`,
    hint,
  });
}
