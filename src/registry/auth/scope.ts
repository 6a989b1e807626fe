import type { Repository } from '../oci/reference.ts';

/** What a token allows, such as `repository:library/nginx:pull` (distribution-spec token scopes). */
export type Scope = `repository:${Repository}:${'pull' | 'pull,push' | 'delete'}` | 'registry:catalog:*';

/** Returns the scope for reading a repository. */
export function pullScope(repository: Repository): Scope {
  return `repository:${repository}:pull`;
}

/** Returns the scope for writing to a repository. */
export function pushScope(repository: Repository): Scope {
  return `repository:${repository}:pull,push`;
}

/** Returns the scope for deleting from a repository. Few accounts have it. */
export function deleteScope(repository: Repository): Scope {
  return `repository:${repository}:delete`;
}

/** Returns the repository that a scope is about; undefined for one about the registry. */
export function repositoryOf(scope: string): string | undefined {
  const { resource } = split(scope);
  return resource.startsWith(REPOSITORY) ? resource.slice(REPOSITORY.length) : undefined;
}

const REPOSITORY = 'repository:';

/** Harbor's front refuses long addresses with 414. */
const NAMED_LIMIT = 1024;

/** Returns the scopes of a challenge that go beyond our own, each once, up to 1,024 characters of them. */
export function scopesBeyond(named: readonly string[], own: readonly string[]): string[] {
  const beyond = [...new Set(named)].filter((scope) => !isCovered(scope, own));
  let length = 0;
  return beyond.filter((scope) => {
    length += scope.length;
    return length <= NAMED_LIMIT;
  });
}

function isCovered(scope: string, own: readonly string[]): boolean {
  const { resource, actions } = split(scope);
  const held = own.map(split).flatMap((each) => (each.resource === resource ? each.actions : []));
  return actions.every((action) => held.includes(action));
}

/** Splits a scope before its actions. The name between may have a colon, because it may begin with a host and port. */
function split(scope: string): { readonly resource: string; readonly actions: readonly string[] } {
  const colon = scope.lastIndexOf(':');
  return { resource: scope.slice(0, Math.max(colon, 0)), actions: scope.slice(colon + 1).split(',') };
}
