import { newestKnownVersion } from '../../config/kubernetes/kubeadm-tags.ts';
import { type KubernetesVersion, kubernetesMinor } from '../../config/kubernetes/kubernetes-version.ts';
import type { KubernetesWord } from '../../config/kubernetes/kubernetes-word.ts';
import { Failure } from '../../lib/failure.ts';
import type { Asked, Makers } from '../../upstream/makers.ts';
import { withTroubles } from '../plan/release-knowledge.ts';
import { type Lock, lockDiffers } from './lock-file.ts';

/** The version of Kubernetes that a word such as `latest` means. */
export interface ChosenKubernetes {
  readonly version: KubernetesVersion;
  /** What was wanted, such as `latest` or `1.38`. */
  readonly word: string;
  /** Where the version comes from, for people: `dl.k8s.io`, `github.com`, the path of a lock, or `last known`. */
  readonly origin: string;
  /** Set if no host could be asked, so that packer uses the newest version in its tables. */
  readonly warning?: string | undefined;
}

type AskableWord = Exclude<KubernetesWord, { kind: 'version' | 'supported' }>;
type Question = Pick<Makers, 'newestRelease'>;

function ofLock({ text }: AskableWord, lock: Lock): ChosenKubernetes {
  const { kubernetes } = lock;
  if (kubernetes?.wanted === text) return { version: kubernetes.version, word: text, origin: lock.file };
  const { wanted, version } = kubernetes ?? {};
  const before =
    wanted === undefined
      ? (version ?? `that of ${lock.package}`)
      : `${wanted}, which means ${version} in the lock`;
  throw lockDiffers(lock, [`the version of Kubernetes was ${before}, but now it is ${text}`]);
}

async function ask(
  word: AskableWord,
  makers: Question,
  signal: AbortSignal,
): Promise<Asked<KubernetesVersion> & { readonly minor: number | undefined }> {
  if (word.kind === 'minor')
    return { ...(await makers.newestRelease(word.minor, signal)), minor: word.minor };
  const newest = await makers.newestRelease(undefined, signal);
  if (word.back === 0) return { ...newest, minor: undefined };
  const known = newest.found ?? newestKnownVersion();
  const minor = known === undefined ? 0 : kubernetesMinor(known) - word.back;
  if (minor < 0) throw beforeTheFirst(word, known);
  if (newest.found === undefined) return { ...newest, minor };
  return { ...(await makers.newestRelease(minor, signal)), minor };
}

function beforeTheFirst({ text, back }: AskableWord & { kind: 'latest' }, newest = '') {
  return new Failure({
    code: 'KUBERNETES_UNRELEASED',
    fault: 'usage',
    about: `Kubernetes ${text}`,
    message: `there is no release ${back} minors before ${newest}`,
    hint: 'write a smaller number, such as latest-1',
  });
}

function unknown(text: string, minor: number | undefined, troubles: readonly string[]) {
  return new Failure({
    code: 'KUBERNETES_RELEASE_UNKNOWN',
    about: `Kubernetes ${text}`,
    message: withTroubles(`cannot find the newest release of ${nameOf(minor)}`, troubles),
    hint: `write the full version, such as 1.${minor ?? 37}.1, or set a mirror of dl.k8s.io with --upstream-mirror`,
  });
}

function nameOf(minor: number | undefined): string {
  return minor === undefined ? 'Kubernetes' : `Kubernetes 1.${minor}`;
}

function unreleased(text: string, minor: number | undefined) {
  return new Failure({
    code: 'KUBERNETES_UNRELEASED',
    fault: 'usage',
    about: `Kubernetes ${text}`,
    message: `there is no stable release of ${nameOf(minor)}`,
    hint: `write the full version of a pre-release, such as 1.${minor ?? 38}.0-rc.0, or wait for the release`,
  });
}

/**
 * Returns the version that a word means: the one in a lock of the same word, else the one that upstream answers, else
 * the newest one in the tables, with a warning. Throws `LOCK_DIFFERS` for a lock of another word,
 * `KUBERNETES_UNRELEASED`, or `KUBERNETES_RELEASE_UNKNOWN`.
 */
export async function chooseKubernetes(
  word: AskableWord,
  {
    lock,
    makers,
    signal,
  }: {
    readonly lock: Lock | undefined;
    readonly makers: Question;
    readonly signal: AbortSignal;
  },
): Promise<ChosenKubernetes> {
  if (lock !== undefined) return ofLock(word, lock);
  const { found, by = 'upstream', troubles, minor } = await ask(word, makers, signal);
  if (found !== undefined) return { version: found, word: word.text, origin: by };
  if (troubles.length === 0) throw unreleased(word.text, minor);
  const known = newestKnownVersion(minor);
  if (known === undefined) throw unknown(word.text, minor, troubles);
  return {
    version: known,
    word: word.text,
    origin: 'last known',
    warning: withTroubles(
      `cannot find out which version Kubernetes ${word.text} is, so packer uses the newest one in its tables, ${known} (use --upstream-mirror to ask a mirror)`,
      troubles,
    ),
  };
}
