import { type HttpAnswer, readBody } from '../lib/http.ts';
import { followAddress } from './endpoint.ts';
import { RegistryFailure } from './registry-failure.ts';
import { nextLink } from './tag-list.ts';

const PAGE_SIZE = 1000;
/** Some registries give no more than 50 names a page; 100,000 tags are the most that any repository is known to have. */
const PAGE_LIMIT = 4000;
/** All pages together. Google's listing has some 300 bytes a tag. */
const BYTES_LIMIT = 64 * 1024 * 1024;

/**
 * Reads all pages of a list, each parsed at once, following `Link` (distribution-spec, "Listing Tags"). `send` asks for
 * one. Throws `REGISTRY_BROKEN` for a list without end; a page that comes again ends it.
 */
export async function readPages<Page>(
  list: { readonly path: string; readonly endpoint: URL; readonly about: string },
  send: (url: URL) => Promise<HttpAnswer>,
  parse: (body: Buffer, about: string) => Page,
): Promise<Page[]> {
  const { path, endpoint, about } = list;
  const pages: Page[] = [];
  const seen = new Set<string>();
  let bytesLeft = BYTES_LIMIT;
  let url: URL | undefined = new URL(`${path}?n=${PAGE_SIZE}`, endpoint);
  while (url !== undefined && !seen.has(url.href)) {
    if (pages.length >= PAGE_LIMIT) throw endless(about, `has more than ${PAGE_LIMIT} pages`);
    seen.add(url.href);
    const answer = await send(url);
    const body = await readBody(answer, bytesLeft);
    if (body === undefined) throw endless(about, 'is larger than 64 MiB');
    bytesLeft -= body.length;
    pages.push(parse(body, about));
    const link = nextLink([answer.headers['link'] ?? ''].flat().join(', '));
    // registry.k8s.io redirects; the next page is relative to where this one really came from.
    url = link === undefined ? undefined : followAddress(answer.url, link, endpoint);
  }
  return pages;
}

function endless(about: string, what: string): RegistryFailure {
  return new RegistryFailure({
    code: 'REGISTRY_BROKEN',
    about,
    message: `its list ${what}`,
    hint: 'no real list is that long; name the images with their tags in "extras" if you have to mirror from there',
  });
}
