import type { Reference } from '../registry/reference.ts';
import { areSignaturesFine } from '../sync/check-signatures.ts';
import { checkJson, checkLines, isMirrored } from '../sync/check-text.ts';
import { checkImage } from '../sync/checking.ts';
import { checkInstallation, type InstallationChoice } from '../sync/installation.ts';
import { installationJson, installationLines, isInstallable } from '../sync/installation-text.ts';
import type { SyncSettings } from '../sync/settings.ts';
import type { CommandContext } from './commands.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { runParts } from './sync-command.ts';

/** Tells whether the destination has what an installation needs, and how to use it; 0 only where it has all of it. */
export async function checkInstallationCommand(
  choice: InstallationChoice,
  settings: SyncSettings,
  context: CommandContext,
): Promise<ExitCode> {
  const checked = await checkInstallation(choice, settings, runParts(context));
  const text = settings.json
    ? JSON.stringify(installationJson(checked), undefined, 2)
    : installationLines(checked, process.stdout.columns).join('\n');
  context.print(text);
  return isInstallable(checked) ? EXIT.success : EXIT.failure;
}

/** Tells what source, state and destination know of an image; 0 only where it is mirrored, and signed where it has to be. */
export async function checkCommand(
  image: Reference,
  settings: SyncSettings,
  context: CommandContext,
): Promise<ExitCode> {
  const checked = await checkImage(image, settings, runParts(context));
  context.print(
    settings.json
      ? JSON.stringify(checkJson(checked), undefined, 2)
      : checkLines(checked, process.stdout.columns).join('\n'),
  );
  return isMirrored(checked) && areSignaturesFine(checked) ? EXIT.success : EXIT.failure;
}
