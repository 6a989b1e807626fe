import { reportedFailures } from '../config/reported-failure.ts';
import { RunDeadline } from '../lib/run-deadline.ts';
import { askCredentialHelper } from '../process/credential-helper.ts';
import type { Ending } from '../process/exit-code.ts';
import { measurePackage } from '../publish/contract/package-file.ts';
import { imagesHeadline, nodesCommand, publishImages } from '../publish/images/image-publication.ts';
import type { ImagesSettings } from '../publish/images/images-flags.ts';
import { Publication } from '../publish/publication.ts';
import type { PushSettings } from '../publish/push-settings.ts';
import { openRegistries } from '../registry/registries.ts';
import type { CommandContext } from './commands.ts';

/** Publishes an existing package and shows how to get it, or pushes its images. */
export async function pushCommand(settings: PushSettings, context: CommandContext): Promise<Ending> {
  if (settings.images !== undefined) return await pushImages(settings.images, settings, context);
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
  if (settings.targets.length === 0) reporter.line('published nowhere: --repo is none');
  if (settings.json) {
    const told = failures.flatMap(({ target, error }) =>
      reportedFailures(error).map((failure) => ({ target, ...failure })),
    );
    const { name, size, sha256, qetag } = file;
    print(JSON.stringify({ package: name, size, sha256, qetag, locations, failures: told }, undefined, 2));
  }
  return failures.length === 0 ? 'complete' : 'incomplete';
}

/** Pushes the images of a package to a registry, and ends with a sentence, or with the result as JSON. */
async function pushImages(
  { destination, username, password, dryRun }: ImagesSettings,
  settings: PushSettings,
  { reporter, print, signal: outer }: CommandContext,
): Promise<Ending> {
  using deadline = new RunDeadline(settings.commandTimeout, outer);
  const { signal } = deadline;
  const login = { host: destination.host, username, password };
  const registries = await openRegistries(
    { ...settings, login, queryLimit: undefined, limit: undefined },
    {
      signal,
      deadline: deadline.at,
      environment: process.env,
      runCredentialHelper: askCredentialHelper,
      // What a terminal shows never contains a secret, and there is no log to mask.
      onSecret: () => undefined,
    },
  );
  try {
    const published = await publishImages(settings.package, {
      registry: () => registries.at(destination.host),
      destination,
      overwrite: settings.overwrite,
      dryRun,
      reporter,
      label: (flag) => `--${flag}`,
      signal,
    });
    reporter.line(imagesHeadline(published));
    const command = dryRun ? undefined : nodesCommand(published, destination, settings.caFile);
    if (command !== undefined) reporter.line(`how machines use them: ${command}`);
    if (settings.json) {
      const { images, kubernetes = null, arch = null } = published;
      const failures = published.failures.flatMap(({ name, error }) =>
        reportedFailures(error).map((failure) => ({ name, ...failure })),
      );
      print(JSON.stringify({ kubernetes, arch, images, failures, nodes: command ?? null }, undefined, 2));
    }
    // A push of no images is not a success.
    return published.failures.length === 0 && published.images.length > 0 ? 'complete' : 'incomplete';
  } finally {
    registries.close();
  }
}
