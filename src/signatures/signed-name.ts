import { KUBERNETES_REGISTRY, OLD_KUBERNETES_REGISTRY } from '../config/image-set-name.ts';
import type { PolicyScope } from '../config/signature-policy.ts';
import { Failure } from '../lib/failure.ts';
import type { Digest } from '../registry/oci/digest.ts';
import {
  DOCKER_HUB,
  type Host,
  parseReference,
  type Reference,
  type Repository,
  startsWithHost,
} from '../registry/oci/reference.ts';
import { referenceOfPurl } from './image-purl.ts';

/** Where the promoter of Kubernetes pushed the images of registry.k8s.io. It signed them under these names until 2023. */
const PROMOTED =
  /^(?:[a-z0-9-]+-docker\.pkg\.dev\/k8s-artifacts-prod\/images|(?:(?:us|eu|asia)\.)?gcr\.io\/k8s-artifacts-prod)$/;

/** A repository of some registry. */
export interface RepositoryName {
  readonly host: Host;
  readonly repository: Repository;
}

/** The names of its image in a signature. */
export interface SignedNames {
  /** Each list names the image anew; one of its names must be the image's. */
  readonly claims: readonly (readonly string[])[];
  /** The tags under which the image was released; undefined if the statement lists none. */
  readonly tags?: Tags;
}

/** How the names in a signature compare with those of an image. */
type NameComparison =
  /** It is for the image under these tags; under any tag if undefined. */
  | { readonly kind: 'same'; readonly tags: Tags }
  /** It names no image at all; `text` is what it names instead, or empty. */
  | { readonly kind: 'unnamed'; readonly text: string; readonly tags: Tags }
  | { readonly kind: 'other'; readonly signedAs: string };

/** Returns the name under which an image should be signed, if the images of its scope are signed under another name. */
export function nameWhenSigned(
  { host, repository }: RepositoryName,
  scope: PolicyScope,
  signedAs: PolicyScope | undefined,
): string {
  if (signedAs === undefined) return current(`${host}/${repository}`);
  const path = [signedAs.path ?? '', below(scope.path, repository)].filter((part) => part !== '').join('/');
  const isOfficial = signedAs.host === DOCKER_HUB && !path.includes('/');
  return current(`${signedAs.host}/${isOfficial ? 'library/' : ''}${path}`);
}

/** Returns what follows the path of a scope in a repository of it; nothing follows `busybox` in library/busybox. */
function below(path: string | undefined, repository: Repository): string {
  if (path === undefined) return repository;
  return repository.startsWith(`${path}/`) ? repository.slice(path.length + 1) : '';
}

/** Compares the names in a signature with `name`, a registry and a repository, and the digest that it signs. */
export function compareNames(signed: SignedNames, name: string, digest: Digest): NameComparison {
  const read = signed.claims.map((texts) => texts.flatMap((text) => readName(text, name) ?? []));
  const named = read.filter(({ length }) => length > 0);
  let tags = signed.tags;
  for (const claim of named) {
    const same = claim.filter((one) => one.name === name && (one.digest ?? digest) === digest);
    if (same.length === 0) return { kind: 'other', signedAs: claim[0]?.text ?? '' };
    tags = common(tags, tagsOf(same));
  }
  if (named.length > 0) return { kind: 'same', tags };
  return { kind: 'unnamed', text: signed.claims.flat()[0] ?? '', tags };
}

type Tags = readonly string[] | undefined;

/** A name without a tag is for all tags. */
function tagsOf(names: readonly ReadName[]): Tags {
  const tags = names.flatMap(({ tag }) => tag ?? []);
  return tags.length < names.length ? undefined : tags;
}

function common(one: Tags, other: Tags): Tags {
  if (one === undefined || other === undefined) return one ?? other;
  const known = new Set(other);
  return one.filter((each) => known.has(each));
}

interface ReadName extends Pick<Reference, 'tag' | 'digest'> {
  readonly text: string;
  /** The registry and the repository. */
  readonly name: string;
}

const LENGTH_LIMIT = 1000;

/** Statements name files too, and a name without a registry may be either. */
function isLikeFile(name: string): boolean {
  return name.slice(name.lastIndexOf('/') + 1).includes('.');
}

/** Returns the image that a text names; undefined if it names none. */
function readName(text: string, wanted: string): ReadName | undefined {
  const reference = /^pkg:/i.test(text)
    ? referenceOfPurl(text)
    : text.replace(/^(?:oci|docker|https?):\/\//i, '');
  if (reference === undefined || reference.length > LENGTH_LIMIT) return undefined;
  const at = reference.indexOf('@');
  const tagged = at < 0 ? reference : reference.slice(0, at);
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  const end = colon < 0 ? tagged.length : colon;
  try {
    // No repository has capitals, but GitHub writes those of its owners.
    const lower = reference.slice(0, end).toLowerCase();
    const { host, repository, tag, digest } = parseReference(`${lower}${reference.slice(end)}`);
    const name = current(`${host}/${repository}`);
    if (name !== wanted && !startsWithHost(lower) && isLikeFile(lower)) return undefined;
    return { text, name, tag, digest };
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Returns the name under which Kubernetes publishes what it once pushed, or still pushes, elsewhere. */
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
