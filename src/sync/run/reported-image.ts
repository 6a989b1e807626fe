import { Failure, failureCode, isTransient } from '../../lib/failure.ts';
import { HttpFailure, isConnectionFailure } from '../../lib/http/http-failure.ts';
import { formatReference, type Host } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import type { MirroredImage } from '../copy/mirrored-image.ts';
import { describeMissing } from '../copy/missing-parts.ts';
import { PartsFailure } from '../copy/parts-failure.ts';
import type { CopiedReferrers } from '../copy/referrer-copy.ts';
import { type Collision, patchText } from '../plan/collision.ts';
import { type Decision, describeReason } from '../plan/decision.ts';
import type { FoundRepository } from '../plan/discovery.ts';
import type { PlannedImage } from '../plan/planning.ts';
import { contentOptions, conversionIn, fitsSettings, layersLeftOutIn } from '../plan/recorded-options.ts';
import { TooYoung } from '../plan/tag-maturity.ts';
import { type ReportedImage, type ReportedReason, reasonOf } from '../report/report.ts';
import { reportedSignature } from '../report/signature-report.ts';

/** The image of a report entry. */
export type ImageNames = Pick<ReportedImage, 'source' | 'destination'>;

/** Returns the entry of an image that was skipped. */
export function skipped(names: ImageNames, image: PlannedImage): ReportedImage {
  const { recorded, decision } = image;
  return {
    ...quiet(names, 'skipped'),
    reason: decision.reason,
    digest: recorded?.pushedDigest,
    conversion: conversionIn(recorded?.options ?? ''),
    layersLeftOut: layersLeftOutIn(recorded?.options ?? '') || undefined,
  };
}

/** Returns the entry of an image that was checked or copied. `took` is in milliseconds. */
export function worked(
  names: ImageNames,
  image: PlannedImage,
  result: MirroredImage,
  took: number,
): ReportedImage {
  const { pushedDigest: digest, conversion, layersLeftOut, signature } = result;
  const isCopied = result.outcome === 'copied';
  return {
    ...names,
    outcome: isCopied ? 'copied' : 'checked',
    reason: isCopied ? whyCopied(image, result) : whyNotCopied(image, result),
    digest,
    conversion,
    layersLeftOut: layersLeftOut || undefined,
    signature: signature === undefined ? undefined : reportedSignature(signature),
    bytes: isCopied ? result.bytesSent : 0,
    blobs: isCopied ? result.blobs : undefined,
    milliseconds: Math.round(took),
  };
}

function whyNotCopied({ decision }: PlannedImage, { others }: MirroredImage): Decision['reason'] {
  return others === 'instead' ? describeReason('LEFT_ALONE') : decision.reason;
}

/** The answer of the destination, if there is one, is a better reason than why it was asked. */
function whyCopied(
  { decision, recorded, platforms }: PlannedImage,
  result: Extract<MirroredImage, { readonly outcome: 'copied' }>,
): Decision['reason'] {
  if (result.missing.length > 0) {
    const { code, message } = describeReason('INCOMPLETE');
    return { code, message: `${message}, without ${describeMissing(result.missing)}` };
  }
  if (result.others === 'beside') return describeReason('JOINED');
  if (result.replaced === undefined) return decision.reason;
  if (result.replaced === 'nothing') return describeReason('MISSING');
  if (recorded === undefined || recorded.pushedDigest !== result.replaced) return describeReason('DIFFERS');
  if (recorded.sourceDigest !== result.sourceDigest) return describeReason('CHANGED');
  const isOfSettings = fitsSettings(recorded.options, contentOptions(platforms));
  return describeReason(isOfSettings ? 'DIFFERS' : 'OTHER_SETTINGS');
}

/** Returns the entry of signatures that were copied from the referrers API. `took` is in milliseconds. */
export function attached(
  names: ImageNames,
  { bytesSent, uploaded, mounted, present }: NonNullable<CopiedReferrers['copied']>,
  took: number,
): ReportedImage {
  return {
    ...names,
    outcome: 'copied',
    reason: describeReason('MISSING'),
    bytes: bytesSent,
    blobs: { uploaded, mounted, present },
    milliseconds: Math.round(took),
  };
}

