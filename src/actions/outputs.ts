import { describeFailure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';
import { leaveValue } from './command-file.ts';

/** What later steps of a job can know about a mirroring run. None of it is secret. */
interface SyncOutputs {
  readonly total: number;
  readonly copied: number;
  readonly skipped: number;
  readonly failed: number;
  /** Tags that moved and should not have. */
  readonly moved: number;
  /** Bytes sent to the destination. */
  readonly bytes: number;
  /** Path of the JSON report; empty if none was written. */
  readonly report: string;
  readonly 'state-restored': boolean;
}

/** The outputs of action-sync with their descriptions in action.yml. */
export const SYNC_OUTPUTS: Readonly<Record<keyof SyncOutputs, string>> = {
  total: 'How many images (tags) were wanted',
  copied: 'How many were copied; in a dry run, how many would be',
  skipped: 'How many were there already or were left out for a reason told in the report',
  failed: 'How many failed',
  moved: 'How many are tags that moved and should not have, such as v1.2.3',
  bytes: 'Bytes sent to the receiving registry',
  report: 'Path of the JSON report; empty where the run ended before it could be written',
  'state-restored': 'Whether what an earlier run knew was found: true or false',
};

/** The outputs of a mirroring run that ended before it counted anything. */
export const NOTHING_DONE: SyncOutputs = {
  total: 0,
  copied: 0,
  skipped: 0,
  failed: 0,
  moved: 0,
  bytes: 0,
  report: '',
  'state-restored': false,
};

/** What later steps of a job can know about a package. None of it is secret. */
interface PackOutputs {
  /** Its path. */
  readonly package: string;
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
  package: 'Path of the package; empty where there is none',
  sha256: 'Its sha256, 64 hexadecimal digits',
  size: 'Its size in bytes',
  locations: 'Where it was published, as a JSON list of objects with target, address and instruction',
  manifest: 'Path of a JSON file that tells what it holds, from where and how it was checked',
};

/** The outputs of a packing run that ended without a package. */
export const NO_PACKAGE: PackOutputs = { package: '', sha256: '', size: 0, locations: '[]', manifest: '' };

/**
 * Sets all outputs. Called on every path, so that a later step never reads an empty text instead of a number. Warns if
 * they cannot be set: what the step did stays done.
 */
export function setOutputs(outputs: SyncOutputs | PackOutputs, reporter: Pick<Reporter, 'warning'>): void {
  try {
    for (const [name, value] of Object.entries(outputs)) leaveValue('GITHUB_OUTPUT', name, String(value));
  } catch (error) {
    reporter.warning(`the outputs of this step could not be set: ${describeFailure(error)}`);
  }
}
