import { checkCommand, checkInstallationCommand } from './cli/check-command.ts';
import { doctorCommand } from './cli/doctor-command.ts';
import { imagesCommand } from './cli/images-command.ts';
import { mergeCommand } from './cli/merge-command.ts';
import { sumCommand } from './cli/sum-command.ts';
import { syncCommand } from './cli/sync-command.ts';
import { runSynctl } from './cli/synctl-dispatch.ts';
import { EXIT } from './process/exit-code.ts';

// A reader such as `head` may close the pipe early; that is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.success : EXIT.failure);
});
process.exitCode = await runSynctl(process, {
  sync: syncCommand,
  check: checkCommand,
  checkInstallation: checkInstallationCommand,
  doctor: doctorCommand,
  images: imagesCommand,
  sum: sumCommand,
  merge: mergeCommand,
});
