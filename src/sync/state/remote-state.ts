import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFileWhole } from '../../lib/atomic-file.ts';
import { describeFailure, failureCode } from '../../lib/failure.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { countOf } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import { withinSignal } from '../../lib/within-signal.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Registries } from '../../registry/registries.ts';
import type { Registry } from '../../registry/registry.ts';
import { openRunRegistries, type RunParts } from '../parts.ts';
import type { SyncSettings } from '../settings.ts';
import { joinStates } from './joined-state.ts';
import { explainAside } from './set-aside.ts';
import { State } from './state.ts';
import {
  type FoundState,
  findShardTags,
  type PackedState,
  packState,
  pullState,
  pushState,
  type StatePlace,
  statePlace,
  unusableArtifact,
} from './state-in-registry.ts';

/** What a state in a registry needs of its run. */
interface RemoteStateParts extends Omit<RunParts, 'version' | 'reporter'> {
  readonly reporter: Pick<Reporter, 'line'>;
  /** Source, destination and namespace as one text. Runs are recorded under it. */
  readonly scope: string;
  readonly warning: (text: string) => void;
  /** Whether `--db` and the registry must stay unchanged. */
  readonly isReadOnly: boolean;
  /** The consequence to report if there is no state at all. Default: that for a run. */
  readonly consequence?: string | undefined;
}

const RUN_CONSEQUENCE = 'this run checks what the destination has';
const FETCH_LIMIT_MILLISECONDS = 30_000;
const PUSH_LIMIT_MILLISECONDS = 60_000;
/** A run that is stopped has 5 seconds in all. */
const LAST_PUSH_LIMIT_MILLISECONDS = 3000;
/** Many registries give the same answer for an absent repository as for a forbidden one. */
const NOT_THERE: ReadonlySet<string> = new Set(['NOT_FOUND', 'DENIED', 'UNAUTHORIZED']);

/** A state that was fetched, and the name of its place. */
interface PulledState extends Pick<FoundState, 'bytes'> {
  readonly from: string;
}

/** The state at `--db` before the registry's is fetched. */
interface LocalState {
  readonly isThere: boolean;
  /** When the last recorded run of this scope ended. */
  readonly lastRun: Date | undefined;
}

/**
 * Returns the state that is kept in a registry, or undefined if the settings keep it in a file. Opens the file at
 * `--db`; unless `isReadOnly`, an unusable file is set aside. Throws what `State.open` throws.
 */
export function openRemoteState(settings: SyncSettings, parts: RemoteStateParts): RemoteState | undefined {
  return settings.state === 'registry'
    ? new RemoteState(settings, parts, inspectLocalState(settings.database, parts))
    : undefined;
}

function inspectLocalState(file: string, parts: RemoteStateParts): LocalState {
  const { isReadOnly, now, warning, scope } = parts;
  using state = State.open(file, {
    // A command that only reads opens the file again later, and warns then.
    reporter: { warning: isReadOnly ? () => undefined : warning },
    mode: isReadOnly ? 'read' : 'write',
    now,
  });
  const local = { isThere: state.restored, lastRun: state.runs(scope).at(-1)?.ended };
  // Opening created the file. If it stayed, it would look like the state of an earlier run.
  if (!isReadOnly && !local.isThere) rmSync(file, { force: true });
  return local;
}

/**
 * The state of `--state registry`: fetched from the destination before a run, and pushed there after it. A failure to
 * fetch or push it is reported, and costs later runs requests, but fails no run.
 */
export class RemoteState implements Disposable {
  /** Path of the file that the run should open: `--db`, or in a dry run possibly a temporary copy. */
  file: string;
  readonly #settings: SyncSettings;
  readonly #parts: RemoteStateParts;
  readonly #place: StatePlace;
  readonly #local: LocalState;
  #found: FoundState | undefined;
  /** Whether the registry answered that there is no state. */
  #wasAbsent = false;
  #scratch: string | undefined;
  readonly #disposed = new AbortController();

