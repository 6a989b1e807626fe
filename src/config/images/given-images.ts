import { Failure } from '../../lib/failure.ts';
import { formatCount } from '../../lib/text/sentence.ts';
import { ConfigurationFailure, type Notice } from '../problem.ts';
import { type DoubtfulImage, describeDoubt, type FoundImage, joinedImages } from './found-images.ts';
import { readImageFile, STANDARD_INPUT, shownFile } from './image-file.ts';

/** The images in flags, which replace those of a configuration file. */
export interface GivenImages {
  /** Images that are written in the command or the input itself, and so have no place in a file. */
  readonly images: readonly FoundImage[];
  /** Paths of files that name images. `-` is standard input. */
  readonly files: readonly string[];
}

/** The images that were given, and notices about how their files were read. */
interface ReadImages {
  readonly images: readonly FoundImage[];
  readonly notices: readonly Notice[];
}

const NOTICES_TOLD = 5;

/**
 * Returns all images that were given, each once. Throws `IMAGES_UNREADABLE`, `CONFIGURATION_MALFORMED` with the place of
 * each text that cannot be used, and `IMAGES_MISSING` if no file names one.
 */
export async function readGivenImages(
  { images: named, files }: GivenImages,
  signal: AbortSignal,
): Promise<ReadImages> {
  const read = await Promise.all(files.map((file) => readImageFile(file, signal)));
  const nothing = { uncertain: [], refused: [], notices: [] };
  const { images, uncertain, refused, notices } = joinedImages([{ ...nothing, images: named }, ...read]);
  const problems = refused.map(({ place, ...wrong }) => ({ place, message: describeDoubt(wrong) }));
  if (problems.length > 0) throw new ConfigurationFailure(files.join(', '), problems);
  if (images.length === 0) throw nothingFound(files, uncertain.length);
  return { images, notices: [...fewOf(notices), ...describeUncertain(uncertain)] };
}

/** Returns the failure of files that name no certain image, and this many uncertain ones. */
export function nothingFound(files: readonly string[], uncertain = 0): Failure<'IMAGES_MISSING'> {
  const doubt =
    uncertain === 0
      ? ''
      : `; ${formatCount(uncertain)} ${uncertain === 1 ? 'entry may be an image' : 'entries may be images'}`;
  const advice = uncertain === 0 ? '' : '; synctl images FILE prints what it finds in a file';
  return new Failure({
    code: 'IMAGES_MISSING',
    fault: 'usage',
    about: files.map(shownFile).join(', '),
    message: `no image was found${doubt}`,
    hint: `use a list with one image per line, Kubernetes YAML or a compose file${advice}`,
  });
}

/** Limits the notices: a list of images without tags would have one for each image. */
function fewOf(notices: readonly Notice[]): Notice[] {
  const told = notices.slice(0, NOTICES_TOLD);
  const [next] = notices.slice(NOTICES_TOLD);
  if (next === undefined) return told;
  const more = notices.length - told.length;
  return [
    ...told,
    {
      place: next.place,
      message: `${formatCount(more)} more ${more === 1 ? 'notice' : 'notices'} of this kind; synctl images ${shellFile(next.place.file)} prints all`,
    },
  ];
}

/** Returns a notice for each file with entries that may be images. */
function describeUncertain(uncertain: readonly DoubtfulImage[]): Notice[] {
  return [...Map.groupBy(uncertain, ({ place: { file } }) => file).values()].flatMap((texts): Notice[] => {
    const [first] = texts;
    if (first === undefined) return [];
    const count =
      texts.length === 1
        ? '1 entry may be an image and is'
        : `${formatCount(texts.length)} entries may be images and are`;
    const { place } = first;
    return [{ place, message: `${count} left out; synctl images ${shellFile(place.file)} prints which` }];
  });
}

/** Returns a file for a command that the user can run. Standard input cannot be read again, so it becomes `FILE`. */
function shellFile(file: string): string {
  return file === shownFile(STANDARD_INPUT) ? 'FILE' : file;
}
