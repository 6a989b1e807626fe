import { LogMask } from './log-mask.ts';
import { formatCommand } from './workflow-command.ts';

/** The mask for all that this process prints: the runner is told by commands among it. */
export const PROCESS_MASK = new LogMask((text) => {
  process.stdout.write(`${formatCommand('add-mask', text)}\n`);
});