  constructor(settings: SyncSettings, parts: RemoteStateParts, local: LocalState) {
    this.#settings = settings;
    this.#parts = parts;
    this.#place = statePlace(settings);
    this.#local = local;
    this.file = settings.database;
  }

  /** Its name in the registry: `host/namespace/keel-state:tag`. */
  get name(): string {
    const { repository, tag } = this.#place;
    return `${this.#settings.destination}/${repository}:${tag}`;
  }

  /** Returns a function that fetches the last run's state into `file`, unless that is as new. It never throws. */
  fetching(registries: Registries, signal: AbortSignal): () => Promise<void> {
    const registry = registries.at(this.#settings.destination);
    return () => this.#fetch(registry, AbortSignal.any([signal, this.#disposed.signal]));
  }

  /** Pushes the state at `file`, unless it is unchanged. Aborting `ended` shortens the time that the push may take. */
  async push(ended: AbortSignal): Promise<void> {
    const { reporter, warning, isReadOnly } = this.#parts;
    if (isReadOnly) return;
    const { name } = this;
    try {
      const file = readFileSync(this.file);
      const packed = await packState(file);
      if (packed.digest === this.#found?.layer) {
        reporter.line('state: unchanged, so it was not pushed');
        return;
      }
      await this.#pushWithin(ended, packed);
      reporter.line(`state: pushed to ${name}, ${formatSize(packed.layer.length)}`);
    } catch (error) {
      warning(`state: not pushed, ${describeFailure(error)}; the next run uses an older one`);
    }
  }

  [Symbol.dispose](): void {
    this.#disposed.abort(new Error('the run is over'));
    if (this.#scratch !== undefined) rmSync(this.#scratch, { recursive: true, force: true });
  }

  async #fetch(registry: Registry, signal: AbortSignal): Promise<void> {
    const { reporter, warning, isReadOnly } = this.#parts;
    const { isThere, lastRun } = this.#local;
    const name = registry.nameOf(this.#place.repository, this.#place.tag);
    const without = this.#parts.consequence ?? RUN_CONSEQUENCE;
    const consequence = isThere ? `${this.file} is used` : without;
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(FETCH_LIMIT_MILLISECONDS)]);
      const found = await withinSignal(this.#pull(registry, limit), limit);
      const foundRun = this.#inspect(found.bytes, name);
      if (isThere && lastRun !== undefined && foundRun <= lastRun) {
        reporter.line(`state: ${this.file} is as new as ${name}, so it is used`);
        return;
      }
      if (isReadOnly) this.file = this.#writeScratch('state.db', found.bytes);
      else writeFileWhole(this.file, found.bytes);
      reporter.line(`state: fetched from ${found.from}, ${formatSize(found.bytes.length)}`);
    } catch (error) {
      if (signal.aborted) return;
      if (failureCode(error) === 'NOT_FOUND') reporter.line(`state: none at ${name} yet; ${consequence}`);
      else if (NOT_THERE.has(failureCode(error))) {
        reporter.line(
          `state: there is none, or it cannot be read: ${describeFailure(error)}; ${consequence}`,
        );
      } else warning(`state: not fetched, ${describeFailure(error)}; ${consequence}`);
    }
  }

  async #pull(registry: Registry, signal: AbortSignal): Promise<PulledState> {
    const { repository, tag, fallback } = this.#place;
    try {
      this.#found = await pullState(registry, repository, tag, signal);
      return { bytes: this.#found.bytes, from: this.name };
    } catch (error) {
      if (failureCode(error) !== 'NOT_FOUND') throw error;
      this.#wasAbsent = true;
      if (fallback === undefined) return await this.#joinShards(registry, signal, error);
      const { bytes } = await pullState(registry, repository, fallback, signal);
      return { bytes, from: registry.nameOf(repository, fallback) };
    }
  }

