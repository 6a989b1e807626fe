import { Writable } from 'node:stream';
import type { BodyWriter } from '../../lib/http/http.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { ByteRange, Registry } from '../registry.ts';
import type { BlobReader } from './blob-reading.ts';
import type { BlobMeter } from './blob-stream.ts';
import {
  cancelUpload,
  closeUpload,
  inspectUpload,
  patchChunk,
  putWhole,
  type Upload,
} from './blob-upload.ts';
import { LEAST_CHUNK_BYTES, type PushHabits, smallerChunk } from './push-habits.ts';
import { inRequest, type PushRequest, RequestFailure } from './push-request.ts';
import { isStuck, positionAfterChunk, type Standing, type Told } from './upload-course.ts';

/** What is sent, and its destination. */
interface Delivery {
  readonly registry: Registry;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  readonly signal: AbortSignal;
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** An upload at the destination. */
interface OpenUpload {
  readonly upload: Upload;
  /** Its position is that of the upload. */
  readonly meter: BlobMeter;
  /** Whether no request has failed since the registry reported that position. */
  readonly isSure: boolean;
  /** Whether a chunk was refused as misplaced, and none was taken since. */
  readonly isDoubted: boolean;
  readonly told: Told;
  readonly hasTaken: boolean;
}

/** Sends a blob to an upload, in one request or in chunks, and keeps its position when a request fails. */
export class BlobSending {
  readonly #delivery: Delivery;
  readonly #reader: BlobReader;
  readonly #habits: PushHabits;
  /** Called with each position that the registry has confirmed. */
  readonly #onReached: (position: number) => void;
  #open: OpenUpload | undefined;
  #inChunks: boolean;
  #takesChunks = true;
  #resumes = true;
  #sent = 0;

  constructor(
    delivery: Delivery,
    reader: BlobReader,
    habits: PushHabits,
    onReached: (position: number) => void,
  ) {
    this.#delivery = delivery;
    this.#reader = reader;
    this.#habits = habits;
    this.#onReached = onReached;
    this.#inChunks = delivery.descriptor.size >= habits.tooLarge;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** The bytes that the upload has for sure. */
  get position(): number {
    return this.#open?.meter.passed ?? 0;
  }

  get standing(): Standing {
    const { size } = this.#delivery.descriptor;
    const open = this.#open;
    return {
      size,
      sent: this.#sent,
      chunk: open === undefined ? 0 : this.#chunkOf(open),
      leastChunk: Math.max(LEAST_CHUNK_BYTES, open?.upload.smallestChunk ?? 0),
      takesWhole: size < this.#habits.tooLarge,
      takesChunks: this.#takesChunks,
      hasTaken: open?.hasTaken ?? false,
      told: open?.told ?? 'nothing',
    };
  }

  /** Starts with an upload that has no bytes. */
  begin(upload: Upload): void {
    const meter = this.#reader.meter();
    this.#open = { upload, meter, isSure: true, isDoubted: false, told: 'nothing', hasTaken: false };
  }

  /**
   * Asks for the position of the upload unless it is known. If the answer is less than the bytes that the registry has
   * accepted, it is ignored until a chunk after them is refused. The upload is abandoned if it is gone.
   */
  async locate(): Promise<void> {
    const open = this.#open;
    if (open === undefined || open.isSure) return;
    const { registry, descriptor, signal } = this.#delivery;
    const inspect = () => inspectUpload(registry, open.upload, signal);
    const state = this.#resumes && this.#takesChunks ? await inRequest('inspect', inspect) : undefined;
    if (state === undefined || state.received > descriptor.size) return this.abandon();
    const { upload, received } = state;
    const { passed } = open.meter;
    const asked = received === passed ? 'the same' : 'another';
    const located = { ...open, upload, told: open.isDoubted ? asked : open.told };
    this.#open = located;
    const meter = await this.#meterAt(open.isDoubted ? received : Math.max(received, passed), open.meter);
    this.#open = { ...located, meter, isSure: true };
    this.#onReached(meter.passed);
  }

  /** Sends what is missing and completes the upload. Returns the last request and the status of its answer. */
  async send(): Promise<{ readonly request: PushRequest; readonly status: number }> {
    const { registry, descriptor, signal } = this.#delivery;
    let open = this.#begun();
    if (open.meter.passed === 0 && !this.#inChunks) {
      const { upload } = open;
      const put = (body: BodyWriter) => putWhole(registry, upload, descriptor, body, signal);
      const { result } = await this.#transfer('put', open, descriptor.size, put);
      return { request: 'put', status: result };
    }
    while (!open.meter.isComplete) open = await this.#sendChunk(open);
    const { upload } = open;
    this.#open = { ...open, isSure: false };
    const close = () => closeUpload(registry, upload, descriptor.digest, signal);
    return { request: 'close', status: await inRequest('close', close) };
  }

  /** Sends in chunks from now on. With `isTooLarge` the registry refused the blob in one request. */
  sendInChunks(isTooLarge: boolean): void {
    this.#inChunks = true;
    if (isTooLarge) this.#habits.tooLarge = Math.min(this.#habits.tooLarge, this.#delivery.descriptor.size);
  }

  /** From now on, uses the position that the registry reports. */
  doubt(): void {
    if (this.#open !== undefined) this.#open = { ...this.#open, isDoubted: true };
  }

  /** Sends all to another upload, and does not ask for positions any more. */
  sendBlindly(): Promise<void> {
    this.#resumes = false;
    return this.abandon();
  }

  /** Sends smaller chunks from now on, here and in later pushes. */
  sendLess(): void {
    this.#habits.chunk = Math.min(this.#habits.chunk, smallerChunk(this.standing.chunk));
  }

  /** Sends all in one request from now on, in another upload. */
  sendWhole(): Promise<void> {
    this.#inChunks = false;
    this.#takesChunks = false;
    return this.abandon();
  }

  /** Lets go of the upload, which is complete. */
  end(): void {
    this.#open = undefined;
  }

  /** Deletes the upload, if there is one. */
  async abandon(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) await cancelUpload(this.#delivery.registry, open.upload);
  }

  #begun(): OpenUpload {
    if (this.#open === undefined) throw new Error('a blob was sent to no upload');
    return this.#open;
  }

  /** Returns a meter at a position. Bytes that were sent but not measured are read again, and not sent. */
  async #meterAt(position: number, known: BlobMeter): Promise<BlobMeter> {
    const { signal } = this.#delivery;
    const meter = this.#reader.meter(known.passed > position ? undefined : known);
    if (meter.passed === position) return meter;
    const stream = await this.#reader.begin(meter, position, signal);
    try {
      await stream.pour(new Writable({ write: (_bytes, _encoding, done) => done() }), signal);
    } finally {
      stream.close();
    }
    return meter;
  }

  async #sendChunk(open: OpenUpload): Promise<OpenUpload> {
    const { registry, signal } = this.#delivery;
    const { upload, meter: before } = open;
    const end = before.passed + this.#chunkOf(open);
    const range = { start: before.passed, end };
    const patch = (body: BodyWriter) => patchChunk(registry, upload, range, body, signal);
    const { result, meter } = await this.#transfer('patch', open, end, patch);
    const taken = { upload: result.upload, isDoubted: false, told: 'nothing', hasTaken: true } as const;
    const position = positionAfterChunk(range, result.received);
    this.#open = { ...taken, meter: before, isSure: false };
    const reached = position === end ? meter : await this.#meterAt(position, before);
    this.#open = { ...taken, meter: reached, isSure: true };
    this.#onReached(position);
    if (isStuck(range, position)) throw this.#stuck(range, position);
    return this.#open;
  }

