import type { ImageSet } from '../../config/image-set.ts';
import { describeFailure, Failure } from '../../lib/failure.ts';
import { countOf } from '../../lib/text/sentence.ts';
import { orStranger } from '../../registry/likeness.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Host, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { FoundRepository } from '../plan/discovery.ts';
import { isNothing } from '../report/run-outcome.ts';
import { repeatedly } from '../run/preflight.ts';
import { type OfferedTag, pinFor, selectTags } from '../select/selection.ts';
import type { Shard } from '../shard.ts';
import { doubtful, type Finding, fine } from './diagnosis.ts';

/** What a source answered about one wanted repository. */
type SourceAnswer = {
  /** `host/repository`. */
  readonly name: string;
} /** `tags` is the number of wanted ones. */ & (
  | { readonly kind: 'listed'; readonly tags: number; readonly hasDigests: boolean }
  /** It has tags that are wanted, and none of them was uploaded since the day that the image set asks for. */
  | { readonly kind: 'quiet' }
  /** All tags that the image set names are there. */
  | { readonly kind: 'named'; readonly tags: number }
  /** There is no such repository, or none of its tags is wanted. */
  | { readonly kind: 'unmatched'; readonly why: string }
  /** A run could not mirror it. */
  | { readonly kind: 'refused'; readonly failure: unknown }
);

interface Asking {
  readonly set: ImageSet;
  readonly signal: AbortSignal;
  /** Called after each answer. */
  readonly onAnswer: (done: number, total: number) => void;
}

/**
 * Asks for each wanted repository what a run asks first: its tags, and the manifest of the newest wanted one; or the
 * manifests of all tags that the image set names. Returns the answers in the order of `found`.
 */
export async function askSources(
  found: readonly FoundRepository[],
  { set, signal, onAnswer }: Asking,
): Promise<readonly SourceAnswer[]> {
  const reached = new Map<Host, Promise<unknown>>();
  const reach = (registry: Registry): Promise<unknown> => {
    const known = reached.get(registry.host) ?? repeatedly(registry, signal, () => registry.ping());
    reached.set(registry.host, known);
    return known;
  };
  let done = 0;
  return await Promise.all(
    found.map(async (repository): Promise<SourceAnswer> => {
      const name = `${repository.registry.host}/${repository.repository}`;
      try {
        await reach(repository.registry);
        return await ask(repository, name, set, signal);
      } catch (failure) {
        signal.throwIfAborted();
        return { name, kind: 'refused', failure };
      } finally {
        done += 1;
        onAnswer(done, found.length);
      }
    }),
  );
}

async function ask(
  found: FoundRepository,
  name: string,
  set: ImageSet,
  signal: AbortSignal,
): Promise<SourceAnswer> {
  const { namedTags } = found;
  if (namedTags !== undefined) {
    const named = namedTags.map((tag) => pinFor(set, found.name, tag)?.digest ?? tag);
    await Promise.all(named.map((tag) => requireManifest(found, tag, signal)));
    return { name, kind: 'named', tags: namedTags.length };
  }
  const listing = await found.list();
  if (listing === undefined && found.registry.likeness.oddity !== undefined) throw unknownThere(found, name);
  if (listing === undefined) return { name, kind: 'unmatched', why: 'does not exist' };
  const { tags, manifests } = listing;
  const offered = [...new Set([...tags, ...manifests.keys()])].map(
    (tag): OfferedTag => ({ tag, uploaded: manifests.get(tag)?.uploaded }),
  );
  const { tags: wanted, emptied } = selectTags(set, found.name, offered);
  const [newest] = wanted;
  if (emptied === 'since') return { name, kind: 'quiet' };
  if (newest === undefined) {
    const why =
      offered.length === 0 ? 'has no tags' : `has ${countOf(offered.length, 'tag')}, none of them selected`;
    return { name, kind: 'unmatched', why };
  }
  // Some registries let everyone list, but only some accounts pull.
  await requireManifest(found, newest, signal);
  return { name, kind: 'listed', tags: wanted.length, hasDigests: manifests.size > 0 };
}

