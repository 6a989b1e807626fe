import { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { describeFailure } from '../../lib/failure.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { countOf } from '../../lib/text/sentence.ts';
import { cancelUpload, openUpload } from '../../registry/blob/blob-upload.ts';
import { orStranger } from '../../registry/likeness.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { repeatedly } from '../run/preflight.ts';
import { type Finding, fine } from './diagnosis.ts';

/** The most repositories that are tried. Where repositories have to be made one by one, that is enough to tell so. */
const MOST_TRIED = 100;
const REASONS_NAMED = 3;

/**
 * Opens an upload and cancels it, which proves the permission to push to a repository without sending content. Throws the
 * reason why it may not be pushed to.
 */
export async function provePush(
  target: Registry,
  repository: Repository,
  signal: AbortSignal,
): Promise<void> {
  try {
    const upload = await repeatedly(target, signal, () => openUpload(target, repository, signal));
    if (typeof upload === 'object') await cancelUpload(target, upload);
  } catch (error) {
    const reason = orStranger(target, error);
    if (reason !== error || !(error instanceof HttpFailure && error.code === 'NOT_FOUND')) throw reason;
    const { code, message, status } = error;
    const about = `${target.host}/${repository}`;
    const hint = 'create the repository, or let the registry create repositories on push';
    throw new HttpFailure({ code, about, message, hint, status: status ?? 404, cause: error });
  }
}

/**
 * Proves the permission to push to each of these repositories, of many to the first 100. Returns which were tried, and
 * is `partial` if some may not be pushed to.
 */
export async function proveAllPushes(
  target: Registry,
  repositories: readonly Repository[],
  signal: AbortSignal,
): Promise<Finding> {
  const tried = repositories.slice(0, MOST_TRIED);
  const failures = await Promise.all(tried.map((repository) => failureAt(target, repository, signal)));
  const refused = failures.filter((failure) => failure !== undefined);
  const others = countOf(repositories.length, 'other repository', 'other repositories');
  const isAll = tried.length === repositories.length;
  if (refused.length > 0) {
    const reasons = [...new Set(refused.map(describeFailure))];
    const rest = reasons.length - REASONS_NAMED;
    return {
      outcome: 'partial',
      message: `pushing is refused to ${refused.length} of ${others}${isAll ? '' : `, of which ${tried.length} were tried`}`,
      hint: [...reasons.slice(0, REASONS_NAMED), ...(rest > 0 ? [`${rest} more`] : [])].join('; '),
    };
  }
  if (tried.length === 0) return fine('there is no other');
  return fine(`pushing to ${isAll ? others : `${tried.length} of ${others}, which were tried,`} is allowed`);
}

async function failureAt(target: Registry, repository: Repository, signal: AbortSignal): Promise<unknown> {
  const giveBack = await ConcurrencyLimiter.take([target.limits.metadata], signal);
  try {
    await provePush(target, repository, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return error;
  } finally {
    giveBack();
  }
}
