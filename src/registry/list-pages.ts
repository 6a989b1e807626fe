import { type HttpAnswer, readBody } from '../lib/http/http.ts';
import { HttpFailure, isAnswerFailure } from '../lib/http/http-failure.ts';
import { followAddress } from '../lib/http/redirect.ts';
import { formatSize } from '../lib/text/size.ts';
import { digestOfMany } from './oci/digest.ts';
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

/** A list that a registry returns in pages. */
interface PagedList<Page> {
  readonly first: URL;
  readonly about: string;
  readonly limits: ListLimits;
  /** Requests one page. */
  readonly send: (url: URL) => Promise<HttpAnswer>;
  readonly parse: (body: Buffer, about: string) => Page | Promise<Page>;
  /** Returns the names on a page. */
  readonly entriesOf: (page: Page) => readonly string[];
  /** Runs the request for one page and the reading of its answer, with the attempts of one request. */
  readonly attempt: <Result>(operation: () => Promise<Result>) => Promise<Result>;
}

/** All pages of a list. */
export interface ReadList<Page> {
  readonly pages: readonly Page[];
  /** Whether its end was never reached, because its pages link back to earlier ones. */
  readonly isCircular: boolean;
}

/** Some registries leave out what an account may not see, so a page can be empty although the next one is not. */
const EMPTY_PAGES_LIMIT = 10;
/** A list whose pages have fewer new names on average, beyond its first pages with names, is built to have no end. */
const FEWEST_NEW = 10;
/** Lists with one name on a page, or with names that were listed before, are rare and end before that. */
const PAGES_NOT_COUNTED = 1000;

/**
 * Returns all pages of a list, parsed. It follows `Link` headers (distribution-spec, "Listing Tags") until there is
 * none, or until a page is the same as an earlier one. If the registry refuses `n`, the number of entries a page, it asks
 * without.
 * Throws `REGISTRY_BROKEN` if the list exceeds the limits or hardly grows, `LIST_INCOMPLETE` if a page after the first
 * is refused, and what `send` and `parse` throw.
 */
export async function readPages<Page>(list: PagedList<Page>, endpoint: URL): Promise<ReadList<Page>> {
  const { first, about, limits, entriesOf } = list;
  const pages: Page[] = [];
  const seen = new Set<string>();
  const known = new Set<string>();
  const names = new Set<string>();
  let bytesLeft = limits.bytes;
  let empty = 0;
  let filled = 0;
  let url: URL | undefined = first;
  while (url !== undefined) {
    if (seen.has(url.href)) return { pages, isCircular: true };
    if (pages.length >= limits.pages && limits.isCut === true) break;
    if (pages.length >= limits.pages) throw endless(about, `has more than ${limits.pages} pages`);
    seen.add(url.href);
    const read: PageRead<Page> = await readPage(list, url, endpoint, pages.length + 1, bytesLeft);
    bytesLeft -= read.bytes;
    pages.push(read.page);
    url = read.next;
    if (url === undefined) break;
    const entries = entriesOf(read.page);
    empty = entries.length === 0 ? empty + 1 : 0;
    const isStale = empty === 0 ? known.has(read.fingerprint) : empty > EMPTY_PAGES_LIMIT;
    if (isStale) return { pages, isCircular: true };
    known.add(read.fingerprint);
    // More names than that are enough for all pages.
    for (const name of entries) if (names.size < FEWEST_NEW * limits.pages) names.add(name);
    if (entries.length > 0) filled += 1;
    if (names.size < FEWEST_NEW * (filled - PAGES_NOT_COUNTED))
      throw endless(
        about,
        `does not end after ${pages.length} pages, with ${names.size} names on all of them`,
      );
  }
  return { pages, isCircular: false };
}

interface PageRead<Page> {
  readonly page: Page;
  /** The digest of its body: the names on all pages can be millions. */
  readonly fingerprint: string;
  readonly bytes: number;
  readonly next: URL | undefined;
}

async function readPage<Page>(
  { about, limits, send, parse, attempt }: PagedList<Page>,
  url: URL,
  endpoint: URL,
  number: number,
  bytesLeft: number,
): Promise<PageRead<Page>> {
  const read = async (from: URL): Promise<PageRead<Page>> => {
    const answer = await send(from);
    const body = await readBody(answer, bytesLeft);
    if (body === undefined) throw endless(about, `is larger than ${formatSize(limits.bytes)}`);
    const link = nextLink([answer.headers['link'] ?? ''].flat().join(', '));
    // registry.k8s.io redirects, so the next page is relative to the URL that answered.
    const next = link === undefined ? undefined : followAddress(answer.url, link, endpoint);
    const page = await parse(body, about);
    return { page, fingerprint: await digestOfMany(body), bytes: body.length, next };
  };
  try {
    return await attempt(() => read(url));
  } catch (error) {
    if (number > 1) throw explainLaterPage(error, about, number);
    if (!url.searchParams.has('n') || !mayRefuseSize(error)) throw error;
    const whole = new URL(url);
    whole.searchParams.delete('n');
    return attempt(() => read(whole));
  }
}

/** Statuses that mean the same for a request with and without `n`. */
const NOT_ABOUT_SIZE: ReadonlySet<number> = new Set([401, 403, 404, 410]);

function mayRefuseSize(error: unknown): boolean {
  if (!isAnswerFailure(error) || error.transient || error.status === undefined) return false;
  const isClear = (error.status >= 400 && error.status < 500) || error.status === 501;
  return isClear && !NOT_ABOUT_SIZE.has(error.status);
}

/** The first page came, so the refusal of another one does not mean that there is no such list. */
function explainLaterPage(error: unknown, about: string, number: number): unknown {
  if (!isAnswerFailure(error) || error.transient || error.status === undefined) return error;
  return new HttpFailure({
    code: 'LIST_INCOMPLETE',
    about,
    message: `page ${number} of its list is refused, although the pages before it were not: ${error.message}`,
    hint: error.hint,
    cause: error,
  });
}

function endless(about: string, what: string): RegistryFailure {
  return new HttpFailure({
    code: 'REGISTRY_BROKEN',
    about,
    message: `its list ${what}`,
    hint: 'no real list is that long; name the images with their tags in "extras" if you need images from there',
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