/** Returns the entry of an image that could not be mirrored. `took` is in milliseconds. */
export function failed(names: ImageNames, error: unknown, took: number): ReportedImage {
  const isTooYoung = error instanceof TooYoung;
  const isDeferred = isTooYoung || (failureCode(error) === 'RATE_LIMITED' && !isTransient(error));
  const isWithdrawn = failureCode(error) === 'PUSH_TIMED_OUT';
  const outcome = isDeferred ? 'deferred' : isWithdrawn ? 'withdrawn' : 'failed';
  const reason = withRemedy(reasonOf(error), error, names);
  const about = error instanceof Failure ? culprit(error.about, names) : undefined;
  const message = about === undefined ? reason.message : `${about}: ${reason.message}`;
  const parts = error instanceof PartsFailure ? error.parts : [];
  const failures = parts.map(({ part, failure }) => ({ part, ...reasonOf(failure) }));
  return {
    ...quiet(names, outcome),
    reason: { ...reason, message, ...answerOf(error) },
    oldEnough: isTooYoung ? error.oldEnough.toISOString() : undefined,
    failures: failures.length === 0 ? undefined : failures,
    milliseconds: Math.round(took),
  };
}

/** Returns the host whose answer made an image fail, with its status, or the host that gave no answer. */
function answerOf(error: unknown): Pick<ReportedReason, 'host' | 'status'> {
  const isOfHost = error instanceof HttpFailure && (error.status !== undefined || isConnectionFailure(error));
  return isOfHost ? { host: error.about.split('/')[0], status: error.status } : {};
}

/** Returns the entry of an image that was not finished when the run ended. */
export function left(names: ImageNames): ReportedImage {
  const message = 'the run ended first';
  return {
    ...quiet(names, 'deferred'),
    reason: { code: 'INTERRUPTED', message, hint: 'the next run continues here' },
  };
}

/**
 * Returns the entry of a destination tag for which several sources have different images. `isGiven` is whether images were
 * given, so that there may be no image set.
 */
export function collided(
  target: Registry,
  {
    repository,
    isGiven,
  }: { readonly repository: PlannedImage['target']['repository']; readonly isGiven: boolean },
  collision: Collision,
): ReportedImage {
  const { tag } = collision;
  const claimants = collision.claimants.map(({ registry: { host }, repository }) =>
    formatReference({ host, repository, tag }),
  );
  const names = { source: claimants[0] ?? '', destination: target.nameOf(repository, collision.tag) };
  const message = `${claimants.join(' and ')} are different images with the same name at the destination; the tag there is unchanged`;
  const patch = patchText(collision);
  const where = isGiven ? ' in an image set that you add with --image-set' : '';
  const hint = `give one of them another name${where}: "patches": [${patch}]`;
  return { ...quiet(names, 'collision'), claimants, patch, reason: { code: 'NAMES_COLLIDE', message, hint } };
}

/** If the source does not have the image, adds that to the message, and a hint that no registry can give. */
function withRemedy(reason: ReportedReason, error: unknown, { source }: ImageNames): ReportedReason {
  const isMissing = isNotFound(error) && error instanceof Failure && error.about === source;
  if (!isMissing || reason.hint !== undefined) return reason;
  const message = `it does not exist at the source: ${reason.message}`;
  return { ...reason, message, hint: 'check its name and tag' };
}

/**
 * Returns what a failure is about, if it is not the image itself. For the repository of the image at the destination it
 * is only the host, so that a failure of the registry has the same text for all images and can be reported once.
 */
function culprit(about: string, { source, destination }: ImageNames): string | undefined {
  if (namesOf(source).includes(about) || source.startsWith(`${about}/`)) return undefined;
  const repository = destination.replace(/:[^:/]*$/, '');
  return about === repository || about === destination
    ? destination.slice(0, destination.indexOf('/'))
    : about;
}

/** Returns all names that an image has in failures: with tag and digest, and with one of them. */
function namesOf(source: string): string[] {
  const at = source.indexOf('@');
  if (at < 0) return [source];
  const tagged = source.slice(0, at);
  return [source, tagged, `${tagged.replace(/:[^:/]*$/, '')}${source.slice(at)}`];
}

function quiet(names: ImageNames, outcome: ReportedImage['outcome']): ReportedImage {
  return { ...names, outcome, bytes: 0, milliseconds: 0 };
}

/** Returns the entry of a source repository that cannot have a name at the destination, whose host is `destination`. */
export function withoutName(
  { registry, repository }: Pick<FoundRepository, 'registry' | 'repository'>,
  failure: Failure,
  destination: Host,
): ReportedImage {
  const source = formatReference({ host: registry.host, repository });
  return failed({ source, destination: formatReference({ host: destination, repository }) }, failure, 0);
}