  /** Returns the states of all shards as one. Throws `absence` if there are none. */
  async #joinShards(registry: Registry, signal: AbortSignal, absence: unknown): Promise<PulledState> {
    const { repository } = this.#place;
    const tags = await findShardTags(registry, this.#place, signal).catch(() => []);
    const pulled = await Promise.allSettled(tags.map((tag) => pullState(registry, repository, tag, signal)));
    const files = pulled.flatMap((state, index) =>
      state.status === 'fulfilled' ? [this.#writeScratch(`shard-${index}.db`, state.value.bytes)] : [],
    );
    const file = this.#writeScratch('joined.db', Buffer.alloc(0));
    const joined = joinStates(file, files, () => undefined);
    if (joined === 0) throw absence;
    return { bytes: readFileSync(file), from: `${this.name}-…, joined from ${countOf(joined, 'shard')}` };
  }

  /**
   * Returns when the last run recorded in a fetched state ended. Throws `STATE_UNUSABLE` if a run could not use the
   * state.
   */
  #inspect(bytes: Buffer, name: string): Date {
    using state = this.#openFetched(bytes, name);
    if (state.restored) return state.runs(this.#parts.scope).at(-1)?.ended ?? new Date(0);
    const { rejected } = state;
    throw unusableArtifact(name, rejected === undefined ? 'it is empty' : explainAside(rejected));
  }

  #openFetched(bytes: Buffer, name: string): State {
    const file = this.#writeScratch('fetched.db', bytes);
    try {
      return State.open(file, { reporter: { warning: () => undefined }, mode: 'read' });
    } catch (error) {
      throw unusableArtifact(name, 'it is not a state of synctl', error);
    }
  }

  async #pushWithin(ended: AbortSignal, packed: PackedState): Promise<void> {
    const budget = new AbortController();
    const expire = (): void => budget.abort(new Error(`${this.#settings.destination} took too long`));
    let timer = setTimeout(expire, PUSH_LIMIT_MILLISECONDS);
    const hurry = (): void => {
      clearTimeout(timer);
      timer = setTimeout(expire, LAST_PUSH_LIMIT_MILLISECONDS);
    };
    ended.addEventListener('abort', hurry, { once: true });
    if (ended.aborted) hurry();
    const { signal } = budget;
    // The run's own registries are closed when it ends.
    const registries = await openRunRegistries(this.#settings, {
      ...this.#parts,
      signal,
      deadline: undefined,
    });
    try {
      await withinSignal(this.#replace(registries.at(this.#settings.destination), packed, signal), signal);
    } finally {
      clearTimeout(timer);
      ended.removeEventListener('abort', hurry);
      registries.close();
    }
  }

  async #replace(registry: Registry, packed: PackedState, signal: AbortSignal): Promise<void> {
    const { repository, tag } = this.#place;
    const present = await this.#present(registry, signal);
    const isKnown = this.#wasAbsent || this.#found !== undefined;
    if (isKnown && present !== undefined && present !== this.#found?.manifest) {
      const name = registry.nameOf(repository, tag);
      this.#parts.warning(
        `state: another run pushed to ${name} during this run; the state of this run replaces that one`,
      );
    }
    const isOrdinary = this.#found?.isOrdinary ?? false;
    await pushState(registry, this.#place, { ...packed, isOrdinary }, signal);
  }

  async #present(registry: Registry, signal: AbortSignal): Promise<Digest | undefined> {
    try {
      return (await registry.findManifest(this.#place.repository, this.#place.tag, signal))?.digest;
    } catch (error) {
      // Absent or damaged. The push will show whether it can be replaced.
      if (signal.aborted) throw error;
      return undefined;
    }
  }

  #writeScratch(name: string, bytes: Buffer): string {
    this.#scratch ??= mkdtempSync(join(tmpdir(), 'keel-state-'));
    const file = join(this.#scratch, name);
    writeFileSync(file, bytes);
    return file;
  }
}
