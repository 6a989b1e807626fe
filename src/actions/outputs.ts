import { describeFailure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';
import { leaveValue } from './command-file.ts';

/** What later steps of a job can read about a mirroring run. None of it is secret. */
interface SyncOutputs {
  readonly total: number;
  readonly copied: number;
  readonly skipped: number;
  readonly failed: number;
  /** Images that are left for the next run. */
  readonly deferred: number;
  /** Tags that moved but should not. */
  readonly moved: number;
  /** Bytes sent to the destination. */
  readonly bytes: number;
  /** A JSON list of the versions that the words in the image set mean, the newest first. */
  readonly kubernetes: string;
  /** Path of the JSON report; empty if none was written. */
  readonly report: string;
  readonly 'state-restored': boolean;
}

/** The outputs of action-sync with their descriptions in action.yml. */
export const SYNC_OUTPUTS: Readonly<Record<keyof SyncOutputs, string>> = {
  total: 'Number of images (tags) that the image set selects',
  copied: 'Number of images copied; in a dry run, the number that would be',
  skipped: 'Number of images that needed no copy, or were left out for a reason given in the report',
  failed: 'Number of images that failed',
  deferred:
    'Number of images left for the next run: the time limit was over, a registry asked for a long pause, or a tag is too young',
  moved: 'Number of tags, such as v1.2.3, that moved but should not',
  bytes: 'Bytes sent to the destination',
  kubernetes:
    'Kubernetes versions that "kubernetes" in the image set stands for at the source, as a JSON list, newest first',
  report: 'Path of the JSON report, also of a run that could not start; empty if it could not be written',
  'state-restored': 'Whether the state of an earlier run was found: true or false',
};

/** The outputs of a mirroring run that ended before it counted anything. */
export const NOTHING_DONE: SyncOutputs = {
  total: 0,
  copied: 0,
  skipped: 0,
  failed: 0,
  deferred: 0,
  moved: 0,
  bytes: 0,
  kubernetes: '[]',
  report: '',
  'state-restored': false,
};

/** What later steps of a job can read about a package. None of it is secret. */
interface PackOutputs {
  /** Its path. */
  readonly package: string;
  /** The version in it, even if a word such as `latest` was given. */
  readonly kubernetes: string;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  /** A JSON list of its locations, each with `target`, `address` and `instruction`. */
  readonly locations: string;
  /** Path of the JSON file that lists its contents. */
  readonly manifest: string;
}

/** The outputs of action-pack with their descriptions in action.yml. */
export const PACK_OUTPUTS: Readonly<Record<keyof PackOutputs, string>> = {
  package: 'Path of the package; empty if there is none',
  kubernetes: 'Kubernetes version of the package, such as 1.38.0 for latest; a dry run sets it too',
  sha256: 'sha256 of the package, 64 hexadecimal digits',
  size: 'Size of the package in bytes',
  locations: 'Where the package was published: a JSON list of objects with target, address and instruction',
  manifest:
    'Path of a JSON file that lists the contents of the package, their origin and how they were verified',
};

/** The outputs of a packing run that ended without a package. */
export const NO_PACKAGE: PackOutputs = {
  package: '',
  kubernetes: '',
  sha256: '',
  size: 0,
  locations: '[]',
  manifest: '',
};

/**
 * Sets all outputs. Called on every path, so that a later step never reads an empty text instead of a number. Warns if
 * they cannot be set: this does not undo what the step did.
 */
export function setOutputs(outputs: SyncOutputs | PackOutputs, reporter: Pick<Reporter, 'warning'>): void {
  try {
    for (const [name, value] of Object.entries(outputs)) leaveValue('GITHUB_OUTPUT', name, String(value));
  } catch (error) {
    reporter.warning(`the outputs of this step could not be set: ${describeFailure(error)}`);
  }
}
