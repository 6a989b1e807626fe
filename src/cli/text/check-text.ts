import { formatPlace } from '../../config/problem.ts';
import { alignColumns, wrapLine } from '../../lib/text/columns.ts';
import { countOf, joinWords } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import { formatTime } from '../../lib/text/time.ts';
import { abbreviateDigest, type Digest, isDigest, shortDigest } from '../../registry/oci/digest.ts';
import { type ManifestMediaType, MEDIA_TYPE } from '../../registry/oci/media-type.ts';
import { formatReference, type Reference } from '../../registry/oci/reference.ts';
import { describeSignature } from '../../sync/check/check-signatures.ts';
import type { CheckedReference, CheckedTag } from '../../sync/check/image-check.ts';
import { hasNothingLeft, isMirrored, type MirrorVerdict } from '../../sync/check/mirror-verdict.ts';
import type { TagView } from '../../sync/check/tag-view.ts';
import { moveSentence } from '../../sync/report/moved-report.ts';
import type { RecordedImage } from '../../sync/state/image-rows.ts';

const FORMATS: Readonly<Record<ManifestMediaType, string>> = {
  [MEDIA_TYPE.ociIndex]: 'OCI index',
  [MEDIA_TYPE.ociManifest]: 'OCI image',
  [MEDIA_TYPE.dockerList]: 'Docker list',
  [MEDIA_TYPE.dockerManifest]: 'Docker image',
};

const NARROW = 100;
/** The width of the names of rows about one tag. */
const INDENT = 13;

/** A line, and the indent of its continuation if it is broken. */
interface Line {
  readonly text: string;
  readonly indent: number;
}

/**
 * Returns the result for people, with the verdict as the last line. `width` is the terminal's: if it is narrow,
 * digests are shortened and lines broken. Without it, no line is broken.
 */
export function checkLines(checked: CheckedReference, width?: number): string[] {
  const [only] = checked.tags;
  const isOne = checked.image.tag !== undefined || checked.image.digest !== undefined;
  if (!isOne || only === undefined) return manyTags(checked).map((line) => wrapLine(line, width, 2));
  const isNarrow = width !== undefined && width < NARROW;
  const lines = oneTag(checked, only, isNarrow ? abbreviateDigest : String);
  return lines.map(({ text, indent }) => (isNarrow ? wrapLine(text, width, indent) : text));
}

function oneTag(checked: CheckedReference, tag: CheckedTag, written: (digest: Digest) => string): Line[] {
  const { image, destination } = checked;
  const { recorded } = tag;
  const there: Reference =
    image.tag === undefined ? { ...destination, digest: image.digest } : { ...destination, tag: image.tag };
  const state =
    recorded === undefined
      ? ['state', 'not recorded']
      : [
          'state',
          written(recorded.pushedDigest),
          recorded.bytes === 0 ? '' : formatSize(recorded.bytes),
          `${recorded.pushed === undefined ? 'already there' : `pushed ${formatTime(recorded.pushed)}`}, last seen ${formatTime(recorded.confirmed)}`,
        ];
  const sides = alignColumns([
    ['source', ...viewCells(tag.source, written)],
    ...(tag.expected === undefined || (tag.source.kind === 'there' && tag.source.digest === tag.expected)
      ? []
      : [expectedCells(tag.expected, tag.change, written)]),
    state,
    ['destination', ...viewCells(tag.destination, written)],
  ]);
  const plain = (text: string): Line => ({ text, indent: 2 });
  const row = (text: string): Line => ({ text, indent: INDENT });
  return [
    plain(`${formatReference(image)} → ${formatReference(there)}`),
    plain(''),
    ...sides.map(row),
    ...platformLines(tag).map(row),
    ...(tag.signature === undefined ? [] : [row(`signature    ${describeSignature(tag.signature)}`)]),
    row(`image set    ${wish(checked, tag)}`),
    ...movedFacts(tag).map((fact) => row(`tag          ${fact}`)),
    plain(''),
    plain(`${tag.verdict}: ${tag.message}`),
  ];
}

const CHANGED: Readonly<Record<NonNullable<CheckedTag['change']>, string>> = {
  platforms: 'with the chosen platforms',
  'beside-others': 'merged with what others added to it',
  'without-attestations': 'without attestations',
  'docker-format': "in Docker's format",
  'oci-format': 'in the OCI format',
};

