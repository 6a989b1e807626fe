import { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { describeFailure, Failure } from '../../lib/failure.ts';
import { HttpFailure, isConnectionFailure } from '../../lib/http/http-failure.ts';
import { countOf } from '../../lib/text/sentence.ts';
import { cancelUpload, openUpload } from '../../registry/blob/blob-upload.ts';
import { orStranger } from '../../registry/likeness.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { repeatedly } from '../run/preflight.ts';
import { type Finding, fine } from './diagnosis.ts';
import { choosePushes, MOST_TRIED, untilSilent } from './push-choice.ts';

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
    const hint = 'create the repository, or configure the registry to create repositories on push';
    throw new HttpFailure({ code, about, message, hint, status: status ?? 404, cause: error });
  }
}

/** Which repositories of a destination may be pushed to. Each is tried once. */
export class PushPermissions {
  readonly #target: Registry;
  readonly #signal: AbortSignal;
  readonly #failures = new Map<Repository, Promise<unknown>>();

  constructor(target: Registry, signal: AbortSignal) {
    this.#target = target;
    this.#signal = signal;
  }

  /** Returns the reason why a repository may not be pushed to; undefined if it may. */
  failureAt(repository: Repository, signal = this.#signal): Promise<unknown> {
    const failure = this.#failures.get(repository) ?? this.#tryOne(repository, signal);
    this.#failures.set(repository, failure);
    return failure;
  }

  /**
   * Returns the first of up to 20 repositories that may be pushed to. Tries them one after the other, those that are
   * there before new ones, because some registries create each one that is tried. Throws the reason why `first` may
   * not, or the first failure that is not an answer.
   */
  async firstAllowed(first: Repository, wanted: () => Promise<readonly Repository[]>): Promise<Repository> {
    const reason = await this.failureAt(first);
    if (reason === undefined) return first;
    if (isConnectionFailure(reason)) throw reason;
    const { ranked } = await choosePushes(this.#target, first, await wanted(), this.#signal);
    const others = ranked.slice(1, MOST_TRIED);
    for (const repository of others) {
      const failure = await this.failureAt(repository);
      if (failure === undefined) return repository;
      if (isConnectionFailure(failure)) throw failure;
    }
    throw others.length === 0 ? reason : ofAll(reason, others.length);
  }

  /**
   * Returns whether those of the `wanted` repositories may be pushed to that `choosePushes` chooses, or that were tried
   * before; is `partial` if some may not. Throws the first failure that is not an answer, and then tries no more.
   */
  async judge(wanted: readonly Repository[], first: Repository): Promise<Finding> {
    if (wanted.every((repository) => repository === first)) return fine('there are no other repositories');
    const choice = await choosePushes(this.#target, first, wanted, this.#signal);
    const total = choice.ranked.length;
    const tried = [...new Set([...this.#failures.keys(), ...choice.tried])].slice(0, MOST_TRIED);
    const failures = await untilSilent(tried, this.#signal, async (repository, signal) => {
      const failure = await this.failureAt(repository, signal);
      if (isConnectionFailure(failure)) throw failure;
      return failure;
    });
    const refused = failures.filter((failure) => failure !== undefined);
    const all = countOf(total, 'repository', 'repositories');
    const rest = total - tried.length;
    const untried = rest === 0 ? undefined : `pushing to ${rest} of ${all} was not tested`;
    if (refused.length === 0) return { ...fine(`pushing is allowed ${choice.words}`), untried };
    const reasons = [...new Set(refused.map(describeFailure))];
    const more = reasons.length - REASONS_NAMED;
    return {
      outcome: 'partial',
      message: `the registry refuses pushes to ${refused.length} of ${all}${rest === 0 ? '' : `, of which ${tried.length} were tested`}`,
      hint: [...reasons.slice(0, REASONS_NAMED), ...(more > 0 ? [`${more} more`] : [])].join('; '),
    };
  }

  async #tryOne(repository: Repository, signal: AbortSignal): Promise<unknown> {
    const giveBack = await ConcurrencyLimiter.take([this.#target.limits.metadata], signal);
    try {
      await provePush(this.#target, repository, signal);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return error;
    } finally {
      giveBack();
    }
  }
}

/** Returns the failure of the first repository, with the number of others that cannot be pushed to either. */
function ofAll(failure: unknown, others: number): unknown {
  if (!(failure instanceof Failure)) return failure;
  const { code, about, hint } = failure;
  const named = countOf(others, 'other tested repository', 'other tested repositories');
  const message = `${failure.message}; ${named} cannot be pushed to either`;
  return new Failure({ code, about, message, hint, cause: failure });
}
