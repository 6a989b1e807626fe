import { LogMask } from './log-mask.ts';
import { formatCommand } from './workflow-command.ts';

/** The mask for all output of this process, which contains the commands to the runner. */
export const PROCESS_MASK = new LogMask((text) => {
  process.stdout.write(`${formatCommand('add-mask', text)}\n`);
});
