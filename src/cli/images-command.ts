import { describeDoubt, type FoundImages, joinedImages } from '../config/images/found-images.ts';
import { nothingFound } from '../config/images/given-images.ts';
import { readImageFile } from '../config/images/image-file.ts';
import type { Ending } from '../process/exit-code.ts';
import type { CommandContext, ImageListSettings } from './commands.ts';
import { countText, fewDoubts, imageLines, imageSetJson } from './text/images-text.ts';

/** Prints the images in files. `complete` only if each one can be used. Throws `IMAGES_MISSING` if there is nothing. */
export async function imagesCommand(
  files: readonly string[],
  { json }: ImageListSettings,
  { print, reporter, signal }: CommandContext,
): Promise<Ending> {
  const read: FoundImages[] = [];
  for (const file of files) read.push(await readImageFile(file, signal));
  const found = joinedImages(read);
  const { images, uncertain, refused, notices } = found;
  if (images.length + uncertain.length + refused.length === 0) {
    throw nothingFound(files);
  }
  if (json) print(JSON.stringify(imageSetJson(found), undefined, 2));
  else if (images.length > 0) print(imageLines(found).join('\n'));
  for (const { message, place } of notices) reporter.warning(message, place);
  const [doubtful, unusable] = [fewDoubts(uncertain), fewDoubts(refused)];
  for (const doubt of doubtful.shown) reporter.warning(describeDoubt(doubt), doubt.place);
  if (doubtful.rest !== undefined) reporter.warning(`${doubtful.rest} that are uncertain`);
  for (const doubt of unusable.shown) reporter.error(describeDoubt(doubt), doubt.place);
  if (unusable.rest !== undefined) reporter.error(`${unusable.rest} that cannot be used`);
  reporter.line(countText(found));
  return refused.length === 0 && images.length > 0 ? 'complete' : 'incomplete';
}
