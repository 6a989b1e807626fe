import { leaveValue, stateValue } from './command-file.ts';

/** What the main part of action-sync passes to its post part. */
interface KeptState {
  readonly key: string;
  /** Path of the state file. */
  readonly database: string;
}

/** Returns whether this process is the post part of a step. */
export function isPost(): boolean {
  return stateValue('isPost') !== '';
}

/** Marks the next process of this step as the post part. Called before anything can fail. */
export function markMain(): void {
  leaveValue('GITHUB_STATE', 'isPost', 'true');
}

/** Passes to the post part which file to save, and under which key. */
export function keepForPost({ key, database }: KeptState): void {
  leaveValue('GITHUB_STATE', 'key', key);
  leaveValue('GITHUB_STATE', 'database', database);
}

/** Returns what the main part passed on; undefined if it had no state, or if it was a dry run. */
export function keptByMain(): KeptState | undefined {
  const key = stateValue('key');
  return key === '' ? undefined : { key, database: stateValue('database') };
}
