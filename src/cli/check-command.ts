import type { Ending } from '../process/exit-code.ts';
import type { Reference } from '../registry/oci/reference.ts';
import { areSignaturesFine } from '../sync/check/check-signatures.ts';
import { checkImage } from '../sync/check/image-check.ts';
import { checkInstallation, type InstallationChoice, isInstallable } from '../sync/check/installation.ts';
import { hasNothingLeft } from '../sync/check/mirror-verdict.ts';
import type { SyncSettings } from '../sync/settings.ts';
import { Upstream } from '../upstream/upstream.ts';
import type { CommandContext } from './commands.ts';
import { runParts } from './sync-command.ts';
import { checkJson, checkLines } from './text/check-text.ts';
import { installationJson, installationLines } from './text/installation-text.ts';

/**
 * Prints whether the destination has all images that an installation needs, and how to use it. `complete` only if it
 * has all of them.
 */
export async function checkInstallationCommand(
  choice: InstallationChoice,
  settings: SyncSettings,
  context: CommandContext,
): Promise<Ending> {
  using maker = await Upstream.open(settings, context);
  const checked = await checkInstallation(choice, settings, { ...runParts(context), maker });
  const text = settings.json
    ? JSON.stringify(installationJson(checked), undefined, 2)
    : installationLines(checked, process.stdout.columns).join('\n');
  context.print(text);
  return isInstallable(checked) ? 'complete' : 'incomplete';
}

/**
 * Prints what the source, the state and the destination contain of an image. `complete` only if it is mirrored, or too
 * young to be, and its signature is fine.
 */
export async function checkCommand(
  image: Reference,
  settings: SyncSettings,
  context: CommandContext,
): Promise<Ending> {
  using maker = await Upstream.open(settings, context);
  const checked = await checkImage(image, settings, { ...runParts(context), maker });
  context.print(
    settings.json
      ? JSON.stringify(checkJson(checked), undefined, 2)
      : checkLines(checked, process.stdout.columns).join('\n'),
  );
  return hasNothingLeft(checked.tags) && areSignaturesFine(checked) ? 'complete' : 'incomplete';
}
