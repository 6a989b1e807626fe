import { type HttpAnswer, readBody } from '../lib/http/http.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { followAddress } from '../lib/http/redirect.ts';
import { formatSize } from '../lib/text/size.ts';
import type { RegistryFailure } from './registry-failure.ts';

/** The limits for the length of a list. */
export interface ListLimits {
  readonly pages: number;
  /** Of all pages together. */
  readonly bytes: number;
  /** Whether pages beyond the limit are left out. If not, a longer list is refused. */
  readonly isCut?: boolean | undefined;
}

/** Some registries return at most 50 names on a page, and no repository is known to have more than 100,000 tags. */
export const LIST_LIMITS: ListLimits = {
  pages: 4000,
  // Google's lists have some 300 bytes for each tag.
  bytes: 64 * 1024 * 1024,
};

/**
 * Returns all pages of a list, parsed. It follows `Link` headers (distribution-spec, "Listing Tags") and stops at a
 * page that it has seen before. `send` requests one page. Throws `REGISTRY_BROKEN` if the list exceeds the limits, and
 * what `send` and `parse` throw.
 */
export async function readPages<Page>(
  list: { readonly first: URL; readonly about: string; readonly limits: ListLimits },
  endpoint: URL,
  send: (url: URL) => Promise<HttpAnswer>,
  parse: (body: Buffer, about: string) => Page,
): Promise<Page[]> {
  const { first, about, limits } = list;
  const pages: Page[] = [];
  const seen = new Set<string>();
  let bytesLeft = limits.bytes;
  let url: URL | undefined = first;
  while (url !== undefined && !seen.has(url.href)) {
    if (pages.length >= limits.pages && limits.isCut === true) return pages;
    if (pages.length >= limits.pages) throw endless(about, `has more than ${limits.pages} pages`);
    seen.add(url.href);
    const answer = await send(url);
    const body = await readBody(answer, bytesLeft);
    if (body === undefined) throw endless(about, `is larger than ${formatSize(limits.bytes)}`);
    bytesLeft -= body.length;
    pages.push(parse(body, about));
    const link = nextLink([answer.headers['link'] ?? ''].flat().join(', '));
    // registry.k8s.io redirects, so the next page is relative to the URL that answered.
    url = link === undefined ? undefined : followAddress(answer.url, link, endpoint);
  }
  return pages;
}

function endless(about: string, what: string): RegistryFailure {
  return new HttpFailure({
    code: 'REGISTRY_BROKEN',
    about,
    message: `its list ${what}`,
    hint: 'no real list is that long; name the images with their tags in "extras" if you have to mirror from there',
  });
}

/**
 * Returns the target of `rel="next"` in a Link header (RFC 8288), with or without quotes; undefined if there is none.
 */
function nextLink(header: string | undefined): string | undefined {
  for (const link of (header ?? '').slice(0, 16_384).split(/,(?=\s*<)/)) {
    const end = link.indexOf('>');
    const start = link.indexOf('<');
    if (start < 0 || end < start) continue;
    const parameters = link.slice(end + 1).split(';');
    const isNext = parameters.some((parameter) => /^\s*rel\s*=\s*"?next"?\s*$/i.test(parameter));
    if (isNext) return link.slice(start + 1, end);
  }
  return undefined;
}
