import { withoutKubernetesHost } from '../../config/image-set-name.ts';
import { Failure, failureCode, isTransient } from '../../lib/failure.ts';
import { isConnectionFailure } from '../../lib/http/http-failure.ts';
import { countOf, joinWords } from '../../lib/text/sentence.ts';
import { abbreviateDigest } from '../../registry/oci/digest.ts';
import type { Descriptor } from '../../registry/oci/manifest.ts';
import { formatPlatform } from '../../registry/oci/platform.ts';

/** One part of an image that could not be fetched or pushed. */
interface FailedPart {
  /** What it is, for people: `windows/amd64 10.0.17763.1`, or `layer sha256:4f1e…`. */
  readonly part: string;
  readonly failure: Failure;
}

/** The failure of an image of which some parts failed. It has the code of the first one, and contains all of them. */
export class PartsFailure extends Failure {
  readonly parts: readonly FailedPart[];

  constructor(first: FailedPart, others: readonly FailedPart[], about: string, hint: string | undefined) {
    const { failure, part } = first;
    const { code, message, transient, retryAt, deferral } = failure;
    const told = `${part}: ${message}${alsoFailed(others)}`;
    super({ code, about, message: told, hint, cause: failure, transient, retryAt, deferral });
    this.parts = [first, ...others];
  }
}

/** An entry of an index, and the reason why it could not be pushed, if there is one. */
export interface PartResult {
  readonly part: Descriptor;
  readonly error?: unknown;
}

/** The image of the parts. */
interface Whole {
  /** As in an image set. */
  readonly name: string;
  /** The `host/repository` that is pushed to. */
  readonly destination: string;
}

const NAMED = 3;

/** Failures that have nothing to do with one part of an image: leaving it out would not help. */
const OF_ALL: ReadonlySet<string> = new Set([
  'UNAUTHORIZED',
  'RATE_LIMITED',
  'PUSH_TIMED_OUT',
  'INDEX_UNREASONABLE',
  'REDIRECT_REFUSED',
]);

/**
 * Returns the failure of an index, by the results of all its entries. It names the platforms that failed and, if others
 * succeeded, the patch that leaves the failed ones out. If all failed for the same reason, no single part is the cause,
 * so the first failure is returned unchanged. So is an error that is not a `Failure`.
 */
export function failureOfIndex(results: readonly PartResult[], whole: Whole): unknown {
  const failed = results.filter(({ error }) => error !== undefined);
  const odd = failed.find(({ error }) => !(error instanceof Failure) || error.code === 'PUSH_TIMED_OUT');
  const codes = new Set(failed.map(({ error }) => failureCode(error)));
  if (odd !== undefined) return odd.error;
  if (codes.size === 1 && failed.length === results.length && results.length > 1) return failed[0]?.error;
  const parts = failed.flatMap(({ part, error }) => partsOf(nameOf(part), error));
  // How much of an index was counted before it is refused depends on which part the source answers first.
  const first = parts.find(({ failure }) => failure.code !== 'INDEX_UNREASONABLE') ?? parts[0];
  if (first === undefined) return undefined;
  const others = parts.filter((each) => each !== first);
  const hint = patchHint(results, parts, whole) ?? first.failure.hint;
  return new PartsFailure(first, others, aboutOf(first.failure, whole), hint);
}

/**
 * Returns the failure of an image, by the failures of its configuration and layers, which may have different reasons.
 */
export function failureOfBlobs(results: readonly PartResult[], whole: Whole): unknown {
  const failed = results.filter(({ error }) => error !== undefined);
  const [first, ...others] = failed.flatMap(({ part, error }) => {
    return error instanceof Failure
      ? [{ part: `layer ${abbreviateDigest(part.digest)}`, failure: error }]
      : [];
  });
  const isOdd = failed.some(({ error }) => !(error instanceof Failure) || error.code === 'PUSH_TIMED_OUT');
  const isAlike = new Set(failed.map(({ error }) => failureCode(error))).size === 1;
  if (first === undefined || isOdd || (isAlike && failed.length === results.length) || others.length === 0) {
    return failed.find(({ error }) => !(error instanceof Failure))?.error ?? failed[0]?.error;
  }
  return new PartsFailure(first, others, aboutOf(first.failure, whole), first.failure.hint);
}

/** A part of an index that is an index itself has its own parts. */
function partsOf(part: string, error: unknown): readonly FailedPart[] {
  if (error instanceof PartsFailure)
    return error.parts.map((each) => ({ ...each, part: `${part}, ${each.part}` }));
  return error instanceof Failure ? [{ part, failure: error }] : [];
}

function nameOf({ platform, digest }: Descriptor): string {
  if (platform === undefined || platform.os === 'unknown') return abbreviateDigest(digest);
  const { osVersion } = platform;
  return osVersion === undefined ? formatPlatform(platform) : `${formatPlatform(platform)} ${osVersion}`;
}

function alsoFailed(others: readonly FailedPart[]): string {
  if (others.length === 0) return '';
  const named = others.slice(0, NAMED).map(({ part }) => part);
  const rest = others.length - named.length;
  const names = joinWords(rest === 0 ? named : [...named, `${rest} more`]);
  return `; ${countOf(others.length, 'other part')} failed too: ${names}`;
}

/** The failure of a manifest of an index is about its digest at the destination, which means nothing to people. */
function aboutOf({ about }: Failure, { destination }: Whole): string {
  return about.startsWith(`${destination}@`) ? destination : about;
}

function patchHint(
  results: readonly PartResult[],
  parts: readonly FailedPart[],
  { name }: Whole,
): string | undefined {
  const isOfParts = parts.every(
    ({ failure }) => !isTransient(failure) && !isConnectionFailure(failure) && !OF_ALL.has(failure.code),
  );
  if (!isOfParts) return undefined;
  const platforms = (isFailed: boolean): string[] =>
    results.flatMap(({ part: { platform }, error }) =>
      platform === undefined || platform.os === 'unknown' || (error !== undefined) !== isFailed
        ? []
        : [formatPlatform(platform)],
    );
  const failed = new Set(platforms(true));
  const kept = [...new Set(platforms(false))].filter((platform) => !failed.has(platform));
  if (failed.size === 0 || kept.length === 0) return undefined;
  const listed = kept.map((platform) => JSON.stringify(platform)).join(', ');
  const patch = `{"match": ${JSON.stringify(withoutKubernetesHost(name))}, "platforms": [${listed}]}`;
  return `to mirror the rest of it, add "patches": [${patch}] to the image set, or use --platform ${kept.join(',')} for all images`;
}
