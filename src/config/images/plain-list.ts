import { withPlainCharacters, withPlainSpaces } from '../../lib/text/look-alike.ts';
import type { ImageMention } from './image-mention.ts';
import { type LineWord, pulledImages, wordsOf } from './pull-command.ts';

/** The text before an image in lists: the mark of a list item, the key of a manifest, and quotes. */
const LEAD = /^\s*(?:(?:[-*•+]|\d{1,3}[.)])\s+)?(?:["'“‘]?image["'”’]?\s*[:：=]\s*)?/;

/** Returns the images of a list with one image per line. */
export function mentionsInList(text: string): readonly ImageMention[] {
  return text.split(/\r\n|\r|\n/).flatMap((line, index) =>
    imagesOfLine(withoutComment(withPlainSpaces(line))).map((word) => ({
      text: word.text,
      line: index + 1,
      column: word.offset + 1,
    })),
  );
}

function withoutComment(line: string): string {
  const start = line.search(/(?:^|\s)(?:#|\/\/)/);
  return start < 0 ? line : line.slice(0, start);
}

function imagesOfLine(line: string): readonly LineWord[] {
  const lead = LEAD.exec(line)?.[0].length ?? 0;
  const rest = line.slice(lead).trimEnd();
  if (rest === '') return [];
  const shifted = (words: readonly LineWord[]): LineWord[] =>
    words.map(({ text, offset }) => ({ text, offset: offset + lead }));
  const pulled = pulledImages(rest);
  if (pulled !== undefined) return shifted(pulled);
  const words = wordsOf(rest);
  // A variable or template may contain spaces. A sentence is refused as a whole.
  const areNames = words.length > 1 && words.every(({ text }) => /[:/]/.test(withPlainCharacters(text)));
  return areNames ? shifted(words) : [{ text: rest, offset: lead }];
}
