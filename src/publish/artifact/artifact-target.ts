import { basename, dirname } from 'node:path';
import { type Duration, formatDuration, milliseconds, seconds } from '../../lib/duration.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { withinSignal } from '../../lib/within-signal.ts';
import { alreadyPublished, mayReplace } from '../contract/replacement.ts';
import type { ArtifactStore, RunArtifacts } from '../contract/run-artifacts.ts';
import type { PackageFile, PackageLocation, PublishTarget, TransferProgress } from '../contract/target.ts';

/** The artifacts of a run, and whether a package may replace one of them. */
interface ArtifactSettings extends RunArtifacts {
  readonly overwrite: boolean;
  /** The longest time that the service may take to answer; set by tests. */
  readonly patience?: Duration | undefined;
}

const BY_SIZE = 'compared by size only, because the service reports no digest';
const PROBE_NAME = 'keel-pkg-probe';
/** The toolkit retries by itself for three minutes, and waits forever for the rest of an answer that was cut off. */
const PATIENCE = seconds(300);
/** A rate below that of any runner sending to GitHub. */
const BYTES_PER_MILLISECOND = 1000;

/** Publishes packages as artifacts of the workflow run, without a zip archive around them. */
export class ArtifactTarget implements PublishTarget {
  readonly name = 'artifact';
  readonly #settings: ArtifactSettings;

  constructor(settings: ArtifactSettings) {
    this.#settings = settings;
  }

  /** Requests an artifact that does not exist: a job that may not store artifacts gets another error. */
  async prove(signal: AbortSignal): Promise<void> {
    const store = await this.#settings.openStore();
    await this.#find(store, PROBE_NAME, signal);
  }

  async publish(
    file: PackageFile,
    signal: AbortSignal,
    onProgress: TransferProgress,
  ): Promise<PackageLocation> {
    const store = await this.#settings.openStore();
    // An artifact without an archive is named after its file, whatever the name in the request.
    const name = basename(file.path);
    const present = await this.#find(store, name, signal);
    if (present !== undefined && isSame(present, file)) {
      const uncompared = present.digest === undefined ? BY_SIZE : undefined;
      return { ...this.#locate(present.id, 'present'), uncompared };
    }
    if (present !== undefined) {
      if (!mayReplace(file.name, this.#settings.overwrite))
        throw alreadyPublished(name, 'this run already has a different artifact with this name');
      await this.#within(store.deleteArtifact(name), signal);
    }
    const upload = store.uploadArtifact(name, [file.path], dirname(file.path), { skipArchive: true });
    const { id, digest } = await this.#within(upload, signal, file.size / BYTES_PER_MILLISECOND);
    if (digest !== undefined && hexOf(digest) !== hexOf(file.sha256)) throw arrivedDifferent(name, digest);
    onProgress(file.size);
    return this.#locate(id, 'published');
  }

  async #find(store: ArtifactStore, name: string, signal: AbortSignal) {
    const search = store.getArtifact(name).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'ArtifactNotFoundError') return undefined;
      throw error;
    });
    return (await this.#within(search, signal))?.artifact;
  }

  /**
   * Returns the result of the toolkit, which cannot be stopped. `extra` is the time in milliseconds for what is sent.
   */
  async #within<Result>(work: Promise<Result>, signal: AbortSignal, extra = 0): Promise<Result> {
    const patience = milliseconds((this.#settings.patience ?? PATIENCE) + extra);
    const expiry = new AbortController();
    const timer = setTimeout(() => expiry.abort(unfinished(patience)), patience);
    try {
      return await withinSignal(work, AbortSignal.any([signal, expiry.signal]));
    } catch (error) {
      signal.throwIfAborted();
      throw error === expiry.signal.reason ? error : unavailable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #locate(id: number | undefined, outcome: PackageLocation['outcome']): PackageLocation {
    const { runUrl } = this.#settings;
    const address = id === undefined ? runUrl : `${runUrl}/artifacts/${id}`;
    const instruction = 'open the address in a browser that is signed in to GitHub';
    return { target: this.name, address, instruction, outcome };
  }
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, '');
}

function isSame(present: { size: number; digest?: string }, file: PackageFile): boolean {
  if (present.digest !== undefined) return hexOf(present.digest) === hexOf(file.sha256);
  return present.size === file.size;
}

function unavailable(cause: unknown): Failure<'ARTIFACTS_UNAVAILABLE'> {
  const text = cause instanceof Error ? cause.message : String(cause);
  // The storage service may refuse without a message.
  const detail = text.split('\n').find((line) => line.trim() !== '') ?? 'the service refused the request';
  const code = failureCode(cause);
  return new Failure({
    code: 'ARTIFACTS_UNAVAILABLE',
    about: 'workflow artifacts',
    message: `${detail}${code === 'UNEXPECTED' ? '' : ` (${code})`}`,
    hint: 'artifacts exist in workflow runs on github.com; elsewhere publish to another target',
    cause,
  });
}

function unfinished(patience: Duration): Failure<'ARTIFACTS_UNAVAILABLE'> {
  return new Failure({
    code: 'ARTIFACTS_UNAVAILABLE',
    about: 'workflow artifacts',
    message: `the service sent no complete response within ${formatDuration(patience)}`,
    hint: 'run the job again; the partial upload is not used',
  });
}

function arrivedDifferent(name: string, digest: string): Failure<'DIGEST_MISMATCH'> {
  const message = `the service stored the artifact with a different digest, ${digest}`;
  return new Failure({ code: 'DIGEST_MISMATCH', about: name, message, hint: 'publish it again' });
}
