import { describeFailure } from '../lib/failure.ts';
import { RunDeadline } from '../lib/run-deadline.ts';
import { askCredentialHelper } from '../process/credential-helper.ts';
import type { Ending } from '../process/exit-code.ts';
import { measurePackage } from '../publish/contract/package-file.ts';
import { Publication } from '../publish/publication.ts';
import type { PushSettings } from '../publish/push-settings.ts';
import type { CommandContext } from './commands.ts';

/** Publishes an existing package, and shows how to get it. */
export async function pushCommand(settings: PushSettings, context: CommandContext): Promise<Ending> {
  const { reporter, print } = context;
  using deadline = new RunDeadline(settings.commandTimeout, context.signal);
  const { signal } = deadline;
  const connections = { ...settings, queryLimit: undefined, limit: undefined };
  using publication = await Publication.open(settings, connections, {
    reporter,
    signal,
    environment: process.env,
    runCredentialHelper: askCredentialHelper,
    // What a terminal shows never contains a secret, and there is no log to mask.
    onSecret: () => undefined,
    artifacts: undefined,
  });
  const [file] = await Promise.all([measurePackage(settings.package, signal), publication.prove(signal)]);
  const { locations, failures } = await publication.publish(file, signal);
  for (const { instruction } of locations) reporter.line(instruction);
  if (settings.json) {
    const told = failures.map(({ target, error }) => ({ target, message: describeFailure(error) }));
    const { name, size, sha256, qetag } = file;
    print(JSON.stringify({ package: name, size, sha256, qetag, locations, failures: told }, undefined, 2));
  }
  return failures.length === 0 ? 'complete' : 'incomplete';
}
