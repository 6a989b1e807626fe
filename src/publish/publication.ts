import { describeFailure, Failure, failureCode } from '../lib/failure.ts';
import { readAuthorities } from '../lib/http/authorities.ts';
import { formatSize } from '../lib/text/size.ts';
import { type ConnectionParts, type ConnectionSettings, openRegistries } from '../registry/connections.ts';
import { type Published, proveTargets, publishToAll } from './publishing.ts';
import type { PublishSettings } from './settings.ts';
import type { PackageFile, PublishTarget } from './target/target.ts';
import type { TargetMeans } from './target/target-kind.ts';

/** How the targets of a publication are talked to. */
export type PublicationConnections = Omit<ConnectionSettings, 'login'>;

export interface PublicationParts extends Omit<ConnectionParts, 'deadline'> {
  readonly reporter: TargetMeans['reporter'];
  /** Only a workflow run has artifacts. */
  readonly artifacts: TargetMeans['artifacts'];
}

/** All the places that a package goes to, as one: proved together, then published to together. */
export class Publication implements Disposable {
  readonly #targets: readonly PublishTarget[];
  readonly #opened: DisposableStack;
  readonly #reporter: TargetMeans['reporter'];

  private constructor(
    targets: readonly PublishTarget[],
    opened: DisposableStack,
    reporter: TargetMeans['reporter'],
  ) {
    this.#targets = targets;
    this.#opened = opened;
    this.#reporter = reporter;
  }

  /** Opens the targets that the settings name. Throws `TARGET_UNAVAILABLE` or `CA_FILE_MALFORMED`. */
  static async open(
    { targets: chosen, overwrite }: PublishSettings,
    connections: PublicationConnections,
    parts: PublicationParts,
  ): Promise<Publication> {
    const { reporter, artifacts } = parts;
    const attempts = { attempts: connections.retry, interval: connections.retryInterval };
    using opened = new DisposableStack();
    const openWithLogin: TargetMeans['openRegistries'] = async (login) => {
      const registries = await openRegistries({ ...connections, login }, { ...parts, deadline: undefined });
      opened.defer(() => registries.close());
      return registries;
    };
    // A file that cannot be read is told to those too whose targets are no registries.
    await readAuthorities(connections.caFile);
    const targets: PublishTarget[] = [];
    for (const { open } of chosen) {
      targets.push(await open({ attempts, overwrite, reporter, artifacts, openRegistries: openWithLogin }));
    }
    return new Publication(targets, opened.move(), reporter);
  }

  /** Proves credentials and destinations. Throws `TARGETS_REFUSED`, which tells all that are no good. */
  async prove(signal: AbortSignal): Promise<void> {
    const failures = await proveTargets(this.#targets, signal);
    if (failures.length === 0) return;
    const told = failures.map(({ target, error }) => `${target}: ${describeFailure(error)}`);
    throw new Failure({
      code: 'TARGETS_REFUSED',
      about: failures.map(({ target }) => target).join(', '),
      message: `the package cannot go there, so nothing was fetched or sent\n${told.map((line) => `  ${line}`).join('\n')}`,
      cause: new AggregateError(
        failures.map(({ error }) => error),
        failures.map(({ error }) => failureCode(error)).join(', '),
      ),
    });
  }

  /** Brings a package to all targets. What one of them says stops no other; aborting stops all of them. */
  async publish(file: PackageFile, signal: AbortSignal): Promise<Published> {
    if (this.#targets.length === 0) return { locations: [], failures: [] };
    this.#reporter.section(`Publishing ${file.name} (${formatSize(file.size)})`);
    const published = await publishToAll(this.#targets, file, signal, this.#reporter);
    this.#reporter.close();
    return published;
  }

  /** Closes idle connections, so that the process can end. */
  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}
