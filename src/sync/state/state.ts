import type { DatabaseSync } from 'node:sqlite';
import type { LearntTags } from '../../config/kubernetes/kubeadm-tags.ts';
import { type Duration, seconds } from '../../lib/duration.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { rollBack, sqliteProblem } from '../../lib/sqlite.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Host, Repository, Tag } from '../../registry/oci/reference.ts';
import { deleteHolder, pruneHolders, readHolders, writeHolders } from './blob-rows.ts';
import {
  deleteFailures,
  pruneFailures,
  type RecordedFailure,
  readFailures,
  writeFailures,
} from './failure-rows.ts';
import {
  confirmImages,
  type RecordedImage,
  type RepositorySummary,
  readImages,
  readImagesOf,
  type SeenImage,
  summariseRepositories,
  writeImages,
} from './image-rows.ts';
import { readLearntTags, writeLearntTags } from './kubeadm-rows.ts';
import { ensureRepository, type RepositoryAddress } from './repository-rows.ts';
import {
  type RecordedRun,
  readRuns,
  readScopes,
  readSourceView,
  type SourceView,
  writeRun,
  writeSourceView,
} from './run-rows.ts';
import type { AsideReason } from './set-aside.ts';
import { limitSightings, readSightings, type Sighting, writeSightings } from './sighting-rows.ts';
import { type OpenedState, openInMemory, openStateFile } from './state-file.ts';

const HINTS_BETWEEN_PRUNING = 10_000;

/** How to open a state, and where it reports problems. */
interface StateSettings {
  readonly reporter: Pick<Reporter, 'warning'>;
  /** `read`, for dry runs and listings, changes neither file nor folder and records nothing. Default `write`. */
  readonly mode?: 'write' | 'read' | undefined;
  readonly now?: (() => Date) | undefined;
  /** How long to wait for another process to release the file. It blocks this whole process. Default 2 s. */
  readonly busyTimeout?: Duration | undefined;
}

/** What one run learned about one destination repository. */
export interface RepositoryNews {
  /** Images that were pushed, or that were already there but not in the state. */
  readonly images?: readonly SeenImage[] | undefined;
  /** Tags whose recorded digest the destination confirmed. */
  readonly confirmed?: readonly Tag[] | undefined;
  readonly failures?: readonly Omit<RecordedFailure, 'failed'>[] | undefined;
  /** Blobs that the repository was seen to hold in this run. */
  readonly blobs?: readonly Digest[] | undefined;
}

/** What is recorded when a run ends. */
interface RunNews {
  /** Source, destination and namespace as one text. Runs are recorded and charted by it. */
  readonly scope: string;
  readonly run: RecordedRun;
  /** Undefined if the run did not see all of its sources. */
  readonly sourceViews?: ReadonlyMap<Host, SourceView> | undefined;
}

/**
 * What earlier runs learned. It is a hint that saves requests, and never proves anything. Reading damaged data returns
 * nothing and warns once. After the first failed write, nothing more is written, with one warning.
 */
export class State implements Disposable {
  /** The path of the file, or `:memory:`. */
  readonly file: string;
  /** Whether the file held data of an earlier run. */
  readonly restored: boolean;
  /** Why the file at the path is not used. Undefined if it is used, or if there was no file. */
  readonly rejected: AsideReason | undefined;
  readonly #database: DatabaseSync;
  readonly #settings: StateSettings;
  #readWarned = false;
  #writable: boolean;
  #hintsSincePruning = 0;

  private constructor(file: string, opened: OpenedState, settings: StateSettings) {
    this.file = file;
    this.restored = opened.restored;
    this.rejected = opened.rejected;
    this.#database = opened.database;
    this.#settings = settings;
    this.#writable = settings.mode !== 'read';
  }

  /**
   * Returns the state in a file, or an empty one in memory for `:memory:`. A missing or empty file becomes a new
   * state. An unusable state is renamed with a warning. Throws `STATE_NOT_OURS`, `STATE_UNUSABLE` and `STATE_BUSY`.
   */
  static open(file: string, settings: StateSettings): State {
    if (file === ':memory:') return State.inMemory(settings);
    const opened = openStateFile(file, {
      mode: settings.mode ?? 'write',
      now: settings.now?.() ?? new Date(),
      busyTimeout: settings.busyTimeout ?? seconds(2),
      warn: (text) => settings.reporter.warning(text),
    });
    return new State(file, opened, settings);
  }

  /** Returns an empty state in memory. */
  static inMemory(settings: StateSettings): State {
    return new State(':memory:', openInMemory(), settings);
  }

  /** Returns the image recorded for a tag of a destination repository, or undefined if none is. */
  image(destination: RepositoryAddress, tag: Tag): RecordedImage | undefined {
    return this.imagesOf(destination, [tag]).get(tag);
  }

  /** Returns the images recorded for tags of a destination repository, by their tags. */
  imagesOf(destination: RepositoryAddress, tags: readonly Tag[]): ReadonlyMap<Tag, RecordedImage> {
    return this.#read<ReadonlyMap<Tag, RecordedImage>>(new Map(), () =>
      readImagesOf(this.#database, destination, tags),
    );
  }

