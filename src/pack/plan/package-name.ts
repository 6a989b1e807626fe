import type { Architecture } from '../../config/kubernetes/architecture.ts';
import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { Failure } from '../../lib/failure.ts';

/** The ending of the name of a package that is not final, such as `beta` or `rc1`. */
export type BetaSuffix = string & { readonly grammar: 'beta suffix' };

const SUFFIX = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Returns the suffix of a package's name; undefined for an empty text and for `false`. `true` means `beta`: a checkbox
 * has these two values. Throws `BETA_MALFORMED`.
 */
export function parseBetaSuffix(text: string, about: string): BetaSuffix | undefined {
  const word = text.trim();
  if (word === '' || word === 'false') return undefined;
  const suffix = word === 'true' ? 'beta' : word;
  if (SUFFIX.test(suffix)) return suffix as BetaSuffix;
  throw new Failure({
    code: 'BETA_MALFORMED',
    fault: 'usage',
    about,
    message: `"${text.slice(0, 100)}" cannot be part of a file name`,
    hint: 'write letters and digits, such as beta or rc1; leave it empty for a final package',
  });
}

/** Returns the file name of a package: `kube-1.37.1-amd64.tar.gz`, or `kube-1.37.1-amd64-beta.tar.gz`. */
export function packageName(
  version: KubernetesVersion,
  arch: Architecture,
  beta: BetaSuffix | undefined,
): string {
  return `kube-${version}-${arch}${beta === undefined ? '' : `-${beta}`}.tar.gz`;
}
