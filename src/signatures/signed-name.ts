import { KUBERNETES_REGISTRY, OLD_KUBERNETES_REGISTRY } from '../config/image-set-name.ts';
import type { PolicyScope } from '../config/signature-policy.ts';
import { Failure } from '../lib/failure.ts';
import { type Host, parseReference, type Repository } from '../registry/oci/reference.ts';

/** Where the promoter of Kubernetes pushed what registry.k8s.io serves, and signed it under that name until 2023. */
const PROMOTED =
  /^(?:[a-z0-9-]+-docker\.pkg\.dev\/k8s-artifacts-prod\/images|(?:(?:us|eu|asia)\.)?gcr\.io\/k8s-artifacts-prod)$/;

/** A repository of some registry. */
export interface RepositoryName {
  readonly host: Host;
  readonly repository: Repository;
}

/** Returns the name that an image should have been signed under, where those of a scope were signed as another one. */
export function nameWhenSigned(
  { host, repository }: RepositoryName,
  scope: PolicyScope,
  signedAs: PolicyScope | undefined,
): string {
  if (signedAs === undefined) return `${host}/${repository}`;
  const below = scope.path === undefined ? `/${repository}` : repository.slice(scope.path.length);
  return `${signedAs.host}${signedAs.path === undefined ? '' : `/${signedAs.path}`}${below}`;
}

/** Returns whether the name in a signature, with or without tag and digest, is that of a repository. */
export function isNameOf(signed: string, wanted: string): boolean {
  try {
    const { host, repository } = parseReference(signed);
    return current(`${host}/${repository}`) === wanted;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

function current(name: string): string {
  for (const [index, character] of [...name].entries()) {
    if (character !== '/') continue;
    const place = name.slice(0, index);
    if (place === OLD_KUBERNETES_REGISTRY || PROMOTED.test(place)) {
      return `${KUBERNETES_REGISTRY}${name.slice(index)}`;
    }
  }
  return name;
}
