import { readRetry, readUnverified } from '../config/flags/connection-flags.ts';
import type { Flag } from '../config/flags/flag.ts';
import { FlagReader } from '../config/flags/flag-reader.ts';
import type { FlagSource } from '../config/flags/flag-source.ts';
import { asIs, oneOf, parseSwitch } from '../config/flags/flag-value.ts';
import { readGithubToken } from '../config/flags/github-token-flag.ts';
import { readImagesFlag } from '../config/flags/given-images-flag.ts';
import {
  hostParser,
  parsePath,
  readHost,
  readLimits,
  readNamespace,
  refuseHalfLogin,
} from '../config/flags/registry-flags.ts';
import { parseLogins } from '../config/flags/registry-logins.ts';
import { readSignatureSettings, type VerificationMode } from '../config/flags/signature-flags.ts';
import { readUpstreamMirror } from '../config/flags/upstream-mirror-flag.ts';
import type { GivenImages } from '../config/images/given-images.ts';
import { NAMINGS, type Naming } from '../config/mirror-naming.ts';
import { MOVED_TAGS_MODES, type MovedTagsMode } from '../config/moved-tags.ts';
import type { UpstreamMirror } from '../config/upstream-mirror.ts';
import { type Duration, parseDuration } from '../lib/duration.ts';
import { Failure } from '../lib/failure.ts';
import type { RetryPolicy } from '../lib/retry.ts';
import { type Platform, parsePlatform } from '../registry/oci/platform.ts';
import type { Host, Repository } from '../registry/oci/reference.ts';
import type { RegistryLogin } from '../registry/registries.ts';
import { SYNC_FLAGS, type SyncFlagName } from './flags.ts';
import { parseShard, type Shard } from './shard.ts';

/** The settings of `synctl sync` and action-sync. */
export interface SyncSettings {
  readonly source: Host;
  readonly destination: Host;
  readonly namespace: Repository | undefined;
  /** Credentials for the destination. Without them, Docker's configuration is used. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Path of image_set.json. */
  readonly imageSet: string;
  /** The images to mirror instead of what the image set wants; undefined if the image set decides. */
  readonly given?: GivenWish | undefined;
  /** Path of the state file. */
  readonly database: string;
  /** Where the state is kept between runs. */
  readonly state: 'file' | 'registry';
  /** Requests in flight per host. If undefined, the run adapts the number. */
  readonly queryLimit: number | undefined;
  /** Blob transfers in flight per host. If undefined, the run adapts the number. */
  readonly limit: number | undefined;
  /** 0 means no limit, here and for `pushTimeout`. */
  readonly commandTimeout: Duration;
  readonly pushTimeout: Duration;
  /** Attempts at each request, at least 1. */
  readonly retry: RetryPolicy;
  /** `*` means all. */
  readonly additionNamespaces: readonly string[];
  readonly dryRun: boolean;
  readonly naming: Naming;
  /** Empty means all. */
  readonly platforms: readonly Platform[];
  readonly signatures: 'skip' | 'copy';
  /** `deep` also checks what is below each tag. */
  readonly verify: 'sample' | 'all' | 'deep' | 'none';
  /** What to do with a tag that moved but should not. */
  readonly movedTags: MovedTagsMode;
  readonly verifySignatures: VerificationMode;
  /** Path of a trusted_root.json. If undefined, Sigstore's public one is used. */
  readonly trustedRoot: string | undefined;
  readonly shard: Shard | undefined;
  /** Path of the JSON report. */
  readonly report: string | undefined;
  readonly failOn: 'any' | 'never';
  /** Logins at further registries. */
  readonly logins?: readonly RegistryLogin[] | undefined;
  readonly insecureRegistries: readonly Host[];
  /** Hosts whose certificates are not checked. */
  readonly tlsSkipVerify: readonly Host[];
  readonly caFile: string | undefined;
  /** Where the files of upstream are downloaded from. */
  readonly upstreamMirror: UpstreamMirror;
  /** A token of github.com, for its API alone. */
  readonly githubToken?: string | undefined;
  readonly json: boolean;
}

