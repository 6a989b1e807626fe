import { Failure } from '../../lib/failure.ts';
import { formatCount } from '../../lib/text/sentence.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import { formatPlace } from '../problem.ts';
import { mentionsIn } from './file-mentions.ts';
import { type FoundImages, joinedImages } from './found-images.ts';
import { parseGivenImage, readingNotice, shownName } from './given-image.ts';
import type { ImageMention } from './image-mention.ts';
import { textOfImageFile } from './image-text.ts';
import { placeholderIn } from './placeholder.ts';
import { unreadableImages } from './unreadable-images.ts';

/** A cluster with 10,000 pods has fewer. */
const MENTIONS_LIMIT = 100_000;
/** This many lines without any image are not a list with mistakes. */
const LINES_OF_OTHER = 4;

/**
 * Returns the images in a file. `file` is the name that people see, such as `images.txt` or `standard input`. Throws
 * `IMAGES_UNREADABLE` for a file that is neither text nor in a form that keel-pkg reads.
 */
export function findImages(file: string, bytes: Uint8Array): FoundImages {
  const mentions = mentionsIn(file, textOfImageFile(file, Buffer.from(bytes)));
  const [excess] = mentions.slice(MENTIONS_LIMIT);
  if (excess !== undefined) {
    throw unreadableImages(file, `it names more than ${formatCount(MENTIONS_LIMIT)} images`, {
      hint: 'split it into several files',
    });
  }
  const found = judgedImages(file, mentions);
  refuseOther(found);
  return found;
}

/** Throws `IMAGES_UNREADABLE` for a text of another kind, such as a page of documentation, without any line with an image. */
function refuseOther({ images, uncertain, refused }: FoundImages): void {
  const [first] = refused;
  if (images.length > 0 || uncertain.length > 0 || first === undefined || refused.length < LINES_OF_OTHER)
    return;
  if (refused.some(({ text }) => placeholderIn(text) !== undefined)) return;
  const about = formatPlace(first.place);
  throw unreadableImages(about, `it is not a list of images: no image is "${first.text}"`, {
    hint: 'use a list with one image per line, a manifest or a compose file',
  });
}

/** Decides for each text whether it is an image, and joins those that name the same image. */
function judgedImages(file: string, mentions: readonly ImageMention[]): FoundImages {
  const known = new Set<string>();
  return joinedImages(
    mentions.map((mention) => {
      const found = judgedMention(file, mention);
      const notices = found.notices.filter(({ message }) => !known.has(message));
      for (const { message } of notices) known.add(message);
      return { ...found, notices };
    }),
  );
}

const NOTHING: FoundImages = { images: [], uncertain: [], refused: [], notices: [] };

function judgedMention(file: string, mention: ImageMention): FoundImages {
  const { line, column, doubt, hint, isNameless } = mention;
  const text = shownName(mention.text);
  const place = { file, line, column };
  if (doubt !== undefined && isNameless === true) {
    return { ...NOTHING, uncertain: [{ text, place, reason: doubt, hint }] };
  }
  try {
    const reference = parseGivenImage(mention.text);
    if (doubt !== undefined) return { ...NOTHING, uncertain: [{ text, place, reason: doubt, hint }] };
    const notice = readingNotice(mention.text, reference);
    const message = `${formatReference(reference)}: ${notice}`;
    return {
      ...NOTHING,
      images: [{ reference, places: [place] }],
      notices: notice === undefined ? [] : [{ place, message }],
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const isOpen = placeholderIn(mention.text) !== undefined;
    const refusal = { text, place, reason: error.message, hint: (isOpen ? hint : undefined) ?? error.hint };
    if (doubt === undefined) return { ...NOTHING, refused: [refusal] };
    // A text that may not be an image, such as the address of a picture, is not refused for its form.
    return isOpen ? { ...NOTHING, uncertain: [refusal] } : NOTHING;
  }
}
