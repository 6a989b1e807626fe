import type { Reporter } from '../../lib/reporter.ts';
import { countOf, joinWords } from '../../lib/text/sentence.ts';
import { formatTime } from '../../lib/text/time.ts';
import type { ReportedImage, ReportedMove } from './report.ts';

type MovedImage = Pick<ReportedImage, 'source' | 'outcome' | 'reason'> & { readonly moved: ReportedMove };

/** Returns the images whose tags moved and should not have: first those that went back, and then those that were kept. */
export function movedImages<Image extends Pick<ReportedImage, 'moved'>>(
  images: readonly Image[],
): readonly (Image & { readonly moved: ReportedMove })[] {
  const rank = ({ isOlder, kept }: ReportedMove): number => (isOlder === true ? 0 : 2) + (kept ? 0 : 1);
  return images
    .flatMap((image) => (image.moved === undefined ? [] : [{ ...image, moved: image.moved }]))
    .toSorted((one, other) => rank(one.moved) - rank(other.moved));
}

/** Returns one side of a move: `sha256:… (made 2026-01-01 00:00, signed by release@example.com)`. */
export function describeMovedSide({
  digest,
  created,
  mirrored,
  uploaded,
  signature,
}: ReportedMove['before' | 'now']): string {
  const dated = (word: string, time: string | undefined): string[] =>
    time === undefined ? [] : [`${word} ${formatTime(new Date(time))}`];
  const facts = [
    ...dated('made', created),
    ...dated('uploaded', uploaded),
    ...dated('mirrored', mirrored),
    ...describeSigner(signature),
  ];
  return facts.length === 0 ? digest : `${digest} (${facts.join(', ')})`;
}

function describeSigner(signature: ReportedMove['now']['signature']): string[] {
  switch (signature?.status) {
    case 'verified':
      return [`signed by ${signature.identity ?? 'a trusted signer'}`];
    case 'unverified':
      return ['without a valid signature'];
    default:
      return [];
  }
}

/** Returns what is known about a move, in addition to the two digests: `it went back to an older image`. */
export function describeMove({ kind, isOlder, sameImages }: ReportedMove): string {
  const facts = [
    ...(kind === 'differs' ? ['it is unknown which side changed'] : []),
    ...(isOlder === true ? ['it went back to an older image'] : []),
    ...(sameImages === true ? ['the images of the platforms that both have are the same'] : []),
  ];
  return joinWords(facts);
}

/** Returns what became of an image whose tag moved, as the end of a sentence. */
export function fateOfMoved(
  { outcome, reason, moved }: Omit<MovedImage, 'source'>,
  { dryRun }: { readonly dryRun: boolean },
): string {
  if (moved.kept) return 'the destination was left unchanged';
  if (outcome === 'copied') return dryRun ? 'it would be copied' : 'it was copied';
  if (outcome === 'checked') return 'the destination has it already';
  return `it was not copied: ${reason?.message ?? outcome}`;
}

function movedText(image: MovedImage, options: { readonly dryRun: boolean }): string {
  const fate = fateOfMoved(image, options);
  const hint = image.moved.kept && image.reason?.hint !== undefined ? ` (${image.reason.hint})` : '';
  return `${image.source} ${moveSentence(image.moved, fate)}${hint}`;
}

/**
 * Returns a move as a sentence without its subject, the verdict before the digests: `went back to an older image, and
 * should not move; it was copied: the source had …, and now has …`. `fate` is what became of it.
 */
export function moveSentence(moved: ReportedMove, fate: string): string {
  const { kind, isOlder, before, now } = moved;
  const [then, here] = [describeMovedSide(before), describeMovedSide(now)];
  const digests =
    kind === 'differs'
      ? `the destination has ${then}, and the source ${here}`
      : `the source had ${then}, and now has ${here}`;
  const isBack = kind !== 'differs' && isOlder === true;
  const what = isBack
    ? 'went back to an older image'
    : kind === 'went-back'
      ? 'went back'
      : kind === 'moved'
        ? 'moved'
        : 'differs from the destination';
  const should = kind === 'went-back' ? '' : ', but should not move';
  const facts = describeMove(isBack ? { ...moved, isOlder: false } : moved);
  return `${what}${should}${facts === '' ? '' : `; ${facts}`}; ${fate}: ${digests}`;
}

/** A source that moves all of its tags has thousands. */
const MOVES_TOLD = 10;

/** Reports tags that moved and should not have: as errors those that were kept, as warnings the others. */
export function tellMoved(
  images: readonly ReportedImage[],
  options: { readonly dryRun: boolean },
  reporter: Pick<Reporter, 'warning' | 'error'>,
): void {
  const all = movedImages(images);
  for (const image of all.slice(0, MOVES_TOLD)) {
    const text = movedText(image, options);
    if (image.moved.kept) reporter.error(text);
    else reporter.warning(text);
  }
  const left = all.slice(MOVES_TOLD);
  if (left.length === 0) return;
  const text = `${countOf(left.length, 'more tag')} moved but should not; the report lists all`;
  if (left.some(({ moved }) => moved.kept)) reporter.error(text);
  else reporter.warning(text);
}
