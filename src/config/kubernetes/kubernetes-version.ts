import semver from 'semver';
import { Failure } from '../../lib/failure.ts';

/** A full version of Kubernetes without `v`, such as `1.37.1` or `1.37.0-rc.0`. */
export type KubernetesVersion = string & { readonly grammar: 'kubernetes version' };

const VERSION = /^v?(1\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,3})(?:-(?:alpha|beta|rc)\.(?:0|[1-9]\d{0,2}))?)$/;

/** Returns the Kubernetes version of a tag such as `v1.37.1` or `1.37.1`, or undefined for any other text. */
export function toKubernetesVersion(text: string): KubernetesVersion | undefined {
  const version = VERSION.exec(text.trim())?.[1];
  return version === undefined ? undefined : (version as KubernetesVersion);
}

/** Returns a full Kubernetes version, written with or without `v`. Throws `KUBERNETES_VERSION_MALFORMED`. */
export function parseKubernetesVersion(text: string, about: string): KubernetesVersion {
  const version = toKubernetesVersion(text);
  if (version !== undefined) return version;
  throw new Failure({
    code: 'KUBERNETES_VERSION_MALFORMED',
    fault: 'usage',
    about,
    message: `"${text.slice(0, 100)}" is not a Kubernetes version`,
    hint: 'write all three numbers, such as 1.37.1; pre-releases such as 1.37.0-rc.0 are fine too',
  });
}

/** Returns the minor of a version: 37 for `1.37.1`. */
export function kubernetesMinor(version: KubernetesVersion): number {
  return semver.minor(version);
}
