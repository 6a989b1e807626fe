import { describeReported } from '../config/reported-failure.ts';
import { type Duration, milliseconds } from '../lib/duration.ts';
import type { Place } from '../lib/reporter.ts';
import { groupFailures } from '../sync/report/failure-groups.ts';
import { describeMove, describeMovedSide, fateOfMoved, movedImages } from '../sync/report/moved-report.ts';
import { durationOf, type Report, type ReportedImage } from '../sync/report/report.ts';
import { outcomeOf } from '../sync/report/run-outcome.ts';
import { signatureLine } from '../sync/report/signature-report.ts';
import {
  headlineOf,
  originWords,
  splitName,
  unmatchedWarning,
  versionsWords,
} from '../sync/report/wording.ts';
import type { RecordedRun, RunOutcome } from '../sync/state/run-rows.ts';

/** The contents of the summary page of a run, as plain texts and numbers. */
export interface SummaryFacts {
  /** The run in one sentence, as in the log. */
  readonly headline: string;
  /** The host that images came from, and the host and namespace that they went to. */
  readonly source: string;
  readonly destination: string;
  readonly outcome: RunOutcome;
  readonly dryRun: boolean;
  readonly wanted: number;
  readonly copied: readonly CopiedTag[];
  readonly skipped: number;
  /** Tags that moved but should not. */
  readonly moved: readonly MovedTag[];
  /** Number of images that failed, including collisions and withdrawn ones. */
  readonly failed: number;
  readonly failures: readonly FailureCause[];
  /** Images that are left for the next run, by reason. */
  readonly deferred: readonly FailureCause[];
  /** Tags that are younger than the image set allows, by when they are old enough. */
  readonly young: readonly FailureCause[];
  readonly collisions: readonly CollidingName[];
  readonly unmatched: readonly UnmatchedName[];
  /** What the words for releases of Kubernetes in the image set mean. */
  readonly releases: readonly NamedRelease[];
  /** The numbers of verified and unverified signatures, if they were checked. */
  readonly signatures?: string | undefined;
  readonly warnings: readonly string[];
  readonly bytes: number;
  readonly duration: Duration;
  /** Earlier runs and this one, the oldest first. */
  readonly runs: readonly RecordedRun[];
}

export interface CopiedTag {
  /** The repository at the destination, with its host. */
  readonly repository: string;
  readonly tag: string;
  readonly bytes: number;
  readonly duration: Duration;
}

/** A reason why images did not arrive, with the text of the first of them. */
export interface FailureCause {
  /** The names of the images at the source. */
  readonly images: readonly string[];
  readonly message: string;
  readonly hint: string | undefined;
}

export interface MovedTag {
  /** The image's name at the source. */
  readonly image: string;
  /** Its digest, with what is known about it. */
  readonly before: string;
  readonly now: string;
  /** What happened, and what the run did about it. */
  readonly message: string;
  readonly hint: string | undefined;
}

export interface CollidingName {
  /** Repository and tags at the destination, which stayed unchanged. */
  readonly destination: string;
  readonly sources: readonly string[];
  /** JSON for `patches` of the image set. */
  readonly patch: string;
}

export interface UnmatchedName {
  readonly name: string;
  readonly place: Place | undefined;
}

export interface NamedRelease {
  readonly word: string;
  /** Empty if the source has none. */
  readonly versions: string;
  /** Whether this is unknown, because the source did not list its tags. */
  readonly isOpen: boolean;
  /** Where the tags of their images come from. */
  readonly origins: string;
}

/**
 * Returns the contents of a run's summary page. `runs` are for its chart: earlier runs and this one, the oldest first.
 */
export function factsOfReport(report: Report, runs: readonly RecordedRun[]): SummaryFacts {
  const { totals, options, images, unmatched, warnings, failures = [] } = report;
  const lost = unmatched.filter(({ matchedBefore }) => matchedBefore);
  return {
    headline: headlineOf(report),
    source: report.source,
    destination:
      report.namespace === undefined ? report.destination : `${report.destination}/${report.namespace}`,
    outcome: outcomeOf(report),
    dryRun: options.dryRun,
    wanted: totals.total,
    copied: images.filter(({ outcome }) => outcome === 'copied').map(copiedTag),
    skipped: totals.skipped,
    failed: totals.failed,
    moved: movedImages(images).map((image) => movedTag(image, options)),
    failures: failureCauses(
      images.filter(
        ({ outcome, moved }) => (outcome === 'failed' && moved?.kept !== true) || outcome === 'withdrawn',
      ),
    ),
    deferred: failureCauses(
      images.filter(({ outcome, oldEnough }) => outcome === 'deferred' && oldEnough === undefined),
    ),
    young: failureCauses(images.filter(({ oldEnough }) => oldEnough !== undefined)),
    collisions: collidingNames(images.filter(({ outcome }) => outcome === 'collision')),
    unmatched: unmatched.map(({ pattern, place }) => ({ name: pattern, place })),
    releases: (report.kubernetes ?? []).map(({ word, versions, unknown }) => ({
      word,
      isOpen: unknown === true,
      versions: versionsWords(versions.map(({ version }) => version)),
      origins: originWords(versions),
    })),
    signatures: signatureLine(images),
    warnings: [
      ...failures.map(describeReported),
      ...lost.map(unmatchedWarning),
      ...warnings.map(({ message }) => message),
    ],
    bytes: totals.bytes,
    duration: durationOf(report),
    runs,
  };
}

function copiedTag({ destination, bytes, milliseconds: took }: ReportedImage): CopiedTag {
  const { repository, tag } = splitName(destination);
  return { repository, tag, bytes, duration: milliseconds(took) };
}

function failureCauses(images: readonly ReportedImage[]): FailureCause[] {
  return groupFailures(images).map((group) => {
    const [{ reason, outcome }] = group;
    const names = group.map(({ source }) => source);
    return { images: names, message: reason?.message ?? outcome, hint: reason?.hint };
  });
}

function movedTag(
  image: ReturnType<typeof movedImages<ReportedImage>>[number],
  options: Report['options'],
): MovedTag {
  const { source, moved, reason } = image;
  const facts = [describeMove(moved), fateOfMoved(image, options)].filter((fact) => fact !== '');
  return {
    image: source,
    before: describeMovedSide(moved.before),
    now: describeMovedSide(moved.now),
    message: facts.join('; '),
    hint: moved.kept ? reason?.hint : undefined,
  };
}

/** Tags of a repository that the same sources claim share an entry: one patch resolves all. */
function collidingNames(images: readonly ReportedImage[]): CollidingName[] {
  const quarrels = Map.groupBy(images, ({ destination, patch }) =>
    JSON.stringify([splitName(destination).repository, patch]),
  );
  return [...quarrels.values()].flatMap((group): CollidingName[] => {
    const [first] = group;
    if (first === undefined) return [];
    const tags = group.map(({ destination }) => splitName(destination).tag);
    const claimants = first.claimants ?? [first.source];
    const isAlone = group.length === 1;
    return [
      {
        destination: `${splitName(first.destination).repository}:${tags.join(', ')}`,
        sources: isAlone ? claimants : claimants.map((claimant) => splitName(claimant).repository),
        patch: first.patch ?? '',
      },
    ];
  });
}
