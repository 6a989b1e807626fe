import { appendFile } from 'node:fs/promises';
import { describeFailure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';

/**
 * Adds a page of Markdown to the summary of the job. Where there is no summary, as with some tools that run workflows
 * elsewhere, or where it cannot be written, the log says so and the run goes on.
 */
export async function writeJobSummary(page: string, reporter: Reporter): Promise<void> {
  const { GITHUB_STEP_SUMMARY: file = '' } = process.env;
  if (file === '') {
    reporter.detail('there is no job summary here');
    return;
  }
  try {
    await appendFile(file, page);
  } catch (error) {
    reporter.warning(`the job summary could not be written: ${describeFailure(error)}`);
  }
}
