import { hasPathForm } from '../config/flags/given-images-flag.ts';
import { describeDoubt, type FoundImages, joinedImages } from '../config/images/found-images.ts';
import { parseGivenImage } from '../config/images/given-image.ts';
import { nothingFound } from '../config/images/given-images.ts';
import { readImageFile } from '../config/images/image-file.ts';
import { unreadableImages } from '../config/images/unreadable-images.ts';
import { Failure, failureCode } from '../lib/failure.ts';
import type { Ending } from '../process/exit-code.ts';
import type { CommandContext, ImageListSettings } from './commands.ts';
import { countText, fewDoubts, imageLines, imageSetJson } from './text/images-text.ts';

/** Prints the images in files. `complete` only if each one can be used. Throws `IMAGES_MISSING` if there are none. */
export async function imagesCommand(
  files: readonly string[],
  { json }: ImageListSettings,
  { print, reporter, signal }: CommandContext,
): Promise<Ending> {
  const read: FoundImages[] = [];
  for (const file of files) read.push(await readFile(file, signal));
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

/** Returns the images in a file. Throws `IMAGES_UNREADABLE`, and names the command for an image that is no file. */
async function readFile(file: string, signal: AbortSignal): Promise<FoundImages> {
  try {
    return await readImageFile(file, signal);
  } catch (error) {
    if (!(error instanceof Failure) || failureCode(error.cause) !== 'ENOENT' || !isImage(file)) throw error;
    const hint = `images are read from files; to mirror this image: synctl sync ${error.about} --push-to HOST`;
    throw unreadableImages(error.about, error.message, { hint, cause: error.cause });
  }
}

function isImage(text: string): boolean {
  if (hasPathForm(text)) return false;
  try {
    parseGivenImage(text);
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}
