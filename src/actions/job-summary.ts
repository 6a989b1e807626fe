import { appendFile } from 'node:fs/promises';
import { describeFailure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';

/**
 * Adds a page of Markdown to the job's summary. Never throws: if there is no summary, as in some tools that run
 * workflows elsewhere, or if it cannot be written, the log says so.
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
