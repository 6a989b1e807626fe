import { formatPlatform, type Platform } from '../registry/platform.ts';

/** How an image was changed because the destination refuses it as it is. */
export type Conversion =
  /** Without the attestations that its index lists. */
  | 'without-attestations'
  /** As Docker manifest and list instead of OCI, and so without attestations as well. */
  | 'docker-format';

const CONVERSION = /(?:^|;)conversion=(without-attestations|docker-format)$/;

function isConversion(text: string | undefined): text is Conversion {
  return text === 'without-attestations' || text === 'docker-format';
}

/** Gives what shapes an image's content as one text: equal texts make equal digests of equal sources. */
export function contentOptions(platforms: readonly Platform[], conversion?: Conversion): string {
  const chosen =
    platforms.length === 0 ? [] : [`platforms=${platforms.map(formatPlatform).toSorted().join(',')}`];
  return [...chosen, ...(conversion === undefined ? [] : [`conversion=${conversion}`])].join(';');
}

/** Gives the conversion that a recorded text tells of. */
export function conversionIn(options: string): Conversion | undefined {
  const found = CONVERSION.exec(options)?.[1];
  return isConversion(found) ? found : undefined;
}

/** Tells whether a recorded text comes from these settings; a conversion is the destination's doing and none of them. */
export function fitsSettings(recorded: string, settings: string): boolean {
  return recorded.replace(CONVERSION, '') === settings;
}
