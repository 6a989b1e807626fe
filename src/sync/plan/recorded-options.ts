import { formatPlatform, type Platform } from '../../registry/oci/platform.ts';

/** How an image is changed if the destination refuses its original format. */
export type Conversion =
  /** The attestations are left out of its index. */
  | 'without-attestations'
  /** OCI manifests become Docker manifests and lists, without attestations. */
  | 'docker-format';

const SIGNED = /(?:^|;)signed=([0-9a-f]{12})(?=;|$)/;
const CONVERSION = /(?:^|;)conversion=(without-attestations|docker-format)$/;

function isConversion(text: string | undefined): text is Conversion {
  return text === 'without-attestations' || text === 'docker-format';
}

/**
 * Returns the settings that determine the content of an image as one text. The same source with the same text has the
 * same digest at the destination. `signed` is the policy by which the signature was verified, and changes no content.
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

/** Returns the conversion in a recorded text, if there is one. */
export function conversionIn(options: string): Conversion | undefined {
  const found = CONVERSION.exec(options)?.[1];
  return isConversion(found) ? found : undefined;
}

/** Returns the policy by which the signature was verified according to a recorded text. */
export function signedUnder(options: string): string | undefined {
  return SIGNED.exec(options)?.[1];
}

/**
 * Returns whether a recorded text is the result of some settings. Its conversion is ignored, because the destination
 * caused it, and so is its signature, because it does not change the image.
 */
export function fitsSettings(recorded: string, settings: string): boolean {
  return recorded === settings || recorded.replace(CONVERSION, '').replace(SIGNED, '') === settings;
}

/**
 * Returns whether the digest of an image at the destination may differ from that at the source. Without a choice of
 * platforms and without a conversion it may not, whatever a manipulated state says.
 */
export function mayDiffer(recorded: string, platforms: readonly Platform[]): boolean {
  return platforms.length > 0 || conversionIn(recorded) !== undefined;
}