function expectedCells(
  expected: Digest,
  change: CheckedTag['change'],
  written: (digest: Digest) => string,
): string[] {
  const how = change === undefined ? '' : CHANGED[change];
  return [change === 'platforms' ? 'chosen' : 'expected', written(expected), how];
}

function viewCells(view: TagView, written: (digest: Digest) => string): string[] {
  switch (view.kind) {
    case 'absent':
      return ['not there'];
    case 'unknown':
      return ['not known'];
    case 'there':
      return [
        written(view.digest),
        view.mediaType === undefined ? '' : FORMATS[view.mediaType],
        view.uploaded === undefined ? '' : `uploaded ${formatTime(view.uploaded)}`,
      ];
  }
}

function platformLines({ source, destination }: CheckedTag): string[] {
  const here = source.kind === 'there' ? (source.platforms ?? []) : [];
  const there = destination.kind === 'there' ? (destination.platforms ?? []) : [];
  const all = [...new Set([...here, ...there])];
  if (all.length === 0) return [];
  const only = (one: readonly string[], other: readonly string[], where: string): string[] => {
    const rest = one.filter((platform) => !other.includes(platform));
    return rest.length === 0 || other.length === 0 ? [] : [`; only at the ${where}: ${rest.join(', ')}`];
  };
  const both = here.length > 0 && there.length > 0 ? here.filter((each) => there.includes(each)) : all;
  const differences = [...only(here, there, 'source'), ...only(there, here, 'destination')].join('');
  return [`platforms    ${both.join(', ') || 'none in common'}${differences}`];
}

function wish({ imageSet, location }: CheckedReference, tag?: CheckedTag): string {
  const { wantedBy, patchedBy } = location;
  if (imageSet === undefined) return 'there is none';
  const patch = patchedBy === undefined ? '' : `; patched at ${formatPlace(patchedBy)}`;
  if (wantedBy === undefined) return `not in ${imageSet}`;
  if (tag?.isWanted === false && tag.source.kind === 'there')
    return `${imageSet} selects the image (${formatPlace(wantedBy)}), but not this tag${patch}`;
  if (tag !== undefined && tag.isWanted === undefined && !isDigest(tag.tag))
    return `${imageSet} selects the image (${formatPlace(wantedBy)}), and perhaps this tag${patch}`;
  return `selected by ${formatPlace(wantedBy)}${patch}`;
}

/** Returns how a tag moved, and what a run does about it. */
function movedFacts({ moved, verdict, isWanted }: CheckedTag): string[] {
  if (moved === undefined) return [];
  const fate =
    verdict === 'mirrored'
      ? 'the destination has it already'
      : isWanted === false
        ? 'no run copies it, because the image set does not select it'
        : moved.kept
          ? 'a run leaves the destination unchanged'
          : 'a run copies it';
  return [moveSentence(moved, fate)];
}

function manyTags(checked: CheckedReference): string[] {
  const { image, destination, tags } = checked;
  const heading = [
    `${formatReference(image)} → ${formatReference(destination)}`,
    `image set: ${wish(checked)}`,
  ];
  if (tags.length === 0) return [...heading, '', 'nowhere: the source has no selected tag'];
  const rows = tags.map(({ tag, source, destination: there, recorded, verdict }) => [
    tag,
    digestCell(source),
    digestCell(there),
    recorded === undefined
      ? '-'
      : recorded.pushed === undefined
        ? 'already there'
        : formatTime(recorded.pushed),
    verdict,
  ]);
  const reasons = Map.groupBy(
    tags.filter(({ verdict }) => verdict !== 'mirrored' && verdict !== 'missing'),
    ({ verdict, message }) => `${verdict}: ${message}`,
  );
  const explained = [...reasons].map(([reason, ones]) =>
    ones.length === tags.length ? reason : `${joinWords(ones.map(({ tag }) => tag))} ${reason}`,
  );
  const signatures = Map.groupBy(
    tags.flatMap(({ tag, signature }) => (signature === undefined ? [] : [{ tag, signature }])),
    ({ signature }) => describeSignature(signature),
  );
  const signed = [...signatures].map(
    ([words, ones]) => `${joinWords(ones.map(({ tag }) => tag))} signature: ${words}`,
  );
  const moved = tags.flatMap((each) => movedFacts(each).map((fact) => `${each.tag} ${fact}`));
  return [
    ...heading,
    '',
    ...alignColumns([['TAG', 'SOURCE', 'DESTINATION', 'PUSHED (UTC)', 'VERDICT'], ...rows]),
    '',
    ...(explained.length === 0 ? [] : [...explained, '']),
    ...(signed.length === 0 ? [] : [...signed, '']),
    ...(moved.length === 0 ? [] : [...moved, '']),
    conclusion(checked),
  ];
}

