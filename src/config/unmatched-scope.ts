import { nearestName } from '../lib/text/nearest.ts';
import type { Notice } from './problem.ts';
import { formatScope, lengthOfScope, type PolicyScope, type WrittenScope } from './signature-policy.ts';

/** An image that is wanted. */
interface ScopedImage {
  readonly host: string;
  readonly repository: string;
  /** All of its tags, wanted or not; undefined if they could not be listed. */
  readonly tags: ReadonlySet<string> | undefined;
}

/**
 * Returns a notice for each scope that matches none of the images, with the nearest scope that does. A registry or path
 * without wanted images may be meant for later: it has a notice only if the registry is used, or the name is nearly right.
 */
export function unmatchedScopes(scopes: readonly WrittenScope[], images: readonly ScopedImage[]): Notice[] {
  return scopes.flatMap(({ map, scope, place }): Notice[] => {
    const found = misfitOf(scope, images);
    if (found === undefined) return [];
    const { tag } = scope;
    const name = tag === undefined ? formatScope(scope) : `${formatScope(scope)}:${tag}`;
    const advice =
      found.nearest === undefined ? 'correct or remove it' : `did you mean ${JSON.stringify(found.nearest)}?`;
    return [{ place, message: `"${name}" under "${map}" matches no wanted image; ${advice}` }];
  });
}

/** Returns what a scope without a matching image may mean; undefined if it matches one, or may be meant for later. */
function misfitOf(
  scope: WrittenScope['scope'],
  images: readonly ScopedImage[],
): { readonly nearest: string | undefined } | undefined {
  const { host, tag } = scope;
  const below = images.filter((image) => lengthOfScope(scope, image) !== undefined);
  const named = tag === undefined ? below : below.filter((image) => isWhole(scope, image));
  if (named.some(({ tags }) => tag === undefined || tags?.has(tag) !== false)) return undefined;
  const [first] = named;
  if (tag !== undefined && first !== undefined) {
    const near = nearestName(tag, new Set(named.flatMap(({ tags }) => [...(tags ?? [])])));
    return { nearest: near && `${formatScope(scope)}:${near}` };
  }
  const near = nearestName(formatScope(scope), new Set(images.flatMap((image) => namesOf(scope, image))));
  if (tag === undefined && near === undefined && !images.some((image) => image.host === host))
    return undefined;
  return { nearest: near && tag !== undefined ? `${near}:${tag}` : near };
}

function isWhole(scope: PolicyScope, image: ScopedImage): boolean {
  return lengthOfScope(scope, image) === image.repository.length;
}

/** Returns the names of an image that a scope may mean: its repository, and each path above it. */
function namesOf({ path, tag }: WrittenScope['scope'], { host, repository }: ScopedImage): string[] {
  if (path === undefined) return [host];
  const parts = repository.split('/');
  const ends = tag === undefined ? parts.map((_, index) => index + 1) : [parts.length];
  return ends.map((end) => `${host}/${parts.slice(0, end).join('/')}`);
}
