import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { Failure, failureCode } from '../lib/failure.ts';

// Not taken from @actions/core: loading its HTTP client for OpenID Connect would take a third of the time until the
// first request.

/** The files in which a step passes values to the runner. */
type CommandFile = 'GITHUB_OUTPUT' | 'GITHUB_STATE';

/**
 * Passes a value to the runner, whatever characters it contains. Does nothing without a runner. Throws
 * `FILE_UNWRITABLE`.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions#environment-files
 */
export function leaveValue(file: CommandFile, name: string, value: string): void {
  const path = process.env[file] ?? '';
  if (path === '') return;
  // Unpredictable, so that no value can end its block and start another one.
  const delimiter = `keel-${randomUUID()}`;
  try {
    appendFileSync(path, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
  } catch (cause) {
    throw new Failure({
      code: 'FILE_UNWRITABLE',
      about: file,
      message: `the file cannot be written: ${failureCode(cause)}`,
      hint: 'check the disk of the runner, and who owns its temporary files',
      cause,
    });
  }
}

/** Returns a value that an earlier process of this step passed on; empty if there is none. */
export function stateValue(name: string): string {
  return process.env[`STATE_${name}`] ?? '';
}
