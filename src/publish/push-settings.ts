import { fileURLToPath } from 'node:url';
import { readRetry } from '../config/flags/connection-flags.ts';
import { FlagReader, type FlagSource } from '../config/flags/flag-reader.ts';
import { malformed, parseSwitch } from '../config/flags/flag-value.ts';
import { type Duration, parseDuration } from '../lib/duration.ts';
import type { Failure } from '../lib/failure.ts';
import type { RetryPolicy } from '../lib/retry.ts';
import { type Host, parseHost } from '../registry/oci/reference.ts';
import { PUSH_FLAGS, type PushFlagName } from './flags.ts';
import { type PublishSettings, parsePublishSettings } from './settings.ts';

/** What `packer push` is told. */
export interface PushSettings extends PublishSettings {
  /** Path of the package. */
  readonly package: string;
  /** 0 is no limit. */
  readonly commandTimeout: Duration;
  readonly insecureRegistries: readonly Host[];
  readonly caFile: string | undefined;
  readonly retry: RetryPolicy;
  readonly json: boolean;
}

/** Settings with what the user should be told about them, or everything that is wrong with them. */
type ParsedPushSettings =
  | { readonly ok: true; readonly settings: PushSettings; readonly notices: readonly string[] }
  | { readonly ok: false; readonly failures: readonly Failure[]; readonly notices: readonly string[] };

/** Reads the settings of `packer push`, and reports all malformed ones at once. */
export function parsePushSettings(from: FlagSource): ParsedPushSettings {
  const flags = new FlagReader<PushFlagName>(PUSH_FLAGS, from);
  const path = flags.optional('pkg-uri', parsePackageUri);
  const commandTimeout = flags.required('command-timeout', parseDuration);
  const insecureRegistries = flags.list('insecure-registry', parseHost);
  const caFile = flags.text('ca-file');
  const retry = readRetry(flags);
  const json = flags.optional('json', parseSwitch) ?? false;
  if (flags.text('pkg-uri') === undefined) {
    flags.refuse('pkg-uri', 'there is no package to publish', 'write the path of the one that packer made');
  }
  const published = parsePublishSettings(from);
  const failures = [...flags.failures, ...(published.ok ? [] : published.failures)];
  if (failures.length > 0 || !published.ok || path === undefined) {
    return { ok: false, failures, notices: published.notices };
  }
  const registries = { insecureRegistries, caFile, retry };
  const settings = { ...published.settings, package: path, commandTimeout, ...registries, json };
  return { ok: true, settings, notices: published.notices };
}

function parsePackageUri(text: string, about: string): string {
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return text;
  if (/^file:\/\/\//i.test(text)) return fileURLToPath(text);
  throw malformed(about, text, 'is not on this machine', 'download it first and give its path');
}
