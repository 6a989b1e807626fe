import { describeFailure, Failure, failureCode } from '../lib/failure.ts';
import { readAuthorities } from '../lib/http/authorities.ts';
import type { Progress, Reporter } from '../lib/reporter.ts';
import { formatSize } from '../lib/text/size.ts';
import { type ConnectionParts, type ConnectionSettings, openRegistries } from '../registry/registries.ts';
import type { PublishSettings } from './settings.ts';
import type { PackageFile, PackageLocation, PublishTarget } from './target/target.ts';
import type { TargetMeans } from './target/target-kind.ts';

/** How the targets of a publication are talked to. */
type PublicationConnections = Omit<ConnectionSettings, 'login'>;

/** What a run lends to a publication. */
interface PublicationParts extends Omit<ConnectionParts, 'deadline'> {
  readonly reporter: Reporter;
  /** Undefined outside of a workflow run. */
  readonly artifacts: TargetMeans['artifacts'];
}

/** Where a package is after publishing, and where it could not be brought. */
export interface Published {
  readonly locations: readonly PackageLocation[];
  readonly failures: readonly { readonly target: string; readonly error: unknown }[];
}

/** All the targets of a package: proved together, then published to together. */
export class Publication implements Disposable {
  readonly #targets: readonly PublishTarget[];
  readonly #reporter: Reporter;
  readonly #opened: DisposableStack;

  /** Takes targets that are open, and whatever has to be closed after them. */
  constructor(targets: readonly PublishTarget[], reporter: Reporter, opened = new DisposableStack()) {
    this.#targets = targets;
    this.#reporter = reporter;
    this.#opened = opened;
  }

  /** Opens the targets that the settings name. Throws `TARGET_UNAVAILABLE` or `CA_FILE_MALFORMED`. */
  static async open(
    settings: PublishSettings,
    connections: PublicationConnections,
    parts: PublicationParts,
  ): Promise<Publication> {
    using opened = new DisposableStack();
    const means: TargetMeans = {
      retry: connections.retry,
      overwrite: settings.overwrite,
      reporter: parts.reporter,
      artifacts: parts.artifacts,
      openRegistries: async (login) => {
        const registries = await openRegistries({ ...connections, login }, { ...parts, deadline: undefined });
        opened.defer(() => registries.close());
        return registries;
      },
    };
    // A file that cannot be read is a mistake also where no target is a registry.
    await readAuthorities(connections.caFile);
    const targets: PublishTarget[] = [];
    for (const { open } of settings.targets) targets.push(await open(means));
    return new Publication(targets, parts.reporter, opened.move());
  }

  /** Proves credentials and destinations, all at once. Throws `TARGETS_REFUSED`, which lists all that are no good. */
  async prove(signal: AbortSignal): Promise<void> {
    const failures = await this.#toEach((target) => target.prove(signal));
    signal.throwIfAborted();
    if (failures.length === 0) return;
    const told = failures.map(({ target, error }) => `  ${target}: ${describeFailure(error)}`).join('\n');
    throw new Failure({
      code: 'TARGETS_REFUSED',
      about: failures.map(({ target }) => target).join(', '),
      message: `the package cannot go there, so nothing was fetched or sent\n${told}`,
      cause: new AggregateError(
        failures.map(({ error }) => error),
        failures.map(({ error }) => failureCode(error)).join(', '),
      ),
    });
  }

  /** Brings a package to all targets at once. One that fails stops no other; aborting stops all of them. */
  async publish(file: PackageFile, signal: AbortSignal): Promise<Published> {
    if (this.#targets.length === 0) return { locations: [], failures: [] };
    const reporter = this.#reporter;
    reporter.section(`Publishing ${file.name} (${formatSize(file.size)})`);
    const locations: PackageLocation[] = [];
    const tally = new Tally(
      file,
      this.#targets.map(({ name }) => name),
    );
    const failures = await this.#toEach(async (target) => {
      try {
        const location = await target.publish(file, signal, (bytes) => {
          tally.reach(target.name, bytes);
          reporter.progress(tally.progress);
        });
        locations.push(location);
        tally.reach(target.name, file.size);
        reporter.line(describeLocation(location, file));
      } catch (error) {
        reporter.error(`${target.name}: ${describeFailure(error)}`);
        throw error;
      } finally {
        tally.end(target.name);
        reporter.progress(tally.progress);
      }
    });
    reporter.close();
    return { locations, failures };
  }

  /** Closes idle connections, so that the process can end. */
  [Symbol.dispose](): void {
    this.#opened.dispose();
  }

  /** Does something to all targets at once and returns where it failed, in the order of targets. */
  async #toEach(work: (target: PublishTarget) => Promise<void>): Promise<Published['failures']> {
    const failures = await Promise.all(
      this.#targets.map(async (target) => {
        try {
          await work(target);
          return [];
        } catch (error) {
          return [{ target: target.name, error }];
        }
      }),
    );
    return failures.flat();
  }
}

/** How many bytes of a package each target has, and which targets are done with it. */
class Tally {
  readonly #file: PackageFile;
  readonly #bytes: Map<string, number>;
  readonly #ended = new Set<string>();

  constructor(file: PackageFile, targets: readonly string[]) {
    this.#file = file;
    this.#bytes = new Map(targets.map((name) => [name, 0]));
  }

  reach(target: string, bytes: number): void {
    this.#bytes.set(target, bytes);
  }

  end(target: string): void {
    this.#ended.add(target);
  }

  get progress(): Progress {
    const { name: file, size } = this.#file;
    const names = [...this.#bytes.keys()];
    return {
      activity: 'publishing',
      done: this.#ended.size,
      total: names.length,
      unit: 'targets',
      bytes: [...this.#bytes.values()].reduce((sum, count) => sum + count, 0),
      bytesTotal: size * names.length,
      current: names.filter((name) => !this.#ended.has(name)).map((name) => `${file} to ${name}`),
    };
  }
}

function describeLocation({ target, address, outcome }: PackageLocation, file: PackageFile): string {
  const size = formatSize(file.size);
  return outcome === 'present'
    ? `${target}: ${file.name} is there already: ${address}`
    : `${target}: ${file.name} (${size}) published: ${address}`;
}
