import { Failure } from '../../lib/failure.ts';

/** The platform that an image runs on (OCI image-index spec, `platform`). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  /** The version of Windows, such as `10.0.17763.1`. It is only shown; platforms are compared without it. */
  readonly osVersion?: string | undefined;
}

const PLATFORM = /^([a-z0-9]+)\/([a-z0-9_-]+)(?:\/([a-z0-9.]+))?$/;

// Other words for architectures, as containerd reads them, with the variants that some of them mean.
// https://github.com/containerd/platforms/blob/main/database.go
const ARCHITECTURE_WORDS: ReadonlyMap<string, Pick<Platform, 'architecture' | 'variant'>> = new Map([
  ['i386', { architecture: '386' }],
  ['x86_64', { architecture: 'amd64' }],
  ['x86-64', { architecture: 'amd64' }],
  ['aarch64', { architecture: 'arm64' }],
  ['armhf', { architecture: 'arm', variant: 'v7' }],
  ['armel', { architecture: 'arm', variant: 'v6' }],
]);

/** The variants of platforms that name none. */
const USUAL_VARIANTS: ReadonlyMap<string, string> = new Map([
  ['arm', 'v7'],
  ['arm64', 'v8'],
  ['amd64', 'v1'],
]);

/** Returns a platform in the words of Go: `linux/x86_64` is `linux/amd64`, and `linux/arm/7` is `linux/arm/v7`. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const word = platform.architecture.toLowerCase();
  const known = ARCHITECTURE_WORDS.get(word);
  const variant = known?.variant ?? platform.variant?.toLowerCase() ?? '';
  const { osVersion } = platform;
  return {
    os: os === 'macos' ? 'darwin' : os,
    architecture: known?.architecture ?? word,
    ...(variant === '' ? {} : { variant: /^\d/.test(variant) ? `v${variant}` : variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
  };
}

/**
 * Reads `os/architecture[/variant]`, such as `linux/arm64/v8`, also with the names of architectures from `uname -m` and
 * Debian. Throws `PLATFORM_MALFORMED`.
 */
export function parsePlatform(text: string, about: string): Platform {
  const [, os, architecture, variant] = PLATFORM.exec(text.trim().toLowerCase()) ?? [];
  if (os !== undefined && architecture !== undefined) return normalizePlatform({ os, architecture, variant });
  throw new Failure({
    code: 'PLATFORM_MALFORMED',
    fault: 'usage',
    about,
    message: `"${text}" is not a platform`,
    hint: 'write os/architecture, such as linux/amd64 or linux/arm/v7',
  });
}

/** Returns a platform as `os/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant === undefined ? base : `${base}/${platform.variant}`;
}

/**
 * Returns whether the platform of an image is the wanted one. The variant is compared only if one is wanted; an image
 * that names none has the usual one, so `linux/arm64` matches `linux/arm64/v8`. Unlike containerd's `Only`, it does not
 * accept an older variant for a newer one: `linux/arm/v6` does not match `linux/arm/v7`.
 */
export function matchesPlatform(offered: Platform, wanted: Platform): boolean {
  const one = normalizePlatform(offered);
  const other = normalizePlatform(wanted);
  return (
    one.os === other.os &&
    one.architecture === other.architecture &&
    (other.variant === undefined || other.variant === variantOf(one))
  );
}

function variantOf({ architecture, variant }: Platform): string | undefined {
  return variant ?? USUAL_VARIANTS.get(architecture);
}

/**
 * Returns the entry of an index for a platform. If the index has several variants and none is wanted, the usual one is
 * returned, which runs on every machine of the architecture: `linux/amd64` is not `linux/amd64/v3`.
 */
export function entryFor<Entry extends { readonly platform?: Platform | undefined }>(
  entries: readonly Entry[],
  wanted: Platform,
): Entry | undefined {
  const fitting = entries.filter(
    ({ platform }) => platform !== undefined && matchesPlatform(platform, wanted),
  );
  const isUsual = ({ platform }: Entry): boolean =>
    platform !== undefined &&
    variantOf(normalizePlatform(platform)) === USUAL_VARIANTS.get(wanted.architecture);
  return fitting.find(isUsual) ?? fitting[0];
}
