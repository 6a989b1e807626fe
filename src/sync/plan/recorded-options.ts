import { formatPlatform, type Platform } from '../../registry/oci/platform.ts';

/** The ways in which an image is changed if the destination refuses its original format. */
export const CONVERSIONS = [
  /** The attestations are left out of its index. */
  'without-attestations',
  /** OCI manifests become Docker manifests and lists, without attestations. */
  'docker-format',
  /** Docker manifests and lists become OCI manifests and indexes. */
  'oci-format',
] as const;

export type Conversion = (typeof CONVERSIONS)[number];

/**
 * What is known about an image at the destination, in addition to the settings. None of it means that the content at
 * its source is another.
 */
interface RecordedFacts {
  readonly conversion?: Conversion | undefined;
  /** The policy by which its signature was verified. */
  readonly signed?: string | undefined;
  /** The number of foreign layers that are not there. */
  readonly layersLeftOut?: number | undefined;
  readonly others?: OthersSignatures | undefined;
  /** Whether its signatures were requested from the referrers API of the source, and are at the destination. */
  readonly hasReferrers?: boolean | undefined;
}

/**
 * Where the signatures are that others added to a tag at the destination: next to those of the source (`beside`), or in
 * their place (`instead`). With `instead`, each run checks the tag.
 */
export type OthersSignatures = 'beside' | 'instead';

const LEFT_OUT = /^left-out=([1-9]\d{0,3})$/;
const BESIDE = /^others=(beside)$/;
const INSTEAD = /^others=instead$/;
const OTHERS = /^others=(?:beside|instead)$/;
const REFERRERS = /^referrers$/;
const SIGNED = /^signed=([0-9a-f]{12})$/;
const CONVERSION = new RegExp(`^conversion=(${CONVERSIONS.join('|')})$`);

/**
 * Returns the settings that determine the content of an image, and what is known about it, as one text. The same source
 * with the same settings and conversion has the same digest at the destination.
 */
export function contentOptions(platforms: readonly Platform[], facts: RecordedFacts = {}): string {
  const { conversion, signed, layersLeftOut = 0, others, hasReferrers = false } = facts;
  const chosen =
    platforms.length === 0 ? [] : [`platforms=${platforms.map(formatPlatform).toSorted().join(',')}`];
  return [
    ...chosen,
    ...(layersLeftOut === 0 ? [] : [`left-out=${layersLeftOut}`]),
    ...(others === undefined ? [] : [`others=${others}`]),
    ...(hasReferrers ? ['referrers'] : []),
    ...(signed === undefined ? [] : [`signed=${signed}`]),
    // Older versions look for it at the end only.
    ...(conversion === undefined ? [] : [`conversion=${conversion}`]),
  ].join(';');
}

/** Returns the value in the part of a recorded text that has some form. */
function find(options: string, form: RegExp): string | undefined {
  return options
    .split(';')
    .map((part) => form.exec(part)?.[1])
    .find((found) => found !== undefined);
}

/** Returns the conversion in a recorded text, if there is one. */
export function conversionIn(options: string): Conversion | undefined {
  const found = find(options, CONVERSION);
  return CONVERSIONS.find((conversion) => conversion === found);
}

/** Returns the policy by which the signature was verified according to a recorded text. */
export function signedUnder(options: string): string | undefined {
  return find(options, SIGNED);
}

/** Returns the number of foreign layers that the destination lacks according to a recorded text. */
export function layersLeftOutIn(options: string): number {
  return Number(find(options, LEFT_OUT) ?? 0);
}

/** Returns whether its signatures at the referrers API of the source were copied according to a recorded text. */
export function hasReferrersIn(options: string): boolean {
  return options.split(';').some((part) => REFERRERS.test(part));
}

/** Returns whether others added something to a tag of signatures according to a recorded text. */
export function hasOthersSignatures(options: string): boolean {
  return options.split(';').some((part) => OTHERS.test(part));
}

/** Returns whether a tag of signatures was left unchanged for the sake of others, according to a recorded text. */
export function isLeftAlone(options: string): boolean {
  return options.split(';').some((part) => INSTEAD.test(part));
}

/** Returns whether a recorded text is the result of some settings. Facts about the image in it are ignored. */
export function fitsSettings(recorded: string, settings: string): boolean {
  const isFact = (part: string) =>
    [LEFT_OUT, BESIDE, REFERRERS, SIGNED, CONVERSION].some((form) => form.test(part));
  const kept = recorded.split(';').filter((part) => !isFact(part));
  return kept.join(';') === settings;
}

/**
 * Returns whether the digest of an image at the destination may differ from that at the source. Without a choice of
 * platforms, without a conversion and without signatures of others it may not, even if a manipulated state claims that.
 */
export function mayDiffer(recorded: string, platforms: readonly Platform[]): boolean {
  return platforms.length > 0 || conversionIn(recorded) !== undefined || hasOthersSignatures(recorded);
}
