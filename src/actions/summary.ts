import * as core from '@actions/core';
import { describeFailure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';

/**
 * Adds a page of Markdown to the summary of the job. Where there is no summary, as with some tools that run workflows
 * elsewhere, or where it cannot be written, the log says so and the run goes on.
 */
export async function writeJobSummary(page: string, reporter: Reporter): Promise<void> {
  if ((process.env['GITHUB_STEP_SUMMARY'] ?? '') === '') {
    reporter.detail('there is no job summary here');
    return;
  }
  try {
    await core.summary.addRaw(page).write();
  } catch (error) {
    reporter.warning(`the job summary could not be written: ${describeFailure(error)}`);
  }
}
