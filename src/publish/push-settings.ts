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
import { type PublishSettings, parsePublishSettings } from './settings.ts';

/** The settings of `packer push`. */
export interface PushSettings extends PublishSettings {
  /** Path of the package. */
  readonly package: string;
  /** 0 means no limit. */
  readonly commandTimeout: Duration;
  /** Logins at registries, that of the base image too. */
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
    flags.refuse('pkg-uri', 'there is no package to publish', 'write the path of the one that packer made');
  }
  const published = parsePublishSettings(from);
  const notices = [...published.notices, ...unverified, ...doubtsAbout(path)];
  const failures = [...flags.failures, ...(published.ok ? [] : published.failures)];
  if (failures.length > 0 || !published.ok || path === undefined) {
    return { ok: false, failures, notices };
  }
  const registries = { logins, insecureRegistries, tlsSkipVerify, caFile, retry };
  const settings = { ...published.settings, package: path, commandTimeout, ...registries, json };
  return { ok: true, settings, notices };
}

/** Names of archives, as packages are. */
const ARCHIVE = /\.(?:tar(?:\.[a-z0-9]+)?|tgz)$/i;

function doubtsAbout(path: string | undefined): string[] {
  if (path === undefined || ARCHIVE.test(path)) return [];
  const shown = path.slice(0, 200);
  return [
    `"${shown}" does not look like a package, whose name ends in .tar.gz; it is published all the same`,
  ];
}

function parsePackageUri(text: string, about: string): string {
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return text;
  if (/^file:\/\/\//i.test(text)) return fileURLToPath(text);
  throw malformed(about, text, 'is not on this machine', 'download it first and give its path');
}
