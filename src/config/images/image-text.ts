import { describeFailure } from '../../lib/failure.ts';
import { decodeText } from '../../lib/text/decoded-text.ts';
import { formatSize } from '../../lib/text/size.ts';
import { unreadableImages } from './unreadable-images.ts';

/** The first bytes of files of other kinds, and what they are. */
const OTHER_KINDS: readonly (readonly [start: string, kind: string, hint: string])[] = [
  [
    '\x1f\x8b',
    'it is compressed with gzip',
    'unpack it: a chart with helm template FILE, a text with gunzip',
  ],
  ['\x28\xb5\x2f\xfd', 'it is compressed with zstd', 'unpack it with unzstd'],
  ['\xfd7zXZ', 'it is compressed with xz', 'unpack it with unxz'],
  ['PK\x03\x04', 'it is a zip archive', 'unpack it, and name the files in it'],
  ['\x7fELF', 'it is a program', 'use a list of images, a manifest or a compose file'],
];
const TAR_MARK = 'ustar';
const TAR_MARK_OFFSET = 257;
const TEXT_HINT = 'use a list of images, a manifest or a compose file';

/** A list of 100,000 images has less. YAML and JSON may have half of that. */
const SIZE_LIMIT = 16 * 1024 ** 2;

/** Returns the text of a file that names images. Throws `IMAGES_UNREADABLE` if it is an archive, other bytes, or empty. */
export function textOfImageFile(file: string, bytes: Buffer): string {
  const start = bytes.toString('latin1', 0, TAR_MARK_OFFSET + TAR_MARK.length);
  const [, kind, hint] = OTHER_KINDS.find(([mark]) => start.startsWith(mark)) ?? [];
  if (kind !== undefined) throw unreadableImages(file, kind, { hint });
  if (start.startsWith(TAR_MARK, TAR_MARK_OFFSET)) {
    throw unreadableImages(file, 'it is a tar archive', {
      hint: 'use a list of images; keel-pkg does not read images that "docker save" wrote',
    });
  }
  if (bytes.length > SIZE_LIMIT) {
    throw unreadableImages(file, `it is larger than ${formatSize(SIZE_LIMIT)}`, {
      hint: 'split it into several files',
    });
  }
  const text = decoded(file, bytes);
  if (text.includes('\0')) throw unreadableImages(file, 'it is not a text', { hint: TEXT_HINT });
  if (text.trim() === '') {
    throw unreadableImages(file, 'it is empty', { hint: 'check the command that writes it' });
  }
  return text;
}

function decoded(file: string, bytes: Buffer): string {
  try {
    return decodeText(bytes);
  } catch (cause) {
    throw unreadableImages(file, describeFailure(cause), { hint: TEXT_HINT, cause });
  }
}
