import { leaveValue } from './command-file.ts';

/** What later steps of a job may want to know of a mirroring run. None of it is secret. */
export interface SyncOutputs {
  readonly total: number;
  readonly copied: number;
  readonly skipped: number;
  readonly failed: number;
  /** Bytes sent to the destination. */
  readonly bytes: number;
  /** Path of the JSON report, empty where none was written. */
  readonly report: string;
  readonly 'state-restored': boolean;
}

/** Each output with its description, as action.yml tells it. */
export const SYNC_OUTPUTS: Readonly<Record<keyof SyncOutputs, string>> = {
  total: 'How many images (tags) were wanted',
  copied: 'How many were copied; in a dry run, how many would be',
  skipped: 'How many were there already or were left out for a reason told in the report',
  failed: 'How many failed',
  bytes: 'Bytes sent to the receiving registry',
  report: 'Path of the JSON report; empty where the run ended before it could be written',
  'state-restored': 'Whether what an earlier run knew was found: true or false',
};

/** What a run gives that ended before it counted anything. */
export const NOTHING_DONE: SyncOutputs = {
  total: 0,
  copied: 0,
  skipped: 0,
  failed: 0,
  bytes: 0,
  report: '',
  'state-restored': false,
};

/** Sets all outputs; called on every path, so that a later step never reads an empty text for a number. */
export function setSyncOutputs(
  outputs: SyncOutputs,
  set: (name: string, value: string) => void = (name, value) => leaveValue('GITHUB_OUTPUT', name, value),
): void {
  for (const [name, value] of Object.entries(outputs)) set(name, String(value));
}
