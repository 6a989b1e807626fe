import { join } from 'node:path';
import type { UpstreamMirror } from '../../config/upstream-mirror.ts';
import { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { Failure } from '../../lib/failure.ts';
import { HttpFailure, isConnectionFailure } from '../../lib/http/http-failure.ts';
import { redactUrl } from '../../registry/endpoint.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { type DownloadSettings, download } from '../../upstream/fetch/verified-download.ts';
import type { ComponentCheck, ComponentPlan } from '../plan/plan.ts';
import { ChecksumReader } from './checksum-reader.ts';
import type { ComponentCache } from './component-cache.ts';
import { allOrFailures, jointFailure } from './joint-failure.ts';

/** How a download was checked, for the list in the package and the summary. */
export interface CheckedBy {
  readonly kind: ComponentCheck['kind'];
  /** The digest it was compared with; undefined if there was none. */
  readonly digest?: Digest | undefined;
  /** The address of a published checksum. */
  readonly source?: string | undefined;
  /** Why a published checksum comes from a mirror: what happened when packer asked upstream. */
  readonly mirrorOnly?: string | undefined;
}

/** A component that is complete and checked. */
export interface FetchedComponent {
  readonly plan: ComponentPlan;
  readonly file: string;
  readonly size: number;
  readonly sha256: Digest;
  readonly check: CheckedBy;
  readonly from: 'network' | 'folder' | 'cache';
  /**
   * The address of the mirror that it was downloaded from; undefined if it came from its own address, or was already
   * there.
   */
  readonly mirror?: string | undefined;
}

interface ComponentFetch extends DownloadSettings {
  /** The folder of downloads. */
  readonly folder: string;
  /** What failures call them; `component` by default. */
  readonly noun?: 'component' | 'add-on' | undefined;
  /** Mirrors of upstream's files; upstream itself if undefined. */
  readonly mirror?: UpstreamMirror | undefined;
  /** A token of github.com, which is sent only to its API. */
  readonly githubToken?: string | undefined;
  /** How many downloads run at once. */
  readonly concurrency: number;
  readonly cache?: ComponentCache | undefined;
  readonly onProgress?: ((name: string, done: number) => void) | undefined;
  readonly onRetry?: ((name: string, error: unknown) => void) | undefined;
  readonly onFetched?: ((component: FetchedComponent) => void) | undefined;
}

const MIRROR_ADVICE = 'if this machine cannot reach it, set a mirror with --upstream-mirror';

async function resolveCheck(
  plan: ComponentPlan,
  checksums: ChecksumReader,
  mirror: UpstreamMirror | undefined,
): Promise<CheckedBy> {
  const { check } = plan;
  if (check.kind === 'pin' || check.kind === 'known') return { kind: check.kind, digest: check.digest };
  if (check.kind === 'none') return { kind: 'none' };
  const looked: string[] = [];
  let isUnanswered = false;
  for (const source of check.sources) {
    const found = await checksums.find(source);
    if (found.digest !== undefined) return { kind: 'published', ...found };
    looked.push(found.looked);
    isUnanswered ||= found.isUnanswered;
  }
  const isOutOfReach = isUnanswered && mirror?.mayBeMapped(plan.url) === true;
  throw new Failure({
    code: 'CHECKSUM_MISSING',
    about: `${plan.name} ${plan.tag}`,
    message: `no checksum found to verify it with; tried ${looked.join(', ')}`,
    hint: `${isOutOfReach ? `${MIRROR_ADVICE}; else ` : isUnanswered ? '' : 'check the tag; else '}pin it with "sha256", or set "sha256": "none" to accept it unverified`,
  });
}

/** Returns the failure of a download from a mirror, with a hint to check the mirror's address and not only the tag. */
function missingInMirror(error: unknown): unknown {
  if (!(error instanceof HttpFailure) || error.code !== 'NOT_FOUND') return error;
  const hint =
    'the mirror of --upstream-mirror does not have it yet: check the address of the mirror, the tag and the architecture';
  return error.with({ hint });
}

/** Returns the failure of a download, with a hint for users who cannot reach upstream and gave no mirror. */
function withMirrorAdvice(error: unknown): unknown {
  if (!isConnectionFailure(error)) return error;
  return error.with({ hint: error.hint === undefined ? MIRROR_ADVICE : `${error.hint}; ${MIRROR_ADVICE}` });
}

async function fetchOne(
  plan: ComponentPlan,
  settings: ComponentFetch,
  checksums: ChecksumReader,
): Promise<FetchedComponent> {
  const check = await resolveCheck(plan, checksums, settings.mirror);
  const { digest } = check;
  const kept = digest === undefined ? undefined : await settings.cache?.find(digest, settings.signal);
  if (kept !== undefined && digest !== undefined)
    return { plan, ...kept, sha256: digest, check, from: 'cache' };
  const { onProgress, onRetry, mirror } = settings;
  const url = mirror === undefined ? plan.url : mirror.map(plan.url);
  const isMapped = url.href !== plan.url.href;
  const { file, size, sha256, wasThere } = await download(
    {
      url,
      file: join(settings.folder, plan.fileName),
      expected: digest,
      onProgress: (done) => onProgress?.(plan.name, done),
      onRetry: (error) => onRetry?.(plan.name, error),
    },
    settings,
  ).catch((error: unknown) => {
    throw isMapped ? missingInMirror(error) : error;
  });
  // A later run must not take an unchecked download for a checked one.
  if (digest !== undefined) await settings.cache?.save(sha256, file);
  const from = wasThere ? 'folder' : 'network';
  return {
    plan,
    file,
    size,
    sha256,
    check,
    from,
    mirror: isMapped && !wasThere ? redactUrl(url) : undefined,
  };
}

/**
 * Fetches and checks every component, several at once, and returns them in the order of the plan. One that fails does
 * not stop the others: a single failure is thrown with the name of its component, several as `COMPONENTS_FAILED`.
 */
export async function fetchComponents(
  plans: readonly ComponentPlan[],
  settings: ComponentFetch,
): Promise<readonly FetchedComponent[]> {
  const { concurrency, signal, noun = 'component', onFetched } = settings;
  const checksums = new ChecksumReader(settings);
  const limiter = new ConcurrencyLimiter({ start: concurrency });
  const failures = new Map<ComponentPlan, unknown>();
  const { results } = await allOrFailures(
    plans.map(async (plan) => {
      const giveBack = await ConcurrencyLimiter.take([limiter], signal);
      try {
        const fetched = await fetchOne(plan, settings, checksums);
        onFetched?.(fetched);
        return fetched;
      } catch (error) {
        failures.set(plan, settings.mirror?.mayBeMapped(plan.url) === true ? withMirrorAdvice(error) : error);
        throw error;
      } finally {
        giveBack();
      }
    }),
  );
  signal.throwIfAborted();
  if (failures.size === 0) return results;
  const failed = plans.filter((plan) => failures.has(plan));
  const named = failed.map((plan) => ({ name: `${plan.name} ${plan.tag}`, error: failures.get(plan) }));
  throw jointFailure(named, {
    code: 'COMPONENTS_FAILED',
    about: `${noun}s`,
    message: `${failures.size} of ${plans.length} could not be fetched`,
    noun,
    total: plans.length,
  });
}
