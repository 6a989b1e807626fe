import { statSync } from 'node:fs';
import { Failure } from '../../lib/failure.ts';
import { DOCKER_HUB, formatReference } from '../../registry/oci/reference.ts';
import { KUBERNETES_REGISTRY } from '../image-set-name.ts';
import type { FoundImage } from '../images/found-images.ts';
import { parseGivenImage, readingNotice, shownName } from '../images/given-image.ts';
import type { GivenImages } from '../images/given-images.ts';
import { STANDARD_INPUT } from '../images/image-file.ts';
import { KUBEADM_IMAGE_NAMES, KUBERNETES_PROGRAMS } from '../kubeadm-images.ts';
import type { Flag } from './flag.ts';
import type { FlagReader } from './flag-reader.ts';
import type { FlagSource } from './flag-source.ts';

/** Returns the flag for images that are given, under a heading. `does` is the beginning of its sentence. */
export function imagesFlag(group: string, does: string) {
  return {
    name: 'images',
    value: 'FILE',
    repeatable: true,
    refusesEmpty: true,
    group,
    description: `${does}: a file with a list, Kubernetes YAML or a compose file, "-" for standard input, or an image such as nginx:1.29`,
  } as const satisfies Flag;
}

/** The images of Kubernetes that people may write without its registry, by the last part of their names. */
const KUBERNETES_IMAGES: ReadonlyMap<string, string> = new Map(
  [...KUBERNETES_PROGRAMS, ...Object.values(KUBEADM_IMAGE_NAMES)].map((name) => [
    `library/${name.slice(name.lastIndexOf('/') + 1)}`,
    `${KUBERNETES_REGISTRY}/${name}`,
  ]),
);

/** How paths of files begin, and how files with images end. Names of images do neither. */
const PATH_FORM = /^(?:~|\.{1,2}|)\/|\.(?:txt|lst|list|ya?ml|json|csv|md)$/i;

/**
 * Returns the images in the flag `images` and in the arguments of a command; undefined if there are none. Keeps wrong ones as
 * failures of `flags`, and adds to `notices` how the others were read.
 */
export function readImagesFlag<Name extends string>(
  flags: FlagReader<Name | 'images'>,
  from: FlagSource,
  notices: Set<string>,
): GivenImages | undefined {
  const { operands = [], hasInput = false } = from;
  const text = flags.text('images');
  const given = valuesOf(text);
  if (text !== undefined && given.length === 0) {
    const hint = 'name a file, - for standard input, or an image; is a variable not set?';
    flags.refuse('images', 'it is empty', hint);
  }
  const files = [...new Set(given.filter(isFile))];
  const images: FoundImage[] = [];
  const take = (read: () => FoundImage): void => {
    try {
      images.push(read());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      flags.failures.push(error);
    }
  };
  for (const operand of operands) take(() => readOperand(operand, flags.label('images'), notices));
  for (const value of given.filter((each) => !files.includes(each))) {
    if (/^[\w-]+$/.test(value)) notices.add(`there is no file ${value}, so it is read as an image`);
    take(() => readImage(value, notices));
  }
  if (files.includes(STANDARD_INPUT) && !hasInput)
    flags.refuse('images', 'a step of a workflow has no standard input', 'name a file, or the images');
  return text === undefined && operands.length === 0 ? undefined : { images, files };
}

/** Returns whether the text of the flag names standard input, which nothing else can then read. */
export function readsInput(text: string | undefined): boolean {
  return valuesOf(text).includes(STANDARD_INPUT);
}

/** Returns the values on the lines of a text, which may end in comments. */
function valuesOf(text = ''): string[] {
  const values = text.split(/[\n,]/).map((line) => line.replace(/(?:^|\s)#.*$/, '').trim());
  return values.filter((value) => value !== '');
}

/** Returns whether a text has the form of a path, which no image has. */
export function hasPathForm(text: string): boolean {
  return PATH_FORM.test(text);
}

/** Returns whether a value of the flag is a file: by its form, or because there is one. */
function isFile(value: string): boolean {
  return value === STANDARD_INPUT || hasPathForm(value) || isThere(value);
}

function isThere(file: string): boolean {
  // A folder is refused with what to write, and a pipe is read.
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Returns an image that is an argument of a command. A file would be a mistake there. */
function readOperand(text: string, flag: string, notices: Set<string>): FoundImage {
  if (/^(?:true|false|yes|no|0|1)$/i.test(text)) {
    const hint = `write the value of a switch with "=", such as --dry-run=${text}`;
    throw notAnImage(text, 'this is not an image', hint);
  }
  if (text === STANDARD_INPUT || hasPathForm(text)) {
    const what = text === STANDARD_INPUT ? 'standard input' : 'the path of a file';
    throw notAnImage(text, `this is ${what}, and not an image`, `write ${flag} ${shownName(text)}`);
  }
  const image = readImage(text, notices);
  if (isThere(text)) notices.add(`${text} is read as an image; ${flag} ${text} reads the file of this name`);
  return image;
}

function notAnImage(text: string, message: string, hint: string): Failure<'REFERENCE_MALFORMED'> {
  return new Failure({ code: 'REFERENCE_MALFORMED', fault: 'usage', about: shownName(text), message, hint });
}

function readImage(text: string, notices: Set<string>): FoundImage {
  const reference = parseGivenImage(text);
  const notice = readingNotice(text, reference);
  const name = formatReference(reference);
  if (notice !== undefined) notices.add(`${name}: ${notice}`);
  const other = reference.host === DOCKER_HUB ? KUBERNETES_IMAGES.get(reference.repository) : undefined;
  if (other !== undefined)
    notices.add(`${name} is an image of Docker Hub; the one of Kubernetes is ${other}`);
  return { reference, places: [] };
}
