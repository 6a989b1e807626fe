import { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { type Duration, milliseconds } from '../../lib/duration.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { pause } from '../../lib/pause.ts';
import { pushScope } from '../auth/scope.ts';
import { askForBlob } from '../blob-presence.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { Repository } from '../oci/reference.ts';
import type { Registry } from '../registry.ts';
import { isRefusedQuestion } from '../registry-failure.ts';
import { BlobReader } from './blob-reading.ts';
import { BlobSending } from './blob-sending.ts';
import type { BlobSource } from './blob-source.ts';
import { SourceFailure } from './blob-stream.ts';
import { openUpload, type Upload } from './blob-upload.ts';
import { habitsOf, type PushHabits } from './push-habits.ts';
import { inRequest, type PushRequest, RequestFailure } from './push-request.ts';
import { RequestAttempts } from './request-attempts.ts';
import {
  type Course,
  courseAfter,
  courseAtLast,
  type Setback,
  setbackOf,
  WORTH_ASKING_BYTES,
} from './upload-course.ts';

/** One blob that is to be brought to one repository. */
export interface BlobPush {
  readonly registry: Registry;
  readonly repository: Repository;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  /**
   * Returns the sources of the bytes, the best first. Called before each transfer, because more may have become known.
   */
  readonly sources: () => readonly BlobSource[];
  /** Another repository of the registry that probably has the blob. */
  readonly mountFrom?: Repository | undefined;
  /** Whether the repository did not exist before the run. Only a run that was killed may have left the blob there. */
  readonly isAbsent: boolean;
  /** Whether the registry contradicted itself about the blob, so that a mount is no proof that it is there. */
  readonly isDoubted?: boolean | undefined;
  readonly signal: AbortSignal;
  /** Called when the transfer takes its slots and when it returns them. */
  readonly onActive?: ((isActive: boolean) => void) | undefined;
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** How a blob came to a repository: it was there, it was mounted from another repository, or it was uploaded. */
export type Placed = 'present' | 'mounted' | 'uploaded';

/**
 * Brings one blob to one repository with as few requests as possible: one for a mount, a POST and a streaming PUT for a
 * new blob. Checks the digest of the bytes. Each request has the attempts of the settings; a failure of the source costs
 * the destination none of them. If the transfer of a large blob is cut, it continues where it was, in chunks. Uploads that
 * are not completed are deleted. Returns how the blob came there. Throws the failure of the last attempt.
 */
export async function pushBlob(push: BlobPush): Promise<Placed> {
  return new Pushing(push).run();
}

class Pushing {
  readonly #push: BlobPush;
  readonly #habits: PushHabits;
  readonly #reader: BlobReader;
  readonly #sending: BlobSending;
  readonly #attempts = new RequestAttempts<PushRequest>();
  #mountFrom: Repository | undefined;
  /** Whether it is worth a request to ask for the blob. */
  #asks = true;
  /** Whether all bytes were sent, and the answer was lost. */
  #mayHaveArrived = false;
  #tooLarge: unknown;

  constructor(push: BlobPush) {
    const { registry, repository, mountFrom } = push;
    this.#push = push;
    this.#habits = habitsOf(registry);
    this.#reader = new BlobReader(push);
    const onReached = (position: number): void => void this.#attempts.reached(position);
    this.#sending = new BlobSending(push, this.#reader, this.#habits, onReached);
    if (mountFrom !== repository) this.#mountFrom = mountFrom;
  }

  async run(): Promise<Placed> {
    try {
      for (;;) {
        try {
          return await this.#attempt();
        } catch (error) {
          await this.#recover(error);
        }
      }
    } finally {
      await this.#sending.abandon();
    }
  }

  async #attempt(): Promise<Placed> {
    const { registry } = this.#push;
    await inRequest('ping', () => registry.ping());
    if (await this.#tryMount()) return 'mounted';
    return this.#inSlots(this.#reader.choose(), () => this.#transfer());
  }

  async #tryMount(): Promise<boolean> {
    const { registry, repository, descriptor, signal } = this.#push;
    const from = this.#mountFrom;
    if (from === undefined || this.#habits.closed.has(from)) return false;
    const giveBack = await ConcurrencyLimiter.take([registry.limits.metadata], signal);
    try {
      const mount = { digest: descriptor.digest, from };
      const opened = await inRequest('mount', () => openUpload(registry, repository, signal, mount));
      this.#mountFrom = undefined;
      registry.limits.metadata.succeeded();
      if (opened === 'denied') this.#habits.closed.add(from);
      if (typeof opened === 'object') this.#sending.begin(opened);
      return opened === 'mounted';
    } finally {
      giveBack();
    }
  }

  async #inSlots(source: BlobSource, transfer: () => Promise<Placed>): Promise<Placed> {
    const { registry, signal, onActive } = this.#push;
    const limiters = [registry.limits.transfers, ...(source.limiter === undefined ? [] : [source.limiter])];
    await Promise.all([registry.limits.patience(signal), this.#reader.patience(signal)]);
    const giveBack = await ConcurrencyLimiter.take(limiters, signal);
    onActive?.(true);
    try {
      const placed = await transfer();
      for (const limiter of limiters) limiter.succeeded();
      return placed;
    } finally {
      onActive?.(false);
      giveBack();
    }
  }

  async #transfer(): Promise<Placed> {
    await this.#sending.locate();
    if (!this.#sending.isOpen) {
      const opened = await this.#openUpload();
      if (opened === 'present') return this.#mayHaveArrived ? 'uploaded' : opened;
      this.#sending.begin(opened);
    }
    const { request, status } = await this.#sending.send();
    if (status !== 201) await this.#prove(request, status);
    this.#sending.end();
    return 'uploaded';
  }

  /** Any status but 201 is a success only if the blob is there. */
  async #prove(request: PushRequest, status: number): Promise<void> {
    const isThere = await this.#isThere();
    if (isThere === true || (isThere === undefined && status !== 202)) return;
    const { registry, repository } = this.#push;
    const about = `${registry.host}/${repository}`;
    const message = `it answered ${status} to all bytes of a layer, but does not have it`;
    const failure = new HttpFailure({ code: 'REGISTRY_BROKEN', about, message, transient: true });
    throw new RequestFailure(request, failure);
  }

  /** Opens an upload, or returns `present`. A mount from the repository to itself does both in one request. */
  async #openUpload(): Promise<Upload | 'present'> {
    const { registry, repository, descriptor, signal, isDoubted } = this.#push;
    const isAbsent = this.#push.isAbsent && !this.#mayHaveArrived;
    const isReliable = this.#habits.selfMount !== 'unreliable' && isDoubted !== true;
    const mounts = this.#asks && isReliable && (!isAbsent || this.#habits.takesNew);
    if (!isAbsent && !isReliable && (await this.#isThere()) === true) return 'present';
    const mount = mounts ? { digest: descriptor.digest, from: repository } : undefined;
    const open = () => openUpload(registry, repository, signal, mount);
    const opened = await inRequest(mounts ? 'mount' : 'open', open);
    if (opened === 'mounted') {
      this.#habits.selfMount = 'reliable';
      return 'present';
    }
    if (opened === 'refused' || opened === 'denied') {
      if (isAbsent) this.#habits.takesNew = false;
      else this.#habits.selfMount = 'unreliable';
      return this.#openUpload();
    }
    const isUnproved = !isAbsent && mounts && this.#habits.selfMount === 'unknown';
    if (!isUnproved || descriptor.size < WORTH_ASKING_BYTES) return opened;
    this.#sending.begin(opened);
    if ((await this.#isThere()) !== true) return opened;
    this.#habits.selfMount = 'unreliable';
    await this.#sending.abandon();
    return 'present';
  }

  async #isThere(): Promise<boolean | undefined> {
    const { registry, repository, descriptor, signal } = this.#push;
    if (!this.#asks) return undefined;
    const question = { registry, repository, blob: descriptor, scope: pushScope(repository), signal };
    try {
      return await inRequest('ask', () => askForBlob('HEAD', question));
    } catch (error) {
      if (error instanceof RequestFailure && isRefusedQuestion(error.reason)) return undefined;
      throw error;
    }
  }

  /** Prepares the next attempt and waits for it. Throws the reason if there is none. */
  async #recover(error: unknown): Promise<void> {
    const { signal, registry } = this.#push;
    signal.throwIfAborted();
    if (error instanceof SourceFailure) {
      if (error.flaw === 'wrong') await this.#sending.abandon();
      return this.#reader.recover(error, this.#sending.position, signal);
    }
    if (!(error instanceof RequestFailure)) throw error;
    const { request, reason } = error;
    const setback = setbackOf(request, reason);
    const { course, counts } = courseAfter(setback, this.#sending.standing);
    if (course === 'end') throw reason;
    if (course === 'too large') throw this.#tooLarge ?? reason;
    let next: Course = course;
    let wait: Duration = milliseconds(0);
    try {
      if (counts) wait = registry.pauseAfter(reason, this.#attempts.failed(request), () => true);
    } catch (last) {
      const instead = courseAtLast(setback);
      if (instead === undefined) throw last;
      next = instead;
    }
    if (setback.status === 413 && request === 'put') this.#tooLarge = reason;
    await this.#take(next, setback);
    await pause(wait, signal);
  }

  async #take(course: Course, { request, status }: Setback): Promise<void> {
    const { sent, size } = this.#sending.standing;
    if (request === 'close' || (request === 'put' && sent === size)) this.#mayHaveArrived = true;
    switch (course) {
      case 'in chunks':
        return this.#sending.sendInChunks(status === 413);
      case 'smaller':
        return this.#sending.sendLess();
      case 'blindly':
        return this.#sending.sendBlindly();
      case 'whole':
        return this.#sending.sendWhole();
      case 'new':
        return this.#sending.abandon();
      case 'without':
        return this.#goWithout(request);
      case 'again':
        return status === 416 ? this.#sending.doubt() : undefined;
      default:
        return;
    }
  }

  async #goWithout(request: PushRequest): Promise<void> {
    if (request === 'inspect') return this.#sending.abandon();
    if (request === 'mount' && this.#mountFrom !== undefined) this.#mountFrom = undefined;
    else this.#asks = false;
  }
}