/** If a host does not look like a registry, an absent repository means that it is not a registry. */
function unknownThere({ registry }: FoundRepository, about: string): unknown {
  return orStranger(registry, new Failure({ code: 'NOT_FOUND', about, message: 'it does not exist there' }));
}

async function requireManifest(
  { registry, repository }: FoundRepository,
  tag: Tag | Digest,
  signal: AbortSignal,
): Promise<void> {
  const found = await registry.findManifest(repository, tag, signal);
  if (found !== undefined) return;
  throw new Failure({
    code: 'NOT_FOUND',
    about: registry.nameOf(repository, tag),
    message: 'it does not exist at the source',
    hint: 'check its name and tag',
  });
}

/** Returns whether a run that gets these answers matches nothing at all, by its own rule. */
export function isNothingFound(answers: readonly SourceAnswer[], shard: Shard | undefined): boolean {
  const of = (kind: SourceAnswer['kind']) => answers.filter((answer) => answer.kind === kind);
  return isNothing({
    totals: { total: answers.length - of('unmatched').length - of('quiet').length },
    // If a prefix finds nothing, there is no answer.
    unmatched: answers.length === 0 ? ['the whole set'] : of('unmatched'),
    unselected: of('quiet').map(() => ({ emptied: 'since' })),
    shards: shard === undefined ? [] : [shard],
  });
}

const NAMED = 3;

/**
 * Returns what the answers mean for a run: `partial` if some images could not be mirrored, and a warning if lines of
 * the image set match nothing. `from` is who answered, in words.
 */
export function judgeSources(answers: readonly SourceAnswer[], from: string): Finding {
  const refused = answers.flatMap((answer) => (answer.kind === 'refused' ? [answer] : []));
  if (refused.length > 0) {
    const reasons = [...new Set(refused.map(({ failure }) => describeFailure(failure)))];
    const which =
      answers.length === 1 ? 'the one image' : `${refused.length} of the ${answers.length} images`;
    const message = `${which} from ${from} cannot be mirrored`;
    return { outcome: 'partial', message, hint: shorten(reasons, '; ') };
  }
  const unmatched = answers.flatMap((answer) =>
    answer.kind === 'unmatched' ? [`${answer.name} ${answer.why}`] : [],
  );
  if (unmatched.length > 0)
    return doubtful(shorten(unmatched, ', '), 'correct or remove it in the image set');
  return fine(describeTags(answers));
}

function shorten(texts: readonly string[], between: string): string {
  const rest = texts.length - NAMED;
  return [...texts.slice(0, NAMED), ...(rest > 0 ? [`${rest} more`] : [])].join(between);
}

function describeTags(answers: readonly SourceAnswer[]): string {
  const listed = answers.flatMap((answer) => (answer.kind === 'listed' ? [answer] : []));
  const named = answers.reduce((sum, answer) => sum + (answer.kind === 'named' ? answer.tags : 0), 0);
  const quiet = answers.filter(({ kind }) => kind === 'quiet').length;
  const names = `${countOf(named, 'named tag exists', 'named tags exist')}`;
  return [
    ...describeLists(listed),
    ...(named === 0 ? [] : [names]),
    ...(quiet === 0
      ? []
      : [`${countOf(quiet, 'repository has', 'repositories have')} no tag newer than the day in "since"`]),
  ].join('; ');
}

type ListedAnswer = Extract<SourceAnswer, { readonly kind: 'listed' }>;

function describeLists(listed: readonly ListedAnswer[]): string[] {
  const [first, ...others] = listed;
  if (first === undefined) return [];
  const subject = others.length === 0 ? `${first.name} lists` : `${listed.length} repositories list`;
  const tags = listed.reduce((sum, answer) => sum + answer.tags, 0);
  return [`${subject} ${countOf(tags, 'selected tag')}${describeDigests(listed)}`];
}

function describeDigests(listed: readonly ListedAnswer[]): string {
  const bare = listed.filter(({ hasDigests }) => !hasDigests).length;
  if (bare === 0) return ' with their digests';
  if (bare === listed.length) return ' without digests, so each run requests the digest of each';
  return `, ${bare} of them without digests, so each run requests the digest of each of their tags`;
}
