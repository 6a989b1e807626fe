import { Failure } from '../../lib/failure.ts';

/** The platform that an image runs on (OCI image-index spec, `platform`). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  /** Which Windows, such as `10.0.17763.1`. It does not tell platforms apart here, only for people. */
  readonly osVersion?: string | undefined;
}

const PLATFORM = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9.]+))?$/;

/** Reads `os/architecture[/variant]`, such as `linux/arm64/v8`. Throws `PLATFORM_MALFORMED`. */
export function parsePlatform(text: string, about: string): Platform {
  const parts = PLATFORM.exec(text.trim());
  if (parts?.[1] === undefined || parts[2] === undefined) {
    throw new Failure({
      code: 'PLATFORM_MALFORMED',
      fault: 'usage',
      about,
      message: `"${text}" is not a platform`,
      hint: 'write os/architecture, such as linux/amd64 or linux/arm/v7',
    });
  }
  const platform = { os: parts[1], architecture: parts[2] };
  return parts[3] === undefined ? platform : { ...platform, variant: parts[3] };
}

/** Returns a platform as `os/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant === undefined ? base : `${base}/${platform.variant}`;
}

/** Returns whether the platform of an image is the wanted one. The variant is compared only if one is wanted. */
export function matchesPlatform(offered: Platform, wanted: Platform): boolean {
  return (
    offered.os === wanted.os &&
    offered.architecture === wanted.architecture &&
    (wanted.variant === undefined || wanted.variant === offered.variant)
  );
}