/** The end of a sentence about a number of tags with a verdict. */
const COUNTED: Readonly<Record<MirrorVerdict, (count: number) => string>> = {
  mirrored: (count) => (count === 1 ? 'is mirrored' : 'are mirrored'),
  incomplete: (count) => (count === 1 ? 'is incomplete' : 'are incomplete'),
  missing: (count) => (count === 1 ? 'is missing' : 'are missing'),
  differs: (count) => (count === 1 ? 'differs' : 'differ'),
  waiting: (count) => (count === 1 ? 'waits until it is old enough' : 'wait until they are old enough'),
  'not-at-source': (count) => (count === 1 ? 'is not at the source' : 'are not at the source'),
  nowhere: (count) => (count === 1 ? 'is nowhere' : 'are nowhere'),
  unknown: (count) => (count === 1 ? 'is not known' : 'are not known'),
};

function conclusion(checked: CheckedReference): string {
  const { tags } = checked;
  const isDeep = tags.every(({ below }) => below !== undefined);
  if (isMirrored(tags) && isDeep)
    return `mirrored: ${digestsOf(tags)}, and the destination has all of their parts`;
  if (isMirrored(tags))
    return `mirrored: ${digestsOf(tags)}; to check the parts of a tag, run synctl check IMAGE:TAG`;
  const verdict = hasNothingLeft(tags) ? 'waiting' : 'not mirrored';
  const counts = [...Map.groupBy(tags, ({ verdict }) => verdict)].map(([each, { length }]) => ({
    length,
    words: COUNTED[each](length),
  }));
  const [only] = counts;
  if (counts.length === 1 && only !== undefined) {
    const subject = only.length === 1 ? 'its one tag' : `all ${countOf(only.length, 'tag')}`;
    return `${verdict}: ${subject} ${only.words}`;
  }
  const parts = counts.map(({ length, words }) => `${length} ${words}`);
  return `${verdict}: of ${countOf(tags.length, 'tag')} ${joinWords(parts)}`;
}

/** Without a tag only digests are compared, so the end of the sentence claims no more. */
function digestsOf(tags: readonly CheckedTag[]): string {
  const isAsSource = tags.every(
    ({ source, expected }) => source.kind === 'there' && source.digest === expected,
  );
  if (tags.length === 1)
    return `its one tag has ${isAsSource ? 'the digest of the source' : 'the expected digest'}`;
  return `its ${tags.length} tags have ${isAsSource ? 'the digests of the source' : 'the expected digests'}`;
}

function digestCell(view: TagView): string {
  return view.kind === 'there' ? shortDigest(view.digest) : viewCells(view, shortDigest).join('');
}

/** Returns the result for programs, to be written as JSON. */
export function checkJson(checked: CheckedReference): unknown {
  const { image, destination, location, imageSet, tags } = checked;
  const { wantedBy } = location;
  return {
    image: formatReference(image),
    destination: formatReference(destination),
    mirrored: isMirrored(tags),
    imageSet:
      imageSet === undefined
        ? null
        : { file: imageSet, wanted: wantedBy !== undefined, place: wantedBy && formatPlace(wantedBy) },
    tags: tags.map(({ tag, isWanted, verdict, message, source, destination: there, ...facts }) => ({
      tag,
      wanted: isWanted,
      verdict,
      message,
      source,
      expected: facts.expected,
      change: facts.change,
      compared: facts.below === undefined ? 'digest' : 'parts',
      state: facts.recorded && stateJson(facts.recorded),
      signature: facts.signature,
      moved: facts.moved,
      destination: there,
      below: facts.below,
    })),
  };
}

function stateJson({ source, sourceDigest, pushedDigest, pushed, confirmed, bytes }: RecordedImage): object {
  const size = bytes === 0 ? null : bytes;
  return {
    ...{ source: formatReference(source), sourceDigest, pushedDigest },
    ...{ pushed: pushed ?? null, confirmed, bytes: size },
  };
}
