import type { ImageMention } from './image-mention.ts';
import { isWholeName } from './manifest-fields.ts';
import { pulledInScript, wordsOf } from './pull-command.ts';

/** Returns the images of a shell script: those that it pulls, and as uncertain all other texts that look like images. */
export function mentionsInScript(text: string): readonly ImageMention[] {
  return text.split(/\r\n|\r|\n/).flatMap((whole, index) => {
    const line = whole.replace(/(?:^|\s)#.*$/, '');
    const pulled = pulledInScript(line);
    if (pulled !== undefined) {
      return pulled.map(({ text: name, offset, runner }) => {
        const doubt =
          runner === undefined ? undefined : `it is an argument of "${runner}", which may not pull it`;
        return { ...mentionOf(name, index, offset), doubt };
      });
    }
    const names = wordsOf(line.replaceAll(/["'`=(),;]/g, ' ')).filter((word) => isWholeName(word.text));
    const doubt = 'it is in a script, which does not pull it on this line';
    return names.map((word) => ({ ...mentionOf(word.text, index, word.offset), doubt }));
  });
}

function mentionOf(text: string, index: number, offset: number): ImageMention {
  return { text, line: index + 1, column: offset + 1 };
}
