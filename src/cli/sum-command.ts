import { stateSummaryJson, stateSummaryLines, summariseState } from '../sync/state-summary.ts';
import type { CommandContext } from './commands.ts';
import { EXIT, type ExitCode } from './exit-code.ts';

/** Lists what a state file knows, and leaves it as it is. */
export async function sumCommand(
  database: string,
  json: boolean,
  { reporter, print }: CommandContext,
): Promise<ExitCode> {
  const summary = summariseState(database, reporter);
  print(
    json ? JSON.stringify(stateSummaryJson(summary), undefined, 2) : stateSummaryLines(summary).join('\n'),
  );
  return EXIT.success;
}