/** Images that were given, and whether the rules of the image set apply to them, because it was named too. */
interface GivenWish extends GivenImages {
  readonly withRules: boolean;
}

const IMAGE_SET = 'image_set.json';

/** The settings with notices for the user, or everything that is wrong with them. */
type ParsedSyncSettings =
  | { readonly ok: true; readonly settings: SyncSettings; readonly notices: readonly string[] }
  | { readonly ok: false; readonly failures: readonly Failure[] };

/**
 * Returns the settings of a run from flags or inputs, or all malformed ones at once. `table` holds the command's
 * defaults.
 */
export function parseSyncSettings(
  from: FlagSource,
  table: readonly Flag<SyncFlagName>[] = SYNC_FLAGS,
): ParsedSyncSettings {
  const flags = new FlagReader<SyncFlagName>(table, from);
  const notices = new Set<string>();
  const host = hostParser(notices);
  const imageSet = flags.text('image-set');
  const given = readImagesFlag(flags, from, notices);
  const settings: SyncSettings = {
    source: flags.required('source', host),
    destination: readHost(flags, { host: 'push-to', namespace: 'push-ns' }, host),
    namespace: readNamespace(flags, 'push-ns'),
    username: flags.text('username'),
    password: flags.text('password'),
    imageSet: imageSet ?? IMAGE_SET,
    given: given && { ...given, withRules: imageSet !== undefined },
    database: flags.required('db', asIs),
    state: flags.required('state', oneOf('file', 'registry')),
    ...readLimits(flags),
    commandTimeout: flags.required('command-timeout', parseDuration),
    pushTimeout: flags.required('push-timeout', parseDuration),
    retry: readRetry(flags),
    additionNamespaces: flags.list('addition-ns', parsePathOrAll),
    dryRun: flags.optional('dry-run', parseSwitch) ?? false,
    naming: flags.required('naming', oneOf(...NAMINGS)),
    platforms: flags.text('platform') === 'all' ? [] : flags.list('platform', parsePlatform),
    signatures: flags.required('signatures', oneOf('skip', 'copy')),
    verify: flags.required('verify', oneOf('sample', 'all', 'deep', 'none')),
    movedTags: flags.required('moved-tags', oneOf(...MOVED_TAGS_MODES)),
    ...readSignatureSettings(flags, notices),
    shard: flags.optional('shard', parseShard),
    report: flags.text('report'),
    failOn: flags.required('fail-on', oneOf('any', 'never')),
    logins: flags.optional('registry-logins', parseLogins),
    insecureRegistries: flags.list('insecure-registry', host),
    tlsSkipVerify: readUnverified(flags, notices),
    caFile: flags.text('ca-file'),
    upstreamMirror: readUpstreamMirror(flags),
    githubToken: readGithubToken(flags, from.environment),
    json: flags.optional('json', parseSwitch) ?? false,
  };
  refuseHalfLogin(flags, settings);
  if (given !== undefined && !flags.isGiven('push-to')) flags.failures.push(destinationMissing(flags));
  if (flags.failures.length > 0) return { ok: false, failures: flags.failures };
  return { ok: true, settings, notices: [...notices] };
}

/** The default destination is for image sets alone: people who give images mean a registry of their own. */
function destinationMissing(flags: FlagReader<SyncFlagName>): Failure<'DESTINATION_MISSING'> {
  const example = flags.written([
    ['push-to', 'registry.example.com'],
    ['push-ns', 'mirror'],
  ]);
  return new Failure({
    code: 'DESTINATION_MISSING',
    fault: 'usage',
    about: flags.label('push-to'),
    message: 'no destination is given for these images',
    hint: `name your registry, as in ${example}`,
  });
}

/** Returns the files that a run reads, which its report must not replace. */
export function filesOf({ database, imageSet, given }: SyncSettings): readonly string[] {
  return [database, imageSet, ...(given?.files ?? [])];
}

function parsePathOrAll(text: string, about: string): string {
  return text === '*' ? text : parsePath(text, about);
}
