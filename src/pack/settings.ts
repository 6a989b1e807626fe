import { readRetry, readUnverified } from '../config/flags/connection-flags.ts';
import { FlagReader } from '../config/flags/flag-reader.ts';
import type { FlagSource } from '../config/flags/flag-source.ts';
import { asIs, oneOf, parseSwitch } from '../config/flags/flag-value.ts';
import { readGithubToken } from '../config/flags/github-token-flag.ts';
import { readImagesFlag } from '../config/flags/given-images-flag.ts';
import {
  hostParser,
  readHost,
  readLimits,
  readNamespace,
  refuseHalfLogin,
} from '../config/flags/registry-flags.ts';
import { parseLogins } from '../config/flags/registry-logins.ts';
import { readSignatureSettings, type VerificationMode } from '../config/flags/signature-flags.ts';
import { readUpstreamMirror } from '../config/flags/upstream-mirror-flag.ts';
import type { GivenImages } from '../config/images/given-images.ts';
import { type Architecture, parseArchitecture } from '../config/kubernetes/architecture.ts';
import { type KubernetesWord, toKubernetesWord } from '../config/kubernetes/kubernetes-word.ts';
import type { UpstreamMirror } from '../config/upstream-mirror.ts';
import { type Duration, parseDuration } from '../lib/duration.ts';
import { Failure } from '../lib/failure.ts';
import type { RetryPolicy } from '../lib/retry.ts';
import type { Host } from '../registry/oci/reference.ts';
import type { RegistryLogin } from '../registry/registries.ts';
import { PACK_FLAGS, type PackFlagName } from './flags.ts';
import { type ImageSource, parseImageSource } from './plan/image-source.ts';
import { type BetaSuffix, parseBetaSuffix } from './plan/package-name.ts';

/** A word that means one version of Kubernetes. */
type OneKubernetes = Exclude<KubernetesWord, { kind: 'supported' }>;

/** The settings of `packer` and action-pack. */
export interface PackSettings {
  /** Path of versions.json. */
  readonly versionConfig: string;
  /** Images to pack in addition to those of the versions.json. */
  readonly given?: GivenImages | undefined;
  readonly kubeVersion: OneKubernetes | undefined;
  readonly arch: Architecture | undefined;
  readonly beta: BetaSuffix | undefined;
  /** Folder with files that go into the package in addition to packer's own. */
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
  /** Mirrors of upstream's files for Kubernetes and its components. */
  readonly upstreamMirror: UpstreamMirror;
  /** A token of github.com, which is sent only to its API. */
  readonly githubToken?: string | undefined;
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

/** Returns the word for one version of Kubernetes. Throws `KUBERNETES_VERSION_MALFORMED`. */
function parseKubeVersion(text: string, about: string): OneKubernetes {
  const word = toKubernetesWord(text);
  if (word !== undefined && word.kind !== 'supported') return word;
  const isSupported = word !== undefined;
  throw new Failure({
    code: 'KUBERNETES_VERSION_MALFORMED',
    fault: 'usage',
    about,
    message: isSupported
      ? 'a package contains one version of Kubernetes, but "supported" means several'
      : `"${text.slice(0, 100)}" is not a Kubernetes version`,
    hint: isSupported
      ? 'pack latest, latest-1 and latest-2 one after the other'
      : 'write a version such as 1.37.1 or 1.38.0-rc.0, a minor such as 1.37 for its newest release, or latest or latest-1',
  });
}

/** Returns the settings of a packing run as flags or inputs give them, or a failure for each malformed one. */
export function parsePackSettings(from: FlagSource): ParsedPackSettings {
  const flags = new FlagReader<PackFlagName>(PACK_FLAGS, from);
  const notices = new Set<string>();
  const host = hostParser(notices);
  const source = (text: string, about: string): ImageSource => {
    const given = parseImageSource(text, about);
    return given.kind === 'upstream' ? given : { ...given, host: host(given.host, about) };
  };
  const registry = readHost(flags, { host: 'registry', namespace: 'namespace' }, host);
  const namespace = readNamespace(flags, 'namespace');
  const imageSource = flags.optional('image-source', source) ?? { kind: 'mirror', host: registry, namespace };
  const settings: PackSettings = {
    versionConfig: flags.required('version-config', asIs),
    given: readImagesFlag(flags, from, notices),
    kubeVersion: flags.optional('kube-version', parseKubeVersion),
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
    upstreamMirror: readUpstreamMirror(flags),
    githubToken: readGithubToken(flags, from.environment),
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
