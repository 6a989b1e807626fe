import { milliseconds } from '../lib/duration.ts';
import type { Report, ReportedImage } from '../sync/report/report.ts';
import { outcomeOf } from '../sync/report/run-outcome.ts';
import { signatureLine } from '../sync/report/signature-report.ts';
import { headline, splitName, unmatchedWarning } from '../sync/report/wording.ts';
import type { RecordedRun } from '../sync/state/run-rows.ts';
import type { CollidingName, CopiedTag, FailedImage, SummaryFacts } from './facts.ts';

/** Returns the one sentence that tells the run of a report. */
export function headlineOf(report: Report): string {
  const { totals, options, interrupted, shards, started, ended } = report;
  const shard = shards.length === 1 ? shards[0] : undefined;
  const duration = milliseconds(Date.parse(ended) - Date.parse(started));
  return headline({ totals, duration, dryRun: options.dryRun, interrupted, shard });
}

/** Returns what the summary page tells of a run; `runs` are those for its chart, this one included, the oldest first. */
export function factsOfReport(report: Report, runs: readonly RecordedRun[]): SummaryFacts {
  const { totals, options, images, unmatched, warnings, started, ended } = report;
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
    duration: milliseconds(Date.parse(ended) - Date.parse(started)),
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
