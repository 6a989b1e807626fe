import { describeFailure, failureCode } from '../../lib/failure.ts';
import { countOf, joinWords } from '../../lib/text/sentence.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';

/** An image that a mirror shows with a login. */
export interface SeenTag {
  readonly repository: Repository;
  readonly tag: Tag;
  readonly digest: Digest;
}

/** Whether machines can pull from a mirror without a login. */
export interface AnonymousPull {
  readonly verdict: 'yes' | 'no' | 'unknown';
  /** Why, unless the verdict is `yes`. */
  readonly message: string;
  /** How many images were requested. */
  readonly requested: number;
  /** The repositories that the mirror does not show without a login. */
  readonly refused: readonly Repository[];
}

/** What a mirror answers about one image without a login; for `unknown`, why. */
type Answer =
  | { readonly kind: 'shown' | 'hidden' | 'other' }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * Asks a mirror for images without a login, and returns whether it shows all of them. `anonymous` is the mirror without
 * a login, with its own connections and tokens.
 */
export async function askWithoutLogin(
  seen: readonly SeenTag[],
  anonymous: Registry,
  signal: AbortSignal,
): Promise<AnonymousPull> {
  const requested = seen.length;
  if (requested === 0) {
    return {
      verdict: 'unknown',
      message: 'it has none of the images, so that none could be requested',
      requested,
      refused: [],
    };
  }
  const answers = await Promise.all(
    seen.map(async (image) => ({ image, answer: await ask(image, anonymous, signal) })),
  );
  const of = (kind: Answer['kind']): Repository[] => [
    ...new Set(answers.flatMap(({ image, answer }) => (answer.kind === kind ? [image.repository] : []))),
  ];
  const [refused, others] = [of('hidden'), of('other')];
  if (refused.length > 0) {
    const isAll = refused.length === new Set(seen.map(({ repository }) => repository)).size;
    const what = isAll ? 'all of them' : namesOf(refused);
    return {
      verdict: 'no',
      message: `${anonymous.host} refuses ${what} without a login`,
      requested,
      refused,
    };
  }
  if (others.length > 0) {
    const message = `without a login, ${anonymous.host} has other images under the tags of ${namesOf(others)}`;
    return { verdict: 'no', message, requested, refused: others };
  }
  const unknown = answers.flatMap(({ answer }) => (answer.kind === 'unknown' ? [answer.why] : []));
  const [why] = unknown;
  return why === undefined
    ? { verdict: 'yes', message: '', requested, refused: [] }
    : { verdict: 'unknown', message: why, requested, refused: [] };
}

/** Requests the tag, as a machine does. Many registries answer that an image does not exist if we may not see it. */
async function ask(
  { repository, tag, digest }: SeenTag,
  anonymous: Registry,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const found = await anonymous.findManifest(repository, tag, signal);
    if (found === undefined) return { kind: 'hidden' };
    return { kind: found.digest === digest ? 'shown' : 'other' };
  } catch (error) {
    signal.throwIfAborted();
    const code = failureCode(error);
    if (code === 'UNAUTHORIZED' || code === 'DENIED' || code === 'NOT_FOUND') return { kind: 'hidden' };
    return { kind: 'unknown', why: describeFailure(error) };
  }
}

const NAMED = 3;

function namesOf(repositories: readonly Repository[]): string {
  const more = repositories.length - NAMED;
  const named = more > 0 ? repositories.slice(0, NAMED) : repositories;
  return joinWords(more > 0 ? [...named, `${countOf(more, 'other')}`] : [...named]);
}
