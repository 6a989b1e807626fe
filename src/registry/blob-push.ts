import { ConcurrencyLimiter } from '../lib/concurrency-limiter.ts';
import { failureCode, isDeferred, isTransient } from '../lib/failure.ts';
import { discardBody } from '../lib/http/http.ts';
import { HttpFailure, isConnectionFailure } from '../lib/http/http-failure.ts';
import { pushScope } from './auth/scope.ts';
import type { BlobSource } from './blob-source.ts';
import {
  type BlobPush,
  cancelUpload,
  catchUp,
  inspectUpload,
  isRefusal,
  type Mount,
  newMeter,
  openUpload,
  type ResumePoint,
  sendChunks,
  sendWhole,
  type Upload,
  type UploadSource,
} from './blob-upload.ts';
import type { Repository } from './oci/reference.ts';
import type { Registry } from './registry.ts';

/** How a blob came to a repository: it was there, it was mounted from another repository, or it was uploaded. */
export type Placed = 'present' | 'mounted' | 'uploaded';

/** How a registry answers the request to mount a blob from the repository that it is mounted to. */
interface MountHabits {
  selfMount: 'unknown' | 'reliable' | 'unreliable';
  /** Whether it answers that for repositories that do not exist yet. Some registries refuse. */
  takesNew: boolean;
  /** Repositories that it did not let us mount from. A token for them is not asked for again. */
  readonly closed: Set<Repository>;
}

const CHUNKED_FROM_BYTES = 64 * 1024 * 1024;
/** For smaller blobs an unnecessary upload costs less than a request. */
const WORTH_ASKING_BYTES = 8 * 1024 * 1024;
const habitsOf = new WeakMap<Registry, MountHabits>();

/**
 * Brings one blob to one repository with as few requests as possible: one for a mount, a POST and a streaming PUT for a
 * new blob. Checks the digest of the bytes. If the transfer of a large blob is cut, it is resumed in chunks. Uploads
 * that are not completed are deleted. Returns how the blob came there. Throws the failure of the last attempt.
 */
export async function pushBlob(push: BlobPush): Promise<Placed> {
  return new Pushing(push).run();
}

class Pushing {
  readonly #push: BlobPush;
  readonly #habits: MountHabits;
  readonly #dead = new Map<BlobSource, unknown>();
  #mount: Mount | undefined;
  #lastUsed: BlobSource | undefined;
  #isChunked = false;
  #resumePoint: ResumePoint | undefined;

  constructor(push: BlobPush) {
    const { registry, repository, descriptor, mountFrom } = push;
    this.#push = push;
    this.#habits = habitsOf.get(registry) ?? { selfMount: 'unknown', takesNew: true, closed: new Set() };
    habitsOf.set(registry, this.#habits);
    if (mountFrom !== undefined && mountFrom !== repository) {
      this.#mount = { digest: descriptor.digest, from: mountFrom };
    }
  }

  async run(): Promise<Placed> {
    const { registry, signal } = this.#push;
    try {
      return await registry.retrying(signal, async () => {
        await registry.ping();
        const opened = await this.#tryMount();
        return opened === 'mounted' ? opened : await this.#transfer(opened);
      });
    } finally {
      if (this.#resumePoint !== undefined) await cancelUpload(registry, this.#resumePoint.upload);
    }
  }

  async #tryMount(): Promise<Upload | 'mounted' | undefined> {
    const { registry, repository, signal } = this.#push;
    const mount = this.#mount;
    if (mount === undefined || this.#habits.closed.has(mount.from)) return undefined;
    const giveBack = await ConcurrencyLimiter.take([registry.limits.metadata], signal);
    try {
      const opened = await openUpload(registry, repository, signal, mount);
      this.#mount = undefined;
      registry.limits.metadata.succeeded();
      if (opened === 'denied') this.#habits.closed.add(mount.from);
      return opened === 'refused' || opened === 'denied' ? undefined : opened;
    } finally {
      giveBack();
    }
  }

  /** Tries one source after another while each one cannot have the blob. That does not count as an attempt. */
  async #transfer(mounted: Upload | undefined): Promise<Placed> {
    let upload = mounted;
    for (;;) {
      const source = this.#chooseSource();
      try {
        return await this.#transferFrom(source, upload);
      } catch (error) {
        upload = undefined;
        const isLast = this.#push.sources().every((other) => this.#dead.has(other));
        if (!this.#dead.has(source) || isLast) throw error;
      }
    }
  }

  #chooseSource(): BlobSource {
    const living = this.#push.sources().filter((source) => !this.#dead.has(source));
    const chosen = living.find((source) => source !== this.#lastUsed) ?? living[0];
    if (chosen === undefined) throw [...this.#dead.values()].at(-1) ?? new Error('a blob without a source');
    this.#lastUsed = chosen;
    return chosen;
  }

  async #transferFrom(source: BlobSource, mounted: Upload | undefined): Promise<Placed> {
    const { registry, signal, onActive } = this.#push;
    const limiters = [registry.limits.transfers, ...(source.limiter === undefined ? [] : [source.limiter])];
    let giveBack: () => void;
    try {
      await Promise.all([registry.limits.patience(signal), source.patience?.(signal)]);
      giveBack = await ConcurrencyLimiter.take(limiters, signal);
    } catch (error) {
      if (mounted !== undefined) await cancelUpload(registry, mounted);
      throw error;
    }
    onActive?.(true);
    try {
      const placed = await this.#deliver(this.#watched(source), mounted);
      for (const limiter of limiters) limiter.succeeded();
      return placed;
    } finally {
      onActive?.(false);
      giveBack();
    }
  }

  /** Returns a source that is not used again after a failure that lasts, or that lasts longer than the run would wait. */
  #watched(source: BlobSource): UploadSource {
    return {
      about: source.about,
      open: async (descriptor, signal, range) => {
        try {
          return await source.open(descriptor, signal, range);
        } catch (error) {
          const isPassing = isTransient(error) && !isDeferred(error);
          if (!signal.aborted && !isPassing) this.#dead.set(source, error);
          throw error;
        }
      },
    };
  }

  async #deliver(source: UploadSource, mounted: Upload | undefined): Promise<Placed> {
    const push = this.#push;
    const resumed = await this.#findResumePoint(source);
    if (resumed !== undefined) return this.#deliverChunks(source, resumed);
    const upload = mounted ?? (await this.#openUpload());
    if (upload === 'present') return 'present';
    if (this.#isChunked) return this.#deliverChunks(source, { upload, meter: newMeter(push, source) });
    try {
      await sendWhole(push, source, upload);
      return 'uploaded';
    } catch (error) {
      await cancelUpload(push.registry, upload);
      throw this.#considerChunks(error);
    }
  }

  async #deliverChunks(source: UploadSource, from: ResumePoint): Promise<Placed> {
    this.#resumePoint = from;
    await sendChunks(this.#push, source, from, (point) => {
      this.#resumePoint = point;
    });
    this.#resumePoint = undefined;
    return 'uploaded';
  }

