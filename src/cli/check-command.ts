import type { Reference } from '../registry/reference.ts';
import { checkJson, checkLines, isMirrored } from '../sync/check-text.ts';
import { checkImage } from '../sync/checking.ts';
import type { SyncSettings } from '../sync/settings.ts';
import type { CommandContext } from './commands.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { runParts } from './sync-command.ts';

/** Tells what source, state and destination know of an image; 0 only where it is mirrored. */
export async function checkCommand(
  image: Reference,
  settings: SyncSettings,
  context: CommandContext,
): Promise<ExitCode> {
  const checked = await checkImage(image, settings, runParts(context));
  context.print(
    settings.json ? JSON.stringify(checkJson(checked), undefined, 2) : checkLines(checked).join('\n'),
  );
  return isMirrored(checked) ? EXIT.success : EXIT.failure;
}
