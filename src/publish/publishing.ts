import { describeFailure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';
import { formatSize } from '../lib/text/size.ts';
import type { PackageFile, PackageLocation, PublishTarget } from './target/target.ts';

/** A target that could not be proved or published to, and why. */
export interface TargetFailure {
  readonly target: string;
  readonly error: unknown;
}

/** What became of a package: where it is, and where it could not be brought. */
export interface Published {
  readonly locations: readonly PackageLocation[];
  readonly failures: readonly TargetFailure[];
}

/** Proves all targets at once and returns those that are no good; throws only when the run is aborted. */
export async function proveTargets(
  targets: readonly PublishTarget[],
  signal: AbortSignal,
): Promise<readonly TargetFailure[]> {
  const outcomes = await Promise.allSettled(targets.map((target) => target.prove(signal)));
  signal.throwIfAborted();
  return targets.flatMap((target, index) => {
    const outcome = outcomes[index];
    return outcome?.status === 'rejected' ? [{ target: target.name, error: outcome.reason }] : [];
  });
}

/** Brings a package to all targets at once. One that fails stops no other; aborting stops all of them. */
export async function publishToAll(
  targets: readonly PublishTarget[],
  file: PackageFile,
  signal: AbortSignal,
  reporter: Reporter,
): Promise<Published> {
  const bytes = new Map(targets.map((target) => [target.name, 0]));
  const ended = new Set<string>();
  const locations: PackageLocation[] = [];
  const failures: TargetFailure[] = [];
  const showProgress = (): void =>
    reporter.progress({
      activity: 'publishing',
      done: ended.size,
      total: targets.length,
      unit: 'targets',
      bytes: [...bytes.values()].reduce((sum, count) => sum + count, 0),
      bytesTotal: file.size * targets.length,
      current: targets.filter(({ name }) => !ended.has(name)).map(({ name }) => `${file.name} to ${name}`),
    });
  await Promise.all(
    targets.map(async (target) => {
      try {
        const location = await target.publish(file, signal, (count) => {
          bytes.set(target.name, count);
          showProgress();
        });
        locations.push(location);
        bytes.set(target.name, file.size);
        reporter.line(describeLocation(location, file));
      } catch (error) {
        failures.push({ target: target.name, error });
        reporter.error(`${target.name}: ${describeFailure(error)}`);
      }
      ended.add(target.name);
      showProgress();
    }),
  );
  return { locations, failures };
}

function describeLocation({ target, address, outcome }: PackageLocation, file: PackageFile): string {
  const size = formatSize(file.size);
  return outcome === 'present'
    ? `${target}: ${file.name} is there already: ${address}`
    : `${target}: ${file.name} (${size}) published: ${address}`;
}
