import { leaveValue } from './command-file.ts';

/** What later steps of a job may want to know of a package. None of it is secret. */
export interface PackOutputs {
  /** Its path. */
  readonly package: string;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  /** JSON: a list of where it is, each with `target`, `address` and `instruction`. */
  readonly locations: string;
  /** Path of the JSON that tells what it holds. */
  readonly manifest: string;
}

/** Each output with its description, as action.yml tells it. */
export const PACK_OUTPUTS: Readonly<Record<keyof PackOutputs, string>> = {
  package: 'Path of the package; empty where there is none',
  sha256: 'Its sha256, 64 hexadecimal digits',
  size: 'Its size in bytes',
  locations: 'Where it was published, as a JSON list of objects with target, address and instruction',
  manifest: 'Path of a JSON file that tells what it holds, from where and how it was checked',
};

/** What a run gives that ended without a package. */
export const NO_PACKAGE: PackOutputs = { package: '', sha256: '', size: 0, locations: '[]', manifest: '' };

/** Sets all outputs; called on every path, so that a later step never reads an empty text for a number. */
export function setPackOutputs(outputs: PackOutputs): void {
  for (const [name, value] of Object.entries(outputs)) leaveValue('GITHUB_OUTPUT', name, String(value));
}