  #stuck({ start, end }: ByteRange, position: number): RequestFailure {
    const { host } = this.#delivery.registry;
    const message = `it kept only ${position - start} of the ${end - start} bytes of a part of a layer`;
    const failure = new HttpFailure({ code: 'REGISTRY_BROKEN', about: host, message, transient: true });
    return new RequestFailure('patch', failure);
  }

  #chunkOf({ upload, meter }: OpenUpload): number {
    const rest = this.#delivery.descriptor.size - meter.passed;
    return Math.min(Math.max(this.#habits.chunk, upload.smallestChunk), rest);
  }

  /** Sends the bytes up to `end`. Returns the result of the request, and a meter at that position. */
  async #transfer<Result>(
    request: PushRequest,
    open: OpenUpload,
    end: number,
    perform: (body: BodyWriter) => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly meter: BlobMeter }> {
    const { signal, onBytes } = this.#delivery;
    const read = (until: AbortSignal) => this.#reader.begin(this.#reader.meter(open.meter), end, until);
    let stream = await read(signal);
    let isBegun = false;
    let counted = open.meter.passed;
    // Bytes that are sent again in the same request are not counted again.
    const count = (): void => {
      const { passed } = stream.meter;
      if (passed > counted) onBytes?.(passed - counted);
      counted = Math.max(counted, passed);
    };
    const body: BodyWriter = async (sink, stop) => {
      // After a redirect, or with another login, the same bytes are needed again.
      if (isBegun) {
        stream.close();
        stream = await read(stop);
      }
      isBegun = true;
      await stream.pour(sink, stop, count);
      sink.end();
    };
    this.#open = { ...open, isSure: false };
    try {
      const result = await inRequest(request, () => perform(body));
      return { result, meter: stream.meter };
    } finally {
      this.#sent = stream.meter.passed;
      stream.close();
    }
  }
}
