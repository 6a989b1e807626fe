import { join } from 'node:path';
import { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { describeFailure, Failure, failureCode } from '../../lib/failure.ts';
import { readBody } from '../../lib/http/http.ts';
import { HttpFailure, isConnectionFailure } from '../../lib/http/http-failure.ts';
import { retry } from '../../lib/retry.ts';
import { formatSize } from '../../lib/text/size.ts';
import { redactUrl } from '../../registry/endpoint.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { ChecksumSource, ComponentCheck, ComponentPlan } from '../plan/plan.ts';
import { CHECKSUM_FILE_LIMIT, findChecksum } from './checksum-file.ts';
import type { ComponentCache } from './component-cache.ts';
import { allOrFailures, jointFailure } from './joint-failure.ts';
import { type DownloadSettings, download } from './verified-download.ts';
import { explainBreak, openWebFile } from './web-file.ts';

/** How a download was checked, for the list in the package and the summary. */
export interface CheckedBy {
  readonly kind: ComponentCheck['kind'];
  /** The digest it was compared with; undefined if there was none. */
  readonly digest?: Digest | undefined;
  /** The address of a published checksum. */
  readonly source?: string | undefined;
}

export interface FetchedComponent {
  readonly plan: ComponentPlan;
  readonly file: string;
  readonly size: number;
  readonly sha256: Digest;
  readonly check: CheckedBy;
  readonly from: 'network' | 'folder' | 'cache';
}

interface ComponentFetch extends DownloadSettings {
  /** The folder of downloads. */
  readonly folder: string;
  /** How many downloads run at once. */
  readonly concurrency: number;
  readonly cache?: ComponentCache | undefined;
  readonly onProgress?: ((name: string, done: number) => void) | undefined;
  readonly onRetry?: ((name: string, error: unknown) => void) | undefined;
  readonly onFetched?: ((component: FetchedComponent) => void) | undefined;
}

async function readChecksum(source: ChecksumSource, settings: DownloadSettings): Promise<Digest | undefined> {
  const { http, signal } = settings;
  try {
    return await retry({ policy: settings.retry, signal }, async () => {
      const answer = await openWebFile({ http, url: source.url, expected: [200], signal });
      const text = await readBody(answer, CHECKSUM_FILE_LIMIT).catch((error: unknown) => {
        throw explainBreak(error, source.url, answer.url.host);
      });
      if (text === undefined) {
        const message = `it is larger than ${formatSize(CHECKSUM_FILE_LIMIT)}, so it is no list of checksums`;
        throw new HttpFailure({
          code: 'SIZE_MISMATCH',
          about: redactUrl(source.url),
          message,
          hint: 'pin the download with "sha256" in the versions file',
        });
      }
      return findChecksum(text.toString('utf8'), source.fileName, redactUrl(source.url));
    });
  } catch (error) {
    // Object stores answer "denied" for what does not exist.
    if (['NOT_FOUND', 'DENIED'].includes(failureCode(error))) return undefined;
    throw error;
  }
}

async function resolveCheck(plan: ComponentPlan, settings: DownloadSettings): Promise<CheckedBy> {
  const { check } = plan;
  if (check.kind === 'pin') return { kind: 'pin', digest: check.digest };
  if (check.kind === 'none') return { kind: 'none' };
  for (const source of check.sources) {
    const digest = await readChecksum(source, settings);
    if (digest !== undefined) return { kind: 'published', digest, source: redactUrl(source.url) };
  }
  const looked = check.sources.map(({ url }) => redactUrl(url));
  throw new Failure({
    code: 'CHECKSUM_MISSING',
    about: `${plan.name} ${plan.tag}`,
    message: `there is no checksum to compare it with; looked for ${looked.join(', ')}`,
    hint: 'check the tag; else pin it with "sha256", or write "sha256": "none" to take it unchecked',
  });
}

async function fetchOne(plan: ComponentPlan, settings: ComponentFetch): Promise<FetchedComponent> {
  const check = await resolveCheck(plan, settings);
  const { digest } = check;
  const kept = digest === undefined ? undefined : await settings.cache?.find(digest, settings.signal);
  if (kept !== undefined && digest !== undefined)
    return { plan, ...kept, sha256: digest, check, from: 'cache' };
  const { onProgress, onRetry } = settings;
  const { file, size, sha256, wasThere } = await download(
    {
      url: plan.url,
      file: join(settings.folder, plan.fileName),
      expected: digest,
      onProgress: (done) => onProgress?.(plan.name, done),
      onRetry: (error) => onRetry?.(plan.name, error),
    },
    settings,
  );
  // A download that nothing checked must not be found later as one that was checked.
  if (digest !== undefined) await settings.cache?.save(sha256, file);
  return { plan, file, size, sha256, check, from: wasThere ? 'folder' : 'network' };
}

/**
 * Returns failures with the components that they were for, where these are told of a host alone. One cause that all of
 * several have stays as it is, and is told once.
 */
function named(failures: ReadonlyMap<ComponentPlan, unknown>, plans: readonly ComponentPlan[]): unknown[] {
  const causes = new Set([...failures.values()].map(describeFailure));
  const isShared = plans.length > 1 && failures.size === plans.length && causes.size === 1;
  return plans
    .filter((plan) => failures.has(plan))
    .map((plan) => {
      const error = failures.get(plan);
      if (isShared || !isConnectionFailure(error)) return error;
      return error.with({ about: `${plan.name} ${plan.tag}`, message: `${error.about}: ${error.message}` });
    });
}

/**
 * Fetches and checks every component, several at once, and returns them in the order of the plan. One that fails does
 * not stop the others: a single failure is thrown as it is, several as `COMPONENTS_FAILED`.
 */
export async function fetchComponents(
  plans: readonly ComponentPlan[],
  settings: ComponentFetch,
): Promise<readonly FetchedComponent[]> {
  const { concurrency, signal, onFetched } = settings;
  const limiter = new ConcurrencyLimiter({ start: concurrency });
  const failures = new Map<ComponentPlan, unknown>();
  const { results } = await allOrFailures(
    plans.map(async (plan) => {
      const giveBack = await ConcurrencyLimiter.take([limiter], signal);
      try {
        const fetched = await fetchOne(plan, settings);
        onFetched?.(fetched);
        return fetched;
      } catch (error) {
        failures.set(plan, error);
        throw error;
      } finally {
        giveBack();
      }
    }),
  );
  signal.throwIfAborted();
  if (failures.size === 0) return results;
  throw jointFailure(named(failures, plans), {
    code: 'COMPONENTS_FAILED',
    about: 'components',
    message: `${failures.size} of ${plans.length} could not be had`,
    noun: 'component',
    total: plans.length,
  });
}
