import { withoutLogins } from '../../lib/text/hidden-secrets.ts';
import { withoutTrailing } from '../../lib/text/trailing.ts';

/** Longer than any address of an image. */
const LENGTH_LIMIT = 2000;

/** Pages of web sites that show an image, and the name under which it is pulled. */
const PAGES: readonly (readonly [page: RegExp, name: string])[] = [
  [/^hub\.docker\.com\/_\/([^/]+)(?:\/.*)?$/, 'docker.io/library/$1'],
  [/^hub\.docker\.com\/(?:r|layers)\/([^/]+\/[^/]+)(?:\/.*)?$/, 'docker.io/$1'],
  [/^hub\.docker\.com\/repository\/docker\/([^/]+\/[^/]+)(?:\/.*)?$/, 'docker.io/$1'],
  [/^quay\.io\/repository\/([^/]+\/[^/]+)(?:\/.*)?$/, 'quay.io/$1'],
  [
    /^github\.com\/(?:orgs\/)?([^/]+)\/(?:[^/]+\/)?(?:pkgs|packages)\/container\/(?:package\/)?([^/]+)(?:\/.*)?$/,
    'ghcr.io/$1/$2',
  ],
  [/^gallery\.ecr\.aws\/([^/]+\/.+)$/, 'public.ecr.aws/$1'],
  // Harbor names a project by a number here, so the image remains unknown.
  [/^([^/]+)\/harbor\/.*$/, '$1'],
  // Requests of the distribution protocol.
  [/^([^/]+)\/v2\/(.+)\/(?:tags\/list|manifests\/latest)$/, '$1/$2'],
  [/^([^/]+)\/v2\/(.+)\/manifests\/([^/:]+)$/, '$1/$2:$3'],
  [/^([^/]+)\/v[12](?:\/_catalog)?$/, '$1'],
];

/**
 * Returns the name that an address from a browser stands for: without scheme, login, query and slashes at the end, and
 * for a web page about an image the name of the image. Ordinary names are returned unchanged.
 */
export function pastedName(text: string): string {
  const name = addressOf(text);
  return nameOnPage(name) ?? name;
}

/** Returns the image that the web page at an address shows, with or without scheme; undefined for all else. */
export function pageOfImage(text: string): string | undefined {
  const name = nameOnPage(addressOf(text));
  return name?.includes('/') === true ? name : undefined;
}

function addressOf(text: string): string {
  const address = withoutLogins(text.slice(0, LENGTH_LIMIT).trim())
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/[?#].*$/s, '');
  const bare = withoutTrailing(address, '/');
  const slash = bare.includes('/') ? bare.indexOf('/') : bare.length;
  return `${bare.slice(0, slash).toLowerCase()}${bare.slice(slash)}`;
}

function nameOnPage(address: string): string | undefined {
  const page = PAGES.find(([form]) => form.test(address));
  return page === undefined ? undefined : address.replace(page[0], page[1]);
}
