import { describeFailure, Failure, failureCode } from '../lib/failure.ts';
import { readAuthorities } from '../lib/http/certificate-authorities.ts';
import type { Progress, Reporter } from '../lib/reporter.ts';
import { formatSize } from '../lib/text/size.ts';
import { type ConnectionParts, type ConnectionSettings, openRegistries } from '../registry/registries.ts';
import type { PackageFile, PackageLocation, PublishTarget } from './contract/target.ts';
import type { TargetMeans } from './contract/target-kind.ts';
import type { PublishSettings } from './settings.ts';

/** How to connect to the targets of a publication. */
type PublicationConnections = Omit<ConnectionSettings, 'login'>;

/** What a run provides to a publication. */
interface PublicationParts extends Omit<ConnectionParts, 'deadline'> {
  readonly reporter: Reporter;
  /** Undefined outside a workflow run. */
  readonly artifacts: TargetMeans['artifacts'];
}

/** Where a package was published, and where publishing failed. */
export interface Published {
  readonly locations: readonly PackageLocation[];
  readonly failures: readonly { readonly target: string; readonly error: unknown }[];
}

/** All targets of a package: checked together, then published to together. */
export class Publication implements Disposable {
  readonly #targets: readonly PublishTarget[];
  readonly #reporter: Reporter;
  readonly #opened: DisposableStack;

  /** `opened` is disposed together with the publication. */
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
    const { caFile, tlsSkipVerify: unverified } = connections;
    // It may be a pipe, which is read only once.
    const authorities = await readAuthorities(caFile, parts.signal);
    const lent = { ...parts, authorities, deadline: undefined };
    const means: TargetMeans = {
      retry: connections.retry,
      overwrite: settings.overwrite,
      reporter: parts.reporter,
      artifacts: parts.artifacts,
      trust: { authorities, unverified },
      openRegistries: async (login) => {
        const registries = await openRegistries({ ...connections, login }, lent);
        opened.defer(() => registries.close());
        return registries;
      },
    };
    const targets: PublishTarget[] = [];
    for (const { open } of settings.targets) targets.push(await open(means));
    return new Publication(targets, parts.reporter, opened.move());
  }

  /** Checks all targets in parallel. Throws `TARGETS_REFUSED`, which lists each target that failed. */
  async prove(signal: AbortSignal): Promise<void> {
    const failures = await this.#toEach((target) => target.prove(signal));
    signal.throwIfAborted();
    if (failures.length === 0) return;
    const told = failures.map(({ target, error }) => `  ${target}: ${describeFailure(error)}`).join('\n');
    throw new Failure({
      code: 'TARGETS_REFUSED',
      about: failures.map(({ target }) => target).join(', '),
      message: `packer cannot publish the package to this target, so it fetched and sent nothing\n${told}`,
      cause: new AggregateError(
        failures.map(({ error }) => error),
        failures.map(({ error }) => failureCode(error)).join(', '),
      ),
    });
  }

  /** Uploads a package to all targets in parallel. A failed target does not stop the others; an abort stops all. */
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

  /** Closes idle connections, so that the process can exit. */
  [Symbol.dispose](): void {
    this.#opened.dispose();
  }

  /** Does the work for all targets in parallel and returns the failures, in the order of the targets. */
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

/** Counts the bytes that have arrived at each target, and the targets that are done. */
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

function describeLocation(
  { target, address, outcome, uncompared }: PackageLocation,
  file: PackageFile,
): string {
  const size = formatSize(file.size);
  const except = uncompared === undefined ? '' : ` (${uncompared})`;
  return outcome === 'present'
    ? `${target}: ${file.name} is already published${except}: ${address}, ${file.sha256}`
    : `${target}: ${file.name} (${size}) published: ${address}, ${file.sha256}`;
}
