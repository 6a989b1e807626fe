import type { Duration } from '../lib/duration.ts';
import type { Place } from '../lib/reporter.ts';
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