  /** Reads the images recorded for a destination repository one by one, in any order. */
  *images(destination: RepositoryAddress): Generator<RecordedImage, void> {
    try {
      yield* readImages(this.#database, destination);
    } catch (error) {
      this.#tellUnreadable(error);
    }
  }

  /** Returns the tags of a destination repository that failed when they were last tried. */
  failures(destination: RepositoryAddress): ReadonlyMap<Tag, RecordedFailure> {
    return this.#read<ReadonlyMap<Tag, RecordedFailure>>(new Map(), () =>
      readFailures(this.#database, destination),
    );
  }

  /** Returns the repositories of a host that are believed to hold a blob, the most recently used first. */
  blobHolders(host: Host, digest: Digest): readonly Repository[] {
    return this.#read([], () => readHolders(this.#database, host, digest));
  }

  /** Returns what earlier runs learnt about kubeadm from upstream. */
  learntTags(): readonly LearntTags[] {
    return this.#read([], () => readLearntTags(this.#database));
  }

  /** Returns what earlier runs saw of a source repository whose tags have to be old enough, by its tags. */
  sightings(source: RepositoryAddress): ReadonlyMap<Tag, Sighting> {
    return this.#read<ReadonlyMap<Tag, Sighting>>(new Map(), () => readSightings(this.#database, source));
  }

  /** Records at once what a source repository has under some tags, and deletes those in `gone`. */
  sight(source: RepositoryAddress, sightings: ReadonlyMap<Tag, Sighting>, gone: readonly Tag[] = []): void {
    if (sightings.size + gone.length === 0) return;
    this.#write((database) => writeSightings(database, source, sightings, gone));
  }

  /** Returns what the last complete run saw at a source host. */
  sourceView(host: Host): SourceView {
    return this.#read({ matched: [], listings: new Map() }, () => readSourceView(this.#database, host));
  }

  /** Returns the last runs of a scope, the oldest first; at most 30. */
  runs(scope: string): readonly RecordedRun[] {
    return this.#read([], () => readRuns(this.#database, scope));
  }

  /** Returns all scopes with recorded runs. */
  scopes(): readonly string[] {
    return this.#read([], () => readScopes(this.#database));
  }

  /** Returns all recorded destination repositories, in numbers. For their images, use `images`. */
  repositories(): readonly RepositorySummary[] {
    return this.#read([], () => summariseRepositories(this.#database));
  }

  /** Records what a run learned about one destination repository, in one transaction. */
  record(destination: RepositoryAddress, news: RepositoryNews): void {
    const { images = [], confirmed = [], failures = [], blobs = [] } = news;
    this.#write((database, now) => {
      const id = ensureRepository(database, destination);
      writeImages(database, id, images, now);
      confirmImages(database, id, confirmed, now);
      deleteFailures(database, id, [...images.map(({ tag }) => tag), ...confirmed]);
      writeFailures(database, id, failures, now);
      writeHolders(database, id, blobs, now);
      this.#hintsSincePruning += blobs.length;
      if (this.#hintsSincePruning >= HINTS_BETWEEN_PRUNING) {
        this.#hintsSincePruning = 0;
        pruneHolders(database, now);
      }
    });
  }

  /** Records at once the answers of upstream about kubeadm of some versions. */
  learn(tags: readonly LearntTags[]): void {
    if (tags.length > 0) this.#write((database) => writeLearntTags(database, tags));
  }

  /**
   * Records at once that a blob arrived in a repository. Even if the run is killed before it records the image, the
   * next run can mount the blob from there.
   */
  noteBlob(destination: RepositoryAddress, digest: Digest): void {
    this.#write((database, now) => {
      writeHolders(database, ensureRepository(database, destination), [digest], now);
    });
  }

  /** Deletes at once the hint that a repository holds a blob, so that no other image mounts it from there. */
  forgetBlob(destination: RepositoryAddress, digest: Digest): void {
    this.#write((database) => deleteHolder(database, ensureRepository(database, destination), digest));
  }

  /**
   * Records the end of a run, and drops outdated entries. Unlike other writes, it waits until the disk has all of it.
   */
  recordRun(news: RunNews): void {
    if (this.#writable) this.#database.exec('PRAGMA synchronous = NORMAL');
    this.#write((database, now) => {
      writeRun(database, news.scope, news.run);
      for (const [host, view] of news.sourceViews ?? []) writeSourceView(database, host, view);
      pruneHolders(database, now);
      pruneFailures(database, now);
      limitSightings(database);
    });
  }

  /** Closes the file. Nothing can be read or recorded afterwards. */
  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #read<T>(nothing: T, read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.#tellUnreadable(error);
      return nothing;
    }
  }

  /** Warns once that something cannot be read. Throws what does not come from SQLite. */
  #tellUnreadable(error: unknown): void {
    if (sqliteProblem(error) === undefined) throw error;
    if (this.#readWarned) return;
    this.#readWarned = true;
    this.#warn(
      'part of the state cannot be read',
      error,
      'the run continues without these records, and needs more requests',
    );
  }

  #write(change: (database: DatabaseSync, now: Date) => void): void {
    if (!this.#writable) return;
    const database = this.#database;
    try {
      database.exec('BEGIN IMMEDIATE');
      change(database, this.#settings.now?.() ?? new Date());
      database.exec('COMMIT');
    } catch (error) {
      rollBack(database);
      if (sqliteProblem(error) === undefined) throw error;
      this.#writable = false;
      this.#warn(
        'the state cannot be written',
        error,
        'the run continues without it, and the next one needs more requests',
      );
    }
  }

  #warn(what: string, error: unknown, consequence: string): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#settings.reporter.warning(`${this.file}: ${what} (${why}); ${consequence}`);
  }
}
