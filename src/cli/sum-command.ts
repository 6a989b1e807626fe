import type { Ending } from '../process/exit-code.ts';
import type { SyncSettings } from '../sync/settings.ts';
import { summariseKnownState } from '../sync/state/state-summary.ts';
import type { CommandContext } from './commands.ts';
import { runParts } from './sync-command.ts';
import { stateSummaryJson, stateSummaryLines } from './text/sum-text.ts';

/** Lists the contents of a state, which stays unchanged. */
export async function sumCommand(settings: SyncSettings, context: CommandContext): Promise<Ending> {
  const summary = await summariseKnownState(settings, runParts(context));
  context.print(
    settings.json
      ? JSON.stringify(stateSummaryJson(summary), undefined, 2)
      : stateSummaryLines(summary).join('\n'),
  );
  return 'complete';
}
