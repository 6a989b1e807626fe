import type { HttpAnswer } from '../lib/http/http.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { pullScope, type Scope } from './auth/scope.ts';
import { LIST_LIMITS, type ReadList, readPages } from './list-pages.ts';
import type { Host, Repository } from './oci/reference.ts';
import { isRefusedQuestion, mayBeDeniedToUs } from './registry-failure.ts';
import { entriesOf, joinTagLists, parseCatalogue, parseTagList, type TagList } from './tag-list.ts';
import type { Exchange } from './transport.ts';

/** The parts of a registry client that listing needs. */
interface ListedRegistry {
  readonly host: Host;
  readonly endpoint: URL;
  url(path: string): URL;
  send(exchange: Exchange): Promise<HttpAnswer>;
  asMetadata<Result>(signal: AbortSignal, operation: () => Promise<Result>): Promise<Result>;
}

const PAGE_SIZE = 1000;

/** Returns the tags of a repository; with undefined, those at the root of a registry with Google's extension. */
export async function listTags(
  registry: ListedRegistry,
  repository: Repository | undefined,
  signal: AbortSignal,
): Promise<TagList> {
  const list = {
    path: repository === undefined ? '/v2/tags/list' : `/v2/${repository}/tags/list`,
    scopes: repository === undefined ? [] : [pullScope(repository)],
    about: repository === undefined ? registry.host : `${registry.host}/${repository}`,
    action: 'list its tags',
    signal,
  };
  const { pages, isCircular } = await readList(registry, list, parseTagList, entriesOf);
  const joined = joinTagLists(pages);
  if (isCircular && entriesOf(joined).length === 0) {
    const message = 'its list of tags has no end: each page links to another one and lists nothing';
    throw new HttpFailure({ code: 'REGISTRY_BROKEN', about: list.about, message });
  }
  return { ...joined, isCircular };
}

/**
 * Returns all repositories, from `_catalog`; undefined if the registry does not offer that. Throws `UNAUTHORIZED` or
 * `DENIED` if it does not offer it to us.
 */
export async function listRepositories(
  registry: ListedRegistry,
  signal: AbortSignal,
): Promise<Repository[] | undefined> {
  const scopes: Scope[] = ['registry:catalog:*'];
  const list = {
    path: '/v2/_catalog',
    scopes,
    about: registry.host,
    action: 'list its repositories',
    signal,
  };
  try {
    const { pages, isCircular } = await readList(registry, list, parseCatalogue, (page) => page);
    if (!isCircular) return [...new Set(pages.flat())];
  } catch (error) {
    if (isRefusedQuestion(error) && !mayBeDeniedToUs(error)) return undefined;
    throw error;
  }
  const message = 'its catalogue has no end: its pages link to pages that were already listed';
  throw new HttpFailure({ code: 'REGISTRY_BROKEN', about: registry.host, message });
}

async function readList<Page>(
  registry: ListedRegistry,
  list: Pick<Exchange, 'scopes' | 'about' | 'action' | 'signal'> & { readonly path: string },
  parse: (body: Buffer, about: string) => Page | Promise<Page>,
  namesOf: (page: Page) => readonly string[],
): Promise<ReadList<Page>> {
  const { path, ...exchange } = list;
  const { about, signal } = list;
  const pages = {
    first: await registry.asMetadata(signal, async () => registry.url(`${path}?n=${PAGE_SIZE}`)),
    about,
    limits: LIST_LIMITS,
    send: (url: URL) => registry.send({ ...exchange, method: 'GET', url, expected: [200] }),
    attempt: <Result>(operation: () => Promise<Result>) => registry.asMetadata(signal, operation),
    parse,
    entriesOf: namesOf,
  };
  return readPages(pages, registry.endpoint);
}
