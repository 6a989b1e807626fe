import { Failure } from '../../lib/failure.ts';
import { kubeadmMinors } from './kubeadm-tags.ts';
import { type KubernetesVersion, kubernetesMinor, toKubernetesVersion } from './kubernetes-version.ts';

/** An entry of `kubernetes` in a set: all releases of a minor such as `1.37`, or one version such as `1.37.1`. */
export type KubernetesRelease =
  | { readonly kind: 'minor'; readonly text: string; readonly minor: number }
  | { readonly kind: 'version'; readonly text: string; readonly version: KubernetesVersion };

const MINOR = /^v?1\.(0|[1-9]\d{0,2})(?:\.[x*])?$/;

function malformed(message: string, hint: string): Failure<'KUBERNETES_VERSION_MALFORMED'> {
  return new Failure({
    code: 'KUBERNETES_VERSION_MALFORMED',
    fault: 'usage',
    about: 'kubernetes',
    message,
    hint,
  });
}

/** Returns a minor if the images of its kubeadm are known. Throws `KUBERNETES_VERSION_MALFORMED`. */
function provenMinor(minor: number): number {
  const { oldest, newest } = kubeadmMinors();
  if (minor >= oldest && minor <= newest) return minor;
  throw malformed(
    `what kubeadm 1.${minor} needs is not known here; known are 1.${oldest} to 1.${newest}`,
    minor > newest ? 'use a newer keel-pkg, or name the images in "names"' : 'name the images in "names"',
  );
}

/** Returns a minor or a full version, written with or without `v`. Throws `KUBERNETES_VERSION_MALFORMED`. */
export function parseKubernetesRelease(text: string): KubernetesRelease {
  const minor = MINOR.exec(text.trim())?.[1];
  if (minor !== undefined) return { kind: 'minor', text: `1.${minor}`, minor: provenMinor(Number(minor)) };
  const version = toKubernetesVersion(text);
  if (version === undefined) {
    throw malformed(
      `expected a version of Kubernetes, found ${JSON.stringify(text.slice(0, 100))}`,
      'write "1.37" for all releases of a minor, or "1.37.1" for one',
    );
  }
  provenMinor(kubernetesMinor(version));
  return { kind: 'version', text: version, version };
}
