import { type KubernetesVersion, toKubernetesVersion } from './kubernetes-version.ts';

/** What people write for a version of Kubernetes, in an image set or as a flag. `text` is what they wrote, in its usual form. */
export type KubernetesWord =
  /** One version, such as `1.38.0`. */
  | { readonly kind: 'version'; readonly text: string; readonly version: KubernetesVersion }
  /** The releases of a minor, such as `1.38`. */
  | { readonly kind: 'minor'; readonly text: string; readonly minor: number }
  /** `latest`: the newest stable release. `latest-1`: that of the minor before; `back` is the number of minors before. */
  | { readonly kind: 'latest'; readonly text: string; readonly back: number }
  /** The minors that upstream maintains. */
  | { readonly kind: 'supported'; readonly text: string };

/** All releases of a minor, or one version. */
export type KubernetesRelease = Extract<KubernetesWord, { kind: 'minor' | 'version' }>;

const MINOR = /^v?1\.(0|[1-9]\d{0,2})(?:\.[x*])?$/;
const LATEST = /^latest(?:-([1-9]\d?))?$/;

/** Returns the word for versions of Kubernetes that a text is; undefined for any other text. */
export function toKubernetesWord(text: string): KubernetesWord | undefined {
  const word = text.trim();
  const minor = MINOR.exec(word)?.[1];
  if (minor !== undefined) return { kind: 'minor', text: `1.${minor}`, minor: Number(minor) };
  const version = toKubernetesVersion(word);
  if (version !== undefined) return { kind: 'version', text: version, version };
  if (word === 'supported') return { kind: 'supported', text: word };
  const latest = LATEST.exec(word);
  return latest === null ? undefined : { kind: 'latest', text: word, back: Number(latest[1] ?? 0) };
}
