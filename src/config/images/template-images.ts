import type { ImageMention } from './image-mention.ts';
import { placeholderIn } from './placeholder.ts';

const IMAGE_LINE = /^(\s*(?:-\s+)?["']?image["']?\s*:\s+)(\S.*)$/i;

/**
 * Returns the images on lines `image: …` of a template that only becomes YAML when another program fills it. Also returns
 * the place of its first expression, so that the user notices the template.
 */
export function mentionsInTemplate(text: string): readonly ImageMention[] {
  const lines = text.split(/\r\n|\r|\n/);
  const images = lines.flatMap((line, index) => {
    const [, lead = '', name = ''] = IMAGE_LINE.exec(line) ?? [];
    return name === '' ? [] : [{ text: name.trim(), line: index + 1, column: lead.length + 1 }];
  });
  if (images.some((image) => placeholderIn(image.text) !== undefined)) return images;
  const first = lines.findIndex((line) => /\{\{|\{%/.test(line));
  const column = (lines[first] ?? '').search(/\{\{|\{%/);
  const expression = (lines[first] ?? '').slice(column).trim();
  return [...images, { text: expression, line: first + 1, column: column + 1 }];
}
