import { ConcurrencyLimiter } from '../lib/concurrency-limiter.ts';
import { failureCode, isTransient } from '../lib/failure.ts';
import { discardBody } from '../lib/http/http.ts';
import { HttpFailure, isConnectionFailure } from '../lib/http/http-failure.ts';
import { pushScope } from './authorization.ts';
import type { BlobSource } from './blob-source.ts';
import {
  type BlobPush,
  cancelUpload,
  catchUp,
  inspectUpload,
  type Mount,
  newMeter,
  openUpload,
  type ResumePoint,
  sendChunks,
  sendWhole,
  type Upload,
  type UploadSource,
} from './blob-upload.ts';
import type { Registry } from './registry.ts';

/** How a blob came to be in a repository: it was there, came from another one, or its bytes were sent. */
export type Placed = 'present' | 'mounted' | 'uploaded';

/** What was seen of how a registry answers a request to mount a blob from the very repository that asks. */
interface MountHabits {
  selfMount: 'unknown' | 'reliable' | 'unreliable';
  /** Whether a repository that does not exist yet may be asked; some registries refuse, and that says no more. */
  takesNew: boolean;
}

const CHUNKED_FROM_BYTES = 64 * 1024 * 1024;
/** Below this a needless upload is cheaper than the question. */
const WORTH_ASKING_BYTES = 8 * 1024 * 1024;
const habitsOf = new WeakMap<Registry, MountHabits>();

/**
 * Brings one blob into one repository in as few requests as its state allows: a mount is one, an unknown new blob is
 * a POST and one streaming PUT. Bytes are checked on the way. After a first cut of a large blob it goes on in chunks
 * from where it stopped. Uploads given up are deleted. Throws the last attempt's failure.
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
    this.#habits = habitsOf.get(registry) ?? { selfMount: 'unknown', takesNew: true };
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
    if (this.#mount === undefined) return undefined;
    const giveBack = await ConcurrencyLimiter.take([registry.limits.metadata], signal);
    try {
      const opened = await openUpload(registry, repository, signal, this.#mount);
      this.#mount = undefined;
      registry.limits.metadata.succeeded();
      return opened === 'refused' ? undefined : opened;
    } finally {
      giveBack();
    }
  }

  /** Tries source after source as long as each is out of the question, which costs no attempt. */
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

  /** A source that cannot give the blob, whoever asks again, is not asked again. */
  #watched(source: BlobSource): UploadSource {
    return {
      about: source.about,
      open: async (descriptor, signal, range) => {
        try {
          return await source.open(descriptor, signal, range);
        } catch (error) {
          if (!signal.aborted && !isTransient(error)) this.#dead.set(source, error);
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

  /** Returns where a cut upload can go on, if the registry still holds what was sent up to there. */
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

  /** Opens an upload, or finds that none is needed: a mount from the repository itself answers both in one request. */
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
    if (opened === 'refused') {
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
    const answer = await registry.send({
      method: 'HEAD',
      url: registry.url(`/v2/${repository}/blobs/${descriptor.digest}`),
      scopes: [pushScope(repository)],
      expected: [200, 403, 404, 405],
      about: `${registry.host}/${repository}`,
      action: 'ask for a layer',
      signal,
    });
    discardBody(answer);
    return answer.status === 200;
  }
}
