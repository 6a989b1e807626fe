import { type Duration, milliseconds } from '../lib/duration.ts';
import type { Place } from '../lib/reporter.ts';
import { durationOf, type Report, type ReportedImage } from '../sync/report/report.ts';
import { outcomeOf } from '../sync/report/run-outcome.ts';
import { signatureLine } from '../sync/report/signature-report.ts';
import { headlineOf, splitName, unmatchedWarning } from '../sync/report/wording.ts';
import type { RecordedRun, RunOutcome } from '../sync/state/run-rows.ts';

/** Everything that the summary page of a run tells, as plain texts and numbers. */
export interface SummaryFacts {
  /** The sentence by which log, report and summary tell the run. */
  readonly headline: string;
  /** The host that images came from, and the host and namespace that they went to. */
  readonly source: string;
  readonly destination: string;
  readonly outcome: RunOutcome;
  readonly dryRun: boolean;
  readonly wanted: number;
  readonly copied: readonly CopiedTag[];
  readonly skipped: number;
  /** All that did not arrive and is not put off: failures and collisions. */
  readonly failed: number;
  readonly failures: readonly FailedImage[];
  /** Put off to the next run, with the reason. */
  readonly deferred: readonly FailedImage[];
  readonly collisions: readonly CollidingName[];
  readonly unmatched: readonly UnmatchedName[];
  /** How many signatures were verified and how many not, where they were asked for. */
  readonly signatures?: string | undefined;
  readonly warnings: readonly string[];
  readonly bytes: number;
  readonly duration: Duration;
  /** The runs before this one and this one, oldest first. */
  readonly runs: readonly RecordedRun[];
}

export interface CopiedTag {
  /** The repository at the destination, with its host. */
  readonly repository: string;
  readonly tag: string;
  readonly bytes: number;
  readonly duration: Duration;
}

export interface FailedImage {
  /** The image as its source calls it. */
  readonly image: string;
  readonly message: string;
  readonly hint: string | undefined;
}

export interface CollidingName {
  /** Repository and tags at the destination that were left as they are. */
  readonly destination: string;
  readonly sources: readonly string[];
  /** JSON to put into the image set. */
  readonly patch: string;
}

export interface UnmatchedName {
  readonly name: string;
  readonly place: Place | undefined;
}

/** Returns what the summary page tells of a run; `runs` are those for its chart, this one included, the oldest first. */
export function factsOfReport(report: Report, runs: readonly RecordedRun[]): SummaryFacts {
  const { totals, options, images, unmatched, warnings } = report;
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
    failures: images
      .filter(({ outcome }) => outcome === 'failed' || outcome === 'withdrawn')
      .map(failedImage),
    deferred: images.filter(({ outcome }) => outcome === 'deferred').map(failedImage),
    collisions: collidingNames(images.filter(({ outcome }) => outcome === 'collision')),
    unmatched: unmatched.map(({ pattern, place }) => ({ name: pattern, place })),
    signatures: signatureLine(images),
    warnings: [
      ...lost.map(({ pattern }) => unmatchedWarning(pattern, true)),
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

function failedImage({ source, reason, outcome }: ReportedImage): FailedImage {
  return { image: source, message: reason?.message ?? outcome, hint: reason?.hint };
}

/** Tags of a repository over which the same sources quarrel are one name: one patch settles them all. */
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