  /** Returns the point at which a cut upload can be resumed, if the registry still has it. */
  async #findResumePoint(source: UploadSource): Promise<ResumePoint | undefined> {
    const point = this.#resumePoint;
    if (point === undefined) return undefined;
    const { registry, signal } = this.#push;
    const state = await inspectUpload(registry, point.upload, signal);
    const held =
      state && (await catchUp(this.#push, source, { ...point, upload: state.upload }, state.received));
    if (held !== undefined) return held;
    await cancelUpload(registry, point.upload);
    this.#resumePoint = undefined;
    return undefined;
  }

  #considerChunks(error: unknown): unknown {
    if (error instanceof HttpFailure && error.status === 413 && !this.#isChunked) {
      this.#isChunked = true;
      const { code, about, message, hint } = error;
      return new HttpFailure({ code, about, message, hint, status: 413, transient: true, cause: error });
    }
    const isCut = isConnectionFailure(error) || failureCode(error) === 'SIZE_MISMATCH';
    if (isCut && this.#push.descriptor.size > CHUNKED_FROM_BYTES) this.#isChunked = true;
    return error;
  }

  /** Opens an upload, or returns `present`. A mount from the repository to itself does both in one request. */
  async #openUpload(): Promise<Upload | 'present'> {
    const { registry, repository, descriptor, isAbsent, signal } = this.#push;
    const isReliable = this.#habits.selfMount !== 'unreliable' && this.#push.isDoubted !== true;
    const asks = isReliable && (!isAbsent || this.#habits.takesNew);
    if (!isAbsent && !isReliable && (await this.#isThere())) return 'present';
    const mount = asks ? { digest: descriptor.digest, from: repository } : undefined;
    const opened = await openUpload(registry, repository, signal, mount);
    if (opened === 'mounted') {
      this.#habits.selfMount = 'reliable';
      return 'present';
    }
    if (opened === 'refused' || opened === 'denied') {
      if (isAbsent) this.#habits.takesNew = false;
      else this.#habits.selfMount = 'unreliable';
      return this.#openUpload();
    }
    const isUnproved = !isAbsent && mount !== undefined && this.#habits.selfMount === 'unknown';
    if (!isUnproved || descriptor.size < WORTH_ASKING_BYTES || !(await this.#isThere())) return opened;
    this.#habits.selfMount = 'unreliable';
    await cancelUpload(registry, opened);
    return 'present';
  }

  async #isThere(): Promise<boolean> {
    const { registry, repository, descriptor, signal } = this.#push;
    try {
      const answer = await registry.send({
        method: 'HEAD',
        url: registry.url(`/v2/${repository}/blobs/${descriptor.digest}`),
        scopes: [pushScope(repository)],
        expected: [200],
        about: `${registry.host}/${repository}`,
        action: 'ask for a layer',
        signal,
      });
      discardBody(answer);
      return true;
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
  }
}
