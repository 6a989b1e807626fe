import { Failure, failureCode, isTransient } from '../../lib/failure.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import type { MirroredImage } from '../copy/image-copy.ts';
import { type Collision, patchText } from '../plan/collision.ts';
import { contentOptions, conversionIn, fitsSettings } from '../plan/content-options.ts';
import { type Decision, describeReason } from '../plan/decision.ts';
import type { PlannedImage } from '../plan/planning.ts';
import { type ReportedImage, type ReportedReason, reasonOf } from '../report/report.ts';
import { reportedSignature } from '../report/signature-report.ts';

/** Which image a report entry is about. */
export type ImageNames = Pick<ReportedImage, 'source' | 'destination'>;

/** Returns the entry of an image that nothing had to be asked about. */
export function skipped(names: ImageNames, image: PlannedImage): ReportedImage {
  const { recorded, decision } = image;
  return {
    ...quiet(names, 'skipped'),
    reason: decision.reason,
    digest: recorded?.pushedDigest,
    conversion: conversionIn(recorded?.options ?? ''),
  };
}

/** Returns the entry of an image that was asked for or copied; `took` in milliseconds. */
export function worked(
  names: ImageNames,
  image: PlannedImage,
  result: MirroredImage,
  took: number,
): ReportedImage {
  const { pushedDigest: digest, conversion, signature } = result;
  const isCopied = result.outcome === 'copied';
  return {
    ...names,
    outcome: isCopied ? 'copied' : 'checked',
    reason: isCopied ? whyCopied(image, result) : image.decision.reason,
    digest,
    conversion,
    signature: signature === undefined ? undefined : reportedSignature(signature),
    bytes: isCopied ? result.bytesSent : 0,
    blobs: isCopied ? result.blobs : undefined,
    milliseconds: Math.round(took),
  };
}

/** Where the destination was asked, what it said tells more than why it was asked. */
function whyCopied(
  { decision, recorded, platforms }: PlannedImage,
  result: Extract<MirroredImage, { readonly outcome: 'copied' }>,
): Decision['reason'] {
  if (result.replaced === undefined) return decision.reason;
  if (result.replaced === 'nothing') return describeReason('MISSING');
  if (recorded === undefined || recorded.pushedDigest !== result.replaced) return describeReason('DIFFERS');
  if (recorded.sourceDigest !== result.sourceDigest) return describeReason('CHANGED');
  const isOfSettings = fitsSettings(recorded.options, contentOptions(platforms));
  return describeReason(isOfSettings ? 'DIFFERS' : 'OTHER_SETTINGS');
}

/** Returns the entry of an image that an error kept from being mirrored. */
export function failed(names: ImageNames, error: unknown, took: number): ReportedImage {
  const isDeferred = failureCode(error) === 'RATE_LIMITED' && !isTransient(error);
  const isWithdrawn = failureCode(error) === 'PUSH_TIMED_OUT';
  const outcome = isDeferred ? 'deferred' : isWithdrawn ? 'withdrawn' : 'failed';
  const reason = withRemedy(reasonOf(error), error, names);
  const about = error instanceof Failure ? culprit(error.about, names) : undefined;
  const message = about === undefined ? reason.message : `${about}: ${reason.message}`;
  return { ...quiet(names, outcome), reason: { ...reason, message }, milliseconds: Math.round(took) };
}

/** Returns the entry of an image whose turn did not come, or was not over, when the run ended. */
export function left(names: ImageNames): ReportedImage {
  const message = 'the run ended first';
  return {
    ...quiet(names, 'deferred'),
    reason: { code: 'INTERRUPTED', message, hint: 'the next run goes on here' },
  };
}

/** Returns the entry of a destination tag that several sources want to be different things. */
export function collided(
  target: Registry,
  repository: PlannedImage['target']['repository'],
  collision: Collision,
): ReportedImage {
  const { tag } = collision;
  const claimants = collision.claimants.map(({ registry: { host }, repository }) =>
    formatReference({ host, repository, tag }),
  );
  const names = { source: claimants[0] ?? '', destination: target.nameOf(repository, collision.tag) };
  const message = `${claimants.join(' and ')} differ and both want this name; it was left as it is`;
  const patch = patchText(collision);
  const hint = `give one a name of its own: "patches": [${patch}]`;
  return { ...quiet(names, 'collision'), claimants, patch, reason: { code: 'NAMES_COLLIDE', message, hint } };
}

/** A registry cannot know why something is missing; what is asked for stands in the image set. */
function withRemedy(reason: ReportedReason, error: unknown, { source }: ImageNames): ReportedReason {
  const isMissing = isNotFound(error) && error instanceof Failure && error.about === source;
  if (!isMissing || reason.hint !== undefined) return reason;
  return { ...reason, hint: 'check its name and tag in the image set' };
}

/**
 * Returns what else than the image itself a failure is about. Of its own repository at the destination only the host: then
 * one fault of a registry reads the same for all images, and is told as one.
 */
function culprit(about: string, { source, destination }: ImageNames): string | undefined {
  if (about === source || source.startsWith(`${about}/`)) return undefined;
  const repository = destination.replace(/:[^:/]*$/, '');
  return about === repository || about === destination
    ? destination.slice(0, destination.indexOf('/'))
    : about;
}

function quiet(names: ImageNames, outcome: ReportedImage['outcome']): ReportedImage {
  return { ...names, outcome, bytes: 0, milliseconds: 0 };
}
