import { formatPlatform, type Platform } from '../../registry/oci/platform.ts';

/** How an image was changed because the destination refuses it as it is. */
export type Conversion =
  /** Without the attestations that its index lists. */
  | 'without-attestations'
  /** As Docker manifest and list instead of OCI, and so without attestations as well. */
  | 'docker-format';

const SIGNED = /(?:^|;)signed=([0-9a-f]{12})(?=;|$)/;
const CONVERSION = /(?:^|;)conversion=(without-attestations|docker-format)$/;

function isConversion(text: string | undefined): text is Conversion {
  return text === 'without-attestations' || text === 'docker-format';
}

/**
 * Returns what shapes an image's content as one text: equal texts make equal digests of equal sources. `signed` is the
 * policy under which its signature was verified, which changes no content.
 */
export function contentOptions(
  platforms: readonly Platform[],
  conversion?: Conversion,
  signed?: string,
): string {
  const chosen =
    platforms.length === 0 ? [] : [`platforms=${platforms.map(formatPlatform).toSorted().join(',')}`];
  return [
    ...chosen,
    ...(signed === undefined ? [] : [`signed=${signed}`]),
    ...(conversion === undefined ? [] : [`conversion=${conversion}`]),
  ].join(';');
}

/** Returns the conversion that a recorded text tells of. */
export function conversionIn(options: string): Conversion | undefined {
  const found = CONVERSION.exec(options)?.[1];
  return isConversion(found) ? found : undefined;
}

/** Returns the policy under which a recorded text says that the signature was verified. */
export function signedUnder(options: string): string | undefined {
  return SIGNED.exec(options)?.[1];
}

/**
 * Returns whether a recorded text comes from these settings; a conversion is the destination's doing and none of them, and
 * a signature makes no other image.
 */
export function fitsSettings(recorded: string, settings: string): boolean {
  return recorded === settings || recorded.replace(CONVERSION, '').replace(SIGNED, '') === settings;
}

/**
 * Returns whether an image is to have another digest at the destination than at the source. Without platforms to choose and
 * without a conversion it is to have the same, whatever a state says that anybody could have written.
 */
export function mayDiffer(recorded: string, platforms: readonly Platform[]): boolean {
  return platforms.length > 0 || conversionIn(recorded) !== undefined;
}
