import { fileURLToPath } from 'node:url';
import { readRetry, readUnverified } from '../config/flags/connection-flags.ts';
import { FlagReader } from '../config/flags/flag-reader.ts';
import type { FlagSource } from '../config/flags/flag-source.ts';
import { malformed, parseSwitch } from '../config/flags/flag-value.ts';
import { parseLogins } from '../config/flags/registry-logins.ts';
import { type Duration, parseDuration } from '../lib/duration.ts';
import type { Failure } from '../lib/failure.ts';
import type { RetryPolicy } from '../lib/retry.ts';
import { type Host, parseHost } from '../registry/oci/reference.ts';
import type { RegistryLogin } from '../registry/registries.ts';
import { PUSH_FLAGS, type PushFlagName } from './flags.ts';
import { IMAGES_FLAGS, type ImagesSettings, readImagesSettings } from './images/images-flags.ts';
import { type PublishSettings, parsePublishSettings } from './settings.ts';

/** The settings of `packer push`. */
export interface PushSettings extends PublishSettings {
  /** Path of the package. */
  readonly package: string;
  /** Where the images in the package go. If this is defined, there are no targets. */
  readonly images: ImagesSettings | undefined;
  /** 0 means no limit. */
  readonly commandTimeout: Duration;
  /** Logins at registries, including that of the base image. */
  readonly logins: readonly RegistryLogin[] | undefined;
  readonly insecureRegistries: readonly Host[];
  readonly tlsSkipVerify: readonly Host[];
  readonly caFile: string | undefined;
  readonly retry: RetryPolicy;
  readonly json: boolean;
}

/** Settings with notices for the user, or every failure found in the flags. */
type ParsedPushSettings =
  | { readonly ok: true; readonly settings: PushSettings; readonly notices: readonly string[] }
  | { readonly ok: false; readonly failures: readonly Failure[]; readonly notices: readonly string[] };

/** Reads the settings of `packer push`. Returns every failure at once: each wrong and each missing flag. */
export function parsePushSettings(from: FlagSource): ParsedPushSettings {
  const flags = new FlagReader<PushFlagName>(PUSH_FLAGS, from);
  const path = flags.optional('pkg-uri', parsePackageUri);
  const commandTimeout = flags.required('command-timeout', parseDuration);
  const logins = flags.optional('registry-logins', parseLogins);
  const insecureRegistries = flags.list('insecure-registry', parseHost);
  const unverified = new Set<string>();
  const tlsSkipVerify = readUnverified(flags, unverified);
  const caFile = flags.text('ca-file');
  const retry = readRetry(flags);
  const json = flags.optional('json', parseSwitch) ?? false;
  if (flags.text('pkg-uri') === undefined) {
    flags.refuse('pkg-uri', 'no package to publish', 'set it to the path of a package built by packer');
  }
  const images = readImagesSettings(flags);
  const isOfImages = flags.text('images-to') !== undefined;
  refuseMixture(flags, from, isOfImages);
  const published = parsePublishSettings(isOfImages ? nowhere(from) : from);
  const notices = [...published.notices, ...unverified, ...(isOfImages ? [] : doubtsAbout(path))];
  const failures = [...flags.failures, ...(published.ok ? [] : published.failures)];
  if (failures.length > 0 || !published.ok || path === undefined) {
    return { ok: false, failures, notices };
  }
  const registries = { logins, insecureRegistries, tlsSkipVerify, caFile, retry };
  const settings = { ...published.settings, package: path, images, commandTimeout, ...registries, json };
  return { ok: true, settings, notices };
}

/** Records a failure for each flag that does not apply with `--images-to`, or without it. */
function refuseMixture(flags: FlagReader<PushFlagName>, { values }: FlagSource, isOfImages: boolean): void {
  const isGiven = (name: string): boolean => (values.get(name) ?? '').trim() !== '';
  if (isOfImages && isGiven('repo')) {
    const hint = `run packer push twice: once with ${flags.label('images-to')}, and once without`;
    flags.refuse(
      'repo',
      'with this flag, packer pushes the images of the package, not the package itself',
      hint,
    );
  }
  if (isOfImages) return;
  for (const { name } of IMAGES_FLAGS) {
    if (!isGiven(name)) continue;
    flags.refuse(
      name,
      'it applies only to the images of a package',
      `set ${flags.label('images-to')} HOST/PATH too`,
    );
  }
}

/** Returns the flags with no target for the package itself. */
function nowhere(from: FlagSource): FlagSource {
  return { ...from, values: new Map([...from.values, ['repo', 'none']]) };
}

/** Matches names of archives, which packages are. */
const ARCHIVE = /\.(?:tar(?:\.[a-z0-9]+)?|tgz)$/i;

function doubtsAbout(path: string | undefined): string[] {
  if (path === undefined || ARCHIVE.test(path)) return [];
  const shown = path.slice(0, 200);
  return [`"${shown}" does not look like a package, whose name ends in .tar.gz; publishing it anyway`];
}

function parsePackageUri(text: string, about: string): string {
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return text;
  if (/^file:\/\/\//i.test(text)) return fileURLToPath(text);
  throw malformed(about, text, 'is not on this machine', 'download it first and give its path');
}
