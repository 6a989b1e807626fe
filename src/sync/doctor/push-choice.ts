import { isConnectionFailure } from '../../lib/http/http-failure.ts';
import { formatCount, joinWords } from '../../lib/text/sentence.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';

/** The most repositories that are tried, with the first one. */
export const MOST_TRIED = 20;
const PATHS_NAMED = 3;

/** The wanted repositories to which a push is tested. */
interface PushChoice {
  readonly tried: readonly Repository[];
  /** All wanted repositories, the most useful to test first. */
  readonly ranked: readonly Repository[];
  /** Which were tried and how many were not, as the end of a sentence. */
  readonly words: string;
}

/** Whether a repository is there by its list of tags. A repository that may not be listed may still be there. */
type Presence = 'there' | 'new' | 'unlisted';

interface KnownRepository {
  readonly repository: Repository;
  readonly presence: Presence;
}

/**
 * Chooses up to 20 repositories: those that are there, and of the others one below each path, because some registries
 * create a repository as soon as a token to push to it is requested. `first`, which was tried before, is always chosen,
 * and stands for the others below its path. Throws the first failure that is not an answer.
 */
export async function choosePushes(
  target: Registry,
  first: Repository,
  wanted: readonly Repository[],
  signal: AbortSignal,
): Promise<PushChoice> {
  const repositories = [...new Set([first, ...wanted])];
  const { scheme } = await target.aboutLogin(first);
  const known = await untilSilent(repositories, signal, async (repository, until) => {
    // Our own token to push to the first may have created it.
    const isMade = scheme === 'bearer' && repository === first;
    return { repository, presence: await presenceOf(target, repository, isMade, until) };
  });
  const tried = choose(known);
  const words = describeChoice(tried, known, `${target.host}/`);
  const ranked = [...new Set([...tried, ...known])].map(({ repository }) => repository);
  return { tried: ranked.slice(0, tried.length), ranked, words };
}

/** Returns the first, those that are there, and one of the others below each path. */
function choose(known: readonly KnownRepository[]): readonly KnownRepository[] {
  const byPath = new Map<string, KnownRepository>();
  for (const each of known) {
    const path = pathOf(each.repository);
    if (each.presence !== 'there' && !byPath.has(path)) byPath.set(path, each);
  }
  const chosen = [...known.filter(({ presence }) => presence === 'there'), ...byPath.values()];
  const [first] = known;
  return [...new Set([...(first === undefined ? [] : [first]), ...chosen])].slice(0, MOST_TRIED);
}

function describeChoice(
  tried: readonly KnownRepository[],
  known: readonly KnownRepository[],
  root: string,
): string {
  const isThere = ({ presence }: KnownRepository) => presence === 'there';
  const there = known.filter(isThere).length;
  const triedThere = tried.filter(isThere).length;
  const others = tried.filter((each) => !isThere(each));
  const kind = others.every(({ presence }) => presence === 'new') ? 'a new' : 'an unlisted';
  const noun = there === 0 ? 'repository' : 'one';
  const paths = others.map(({ repository }) => pathOf(repository) || root);
  const below = paths.length > PATHS_NAMED ? `${paths.length} paths` : joinWords(paths);
  const parts = [
    ...(triedThere === 0 ? [] : [thoseThere(triedThere, there)]),
    ...(others.length === 0
      ? []
      : [`to ${kind} ${noun} below ${others.length > 1 ? 'each of ' : ''}${below}`]),
  ];
  const rest = known.length - tried.length;
  return `${parts.join(', and ')}${rest === 0 ? '' : `; ${formatCount(rest)} more ${rest === 1 ? 'was' : 'were'} not tested`}`;
}

function thoseThere(tried: number, there: number): string {
  if (there === 1) return 'to the existing repository';
  return `to ${tried === there ? '' : `${tried} of `}the ${formatCount(there)} existing repositories`;
}

/** Returns the path that a repository is below, such as `mirror/`; an empty one for a name without a slash. */
function pathOf(repository: Repository): string {
  return repository.slice(0, repository.lastIndexOf('/') + 1);
}

/** Asks with a scope to pull. With `isMade`, our own token may have created it, so an empty repository is `new`. */
async function presenceOf(
  target: Registry,
  repository: Repository,
  isMade: boolean,
  signal: AbortSignal,
): Promise<Presence> {
  try {
    const { tags } = await target.listTags(repository, signal);
    return isMade && tags.length === 0 ? 'new' : 'there';
  } catch (error) {
    signal.throwIfAborted();
    if (isConnectionFailure(error)) throw error;
    return isNotFound(error) ? 'new' : 'unlisted';
  }
}

/** Returns the results of all. The first failure stops the work on the others, and is thrown once that has ended. */
export async function untilSilent<Item, Result>(
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item, until: AbortSignal) => Result | Promise<Result>,
): Promise<Result[]> {
  const end = new AbortController();
  const until = AbortSignal.any([signal, end.signal]);
  const settled = await Promise.allSettled(
    items.map(async (item) => {
      try {
        return await work(item, until);
      } catch (error) {
        end.abort(error);
        throw error;
      }
    }),
  );
  until.throwIfAborted();
  return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}
