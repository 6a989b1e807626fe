import { readRetry, readUnverified } from '../config/flags/connection-flags.ts';
import { FlagReader } from '../config/flags/flag-reader.ts';
import type { FlagSource } from '../config/flags/flag-source.ts';
import { asIs, oneOf, parseSwitch } from '../config/flags/flag-value.ts';
import { hostParser, readLimits, readNamespace, refuseHalfLogin } from '../config/flags/registry-flags.ts';
import { parseLogins } from '../config/flags/registry-logins.ts';
import { readSignatureSettings, type VerificationMode } from '../config/flags/signature-flags.ts';
import { type Architecture, parseArchitecture } from '../config/kubernetes/architecture.ts';
import { type KubernetesVersion, parseKubernetesVersion } from '../config/kubernetes/kubernetes-version.ts';
import { type Duration, parseDuration } from '../lib/duration.ts';
import type { Failure } from '../lib/failure.ts';
import type { RetryPolicy } from '../lib/retry.ts';
import type { Host } from '../registry/oci/reference.ts';
import type { RegistryLogin } from '../registry/registries.ts';
import { PACK_FLAGS, type PackFlagName } from './flags.ts';
import { type ImageSource, parseImageSource } from './plan/image-source.ts';
import { type BetaSuffix, parseBetaSuffix } from './plan/package-name.ts';

/** The settings of `packer` and action-pack. */
export interface PackSettings {
  /** Path of versions.json. */
  readonly versionConfig: string;
  readonly kubeVersion: KubernetesVersion | undefined;
  readonly arch: Architecture | undefined;
  readonly beta: BetaSuffix | undefined;
  /** Folder with files that go into the package in addition to our own. */
  readonly overlay: string | undefined;
  readonly imageSource: ImageSource;
  /** The host that the user name and password are for. */
  readonly registry: Host;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Logins at further registries. */
  readonly logins?: readonly RegistryLogin[] | undefined;
  readonly insecureRegistries: readonly Host[];
  /** Hosts whose certificates are not checked. */
  readonly tlsSkipVerify: readonly Host[];
  readonly caFile: string | undefined;
  /** Folders for the package, for blobs of images and for downloads. */
  readonly output: string;
  readonly imageOutput: string;
  readonly downloadOutput: string;
  readonly imageFormat: ImageFormat;
  readonly verifySignatures: VerificationMode;
  /** Path of a trusted_root.json; Sigstore's public one if undefined. */
  readonly trustedRoot: string | undefined;
  /** Path of the lock file. */
  readonly lock: string | undefined;
  readonly dryRun: boolean;
  /** Requests and transfers in flight per host; if undefined, the run finds its own limits. */
  readonly queryLimit: number | undefined;
  readonly limit: number | undefined;
  /** 0 means no limit. */
  readonly commandTimeout: Duration;
  /** Attempts at each request, at least 1. */
  readonly retry: RetryPolicy;
  readonly json: boolean;
}

export type ImageFormat = 'oci' | 'docker-archive';

/** The settings with notices for the user, or everything that is wrong with them. */
type ParsedPackSettings =
  | { readonly ok: true; readonly settings: PackSettings; readonly notices: readonly string[] }
  | { readonly ok: false; readonly failures: readonly Failure[] };

/** Returns the settings of a packing run as flags or inputs give them, or a failure for each malformed one. */
export function parsePackSettings(from: FlagSource): ParsedPackSettings {
  const flags = new FlagReader<PackFlagName>(PACK_FLAGS, from);
  const notices = new Set<string>();
  const host = hostParser(notices);
  const source = (text: string, about: string): ImageSource => {
    const given = parseImageSource(text, about);
    return given.kind === 'upstream' ? given : { ...given, host: host(given.host, about) };
  };
  const registry = flags.required('registry', host);
  const namespace = readNamespace(flags, 'namespace');
  const imageSource = flags.optional('image-source', source) ?? { kind: 'mirror', host: registry, namespace };
  const settings: PackSettings = {
    versionConfig: flags.required('version-config', asIs),
    kubeVersion: flags.optional('kube-version', parseKubernetesVersion),
    arch: flags.optional('arch', parseArchitecture),
    beta: flags.optional('beta', parseBetaSuffix),
    overlay: flags.text('package'),
    imageSource,
    registry: imageSource.kind === 'mirror' ? imageSource.host : registry,
    username: flags.text('username'),
    password: flags.text('password'),
    logins: flags.optional('registry-logins', parseLogins),
    insecureRegistries: flags.list('insecure-registry', host),
    tlsSkipVerify: readUnverified(flags, notices),
    caFile: flags.text('ca-file'),
    output: flags.required('output', asIs),
    imageOutput: flags.required('image-output', asIs),
    downloadOutput: flags.required('download-output', asIs),
    imageFormat: flags.required('image-format', oneOf('oci', 'docker-archive')),
    ...readSignatureSettings(flags, notices),
    lock: flags.text('lock'),
    dryRun: flags.optional('dry-run', parseSwitch) ?? false,
    ...readLimits(flags),
    commandTimeout: flags.required('command-timeout', parseDuration),
    retry: readRetry(flags),
    json: flags.optional('json', parseSwitch) ?? false,
  };
  refuseHalfLogin(flags, settings);
  if (flags.failures.length > 0) return { ok: false, failures: flags.failures };
  return { ok: true, settings, notices: [...notices] };
}
