import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';

// Written here rather than taken from @actions/core, which brings an HTTP client for OpenID Connect that would take a
// third of the time until the first request.

/** The files by which a step leaves values for the runner. */
type CommandFile = 'GITHUB_OUTPUT' | 'GITHUB_STATE';

/**
 * Leaves a value for the runner, whatever characters it has; without a runner nothing happens.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions#environment-files
 */
export function leaveValue(file: CommandFile, name: string, value: string): void {
  const path = process.env[file] ?? '';
  if (path === '') return;
  // Nobody can foresee it, so no value can end its own block and begin another.
  const delimiter = `keel-${randomUUID()}`;
  appendFileSync(path, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}

/** Returns what an earlier process of this step left in its state; empty where there is nothing. */
export function stateValue(name: string): string {
  return process.env[`STATE_${name}`] ?? '';
}
