import { packCommand } from './cli/pack-command.ts';
import { runPacker } from './cli/packer-dispatch.ts';
import { pushCommand } from './cli/push-command.ts';
import { EXIT } from './process/exit-code.ts';

// The qiniu and artifact packages still call url.parse(); a user can do nothing about it.
process.noDeprecation = true;
// A reader such as `head` may close the pipe early; that is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.success : EXIT.failure);
});
process.exitCode = await runPacker(process, { pack: packCommand, push: pushCommand });
