import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';

// Not taken from @actions/core: loading its HTTP client for OpenID Connect would take a third of the time until the
// first request.

/** The files in which a step passes values to the runner. */
type CommandFile = 'GITHUB_OUTPUT' | 'GITHUB_STATE';

/**
 * Passes a value to the runner, whatever characters it contains. Does nothing without a runner.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions#environment-files
 */
export function leaveValue(file: CommandFile, name: string, value: string): void {
  const path = process.env[file] ?? '';
  if (path === '') return;
  // Unpredictable, so that no value can end its block and start another one.
  const delimiter = `keel-${randomUUID()}`;
  appendFileSync(path, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}

/** Returns a value that an earlier process of this step passed on; empty if there is none. */
export function stateValue(name: string): string {
  return process.env[`STATE_${name}`] ?? '';
}
