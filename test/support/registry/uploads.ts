import { createHash, type Hash, randomUUID } from 'node:crypto';
import {
  type Digest,
  digestAlgorithm,
  digestHex,
  digestOf,
  isDigest,
} from '../../../src/registry/oci/digest.ts';
import type { Gate } from './access.ts';
import { type Answer, empty, refusal } from './answer.ts';
import { type Exchange, headerOf } from './exchange.ts';
import type { Quirks } from './quirks.ts';
import type { Storage } from './storage.ts';

interface Session {
  readonly id: string;
  readonly repository: string;
  /** Changes with each chunk; a request with an older one is refused. */
  state: string;
  size: number;
  /** The bytes of its first chunk. */
  firstPart: number;
  sha256: Hash;
  parts: Buffer[];
}

/** Blob uploads (distribution-spec, "Pushing Blobs"): each request must use the newest location, query and all. */
export class Uploads {
  readonly #storage: Storage;
  readonly #gate: Gate;
  readonly #quirksNow: () => Quirks;
  readonly #discardAbove: number;
  readonly #open = new Map<string, Session>();
  #receiving = 0;

  constructor(storage: Storage, gate: Gate, quirks: () => Quirks, discardAbove: number) {
    this.#storage = storage;
    this.#gate = gate;
    this.#quirksNow = quirks;
    this.#discardAbove = discardAbove;
  }

  get #quirks(): Quirks {
    return this.#quirksNow();
  }

  /** How many uploads were opened and neither finished nor deleted. */
  get open(): number {
    return this.#open.size;
  }

  /** POST: opens an upload, or mounts. */
  start(exchange: Exchange): Answer {
    const { repository } = exchange.entry;
    const isKnown = this.#storage.repositories.has(repository);
    if (this.#quirks.repositoriesMustExist === true && !isKnown) return refusal(404, 'NAME_UNKNOWN');
    return (
      (exchange.entry.kind === 'mount' ? this.#mount(exchange) : undefined) ?? this.#openSession(exchange)
    );
  }

  /** All other requests, which go to an upload that is open. */
  async go(exchange: Exchange): Promise<Answer> {
    switch (exchange.entry.kind) {
      case 'upload-status':
        return this.#status(exchange);
      case 'upload-patch':
        return this.#patch(exchange);
      case 'upload-put':
        return this.#put(exchange);
      default:
        return this.#delete(exchange);
    }
  }

  #status(exchange: Exchange): Answer {
    const session = this.#find(exchange);
    return session === undefined
      ? refusal(404, 'BLOB_UPLOAD_UNKNOWN')
      : empty(204, this.#headers(exchange, session));
  }

  async #patch(exchange: Exchange): Promise<Answer> {
    const session = this.#find(exchange);
    if (session === undefined) return refusal(404, 'BLOB_UPLOAD_INVALID');
    const refused = this.#refuseChunk(exchange, session);
    if (refused !== undefined) return refused;
    const length = Number(headerOf(exchange, 'content-length') ?? Number.POSITIVE_INFINITY);
    const kept = Math.max(1, Math.floor(length * (this.#quirks.keptShare ?? 1)));
    const limited = await this.#receive(exchange, session, session.size + kept);
    if (limited !== undefined) return limited;
    session.state = randomUUID();
    session.firstPart ||= session.size;
    return empty(this.#quirks.chunkStatus ?? 202, this.#headers(exchange, session));
  }

  async #put(exchange: Exchange): Promise<Answer> {
    const session = this.#find(exchange);
    if (session === undefined) return refusal(404, 'BLOB_UPLOAD_INVALID');
    const digest = exchange.url.searchParams.get('digest') ?? '';
    if (!isDigest(digest)) return refusal(400, 'DIGEST_INVALID', 'no digest');
    const length = Number(headerOf(exchange, 'content-length'));
    if (this.#quirks.putLimit !== undefined && length > this.#quirks.putLimit)
      return refusal(413, 'SIZE_INVALID');
    const limited = this.#refuseRange(exchange, session) ?? (await this.#receive(exchange, session));
    if (limited !== undefined) return limited;
    this.#open.delete(session.id);
    if (!this.#hasDigest(session, digest)) return refusal(400, 'DIGEST_INVALID');
    const content =
      session.size > this.#discardAbove
        ? ({ kind: 'discarded', size: session.size } as const)
        : ({ kind: 'bytes', bytes: Buffer.concat(session.parts) } as const);
    this.#storage.putBlob(session.repository, content, digest);
    return { ...created(session.repository, digest), status: this.#quirks.completedStatus ?? 201 };
  }

  // Hardly anyone sends sha512, and hashing twice halves the speed of large uploads: it is computed from kept bytes.
  #hasDigest({ sha256, parts, size }: Session, digest: Digest): boolean {
    if (digestAlgorithm(digest) === 'sha256') return sha256.digest('hex') === digestHex(digest);
    if (size > this.#discardAbove)
      throw new Error('a sha512 upload was discarded before it could be verified');
    return digestOf(Buffer.concat(parts), 'sha512') === digest;
  }

  #delete(exchange: Exchange): Answer {
    const session = this.#find(exchange);
    if (session === undefined) return refusal(404, 'BLOB_UPLOAD_UNKNOWN');
    this.#open.delete(session.id);
    return empty(204);
  }

  #mount(exchange: Exchange): Answer | undefined {
    const { repository } = exchange.entry;
    const digest = exchange.url.searchParams.get('mount') ?? '';
    const from = exchange.url.searchParams.get('from');
    if (this.#quirks.refuseMount !== undefined) return refusal(this.#quirks.refuseMount, 'DENIED');
    if (!isDigest(digest)) return refusal(400, 'DIGEST_INVALID');
    if (from === null) return this.#mountAnonymously(repository, digest);
    if (this.#quirks.mountOpensUpload === true) return undefined;
    if (this.#quirks.selfMountOpensUpload === true && from === repository) return undefined;
    if (from !== repository && !this.#gate.mayAlso(exchange, from, 'pull')) return undefined;
    const content = this.#storage.blob(from, digest);
    if (content === undefined) return undefined;
    this.#storage.putBlob(repository, content, digest);
    return created(repository, digest);
  }

  #mountAnonymously(repository: string, digest: Digest): Answer | undefined {
    if (this.#quirks.anonymousMount === 'refuse') return refusal(400, 'UNSUPPORTED', 'from is missing');
    const content = this.#storage.contents.get(digest);
    if (this.#quirks.anonymousMount !== 'mount' || content === undefined) return undefined;
    this.#storage.putBlob(repository, content, digest);
    return created(repository, digest);
  }

  #openSession(exchange: Exchange): Answer {
    const session: Session = {
      id: randomUUID(),
      repository: exchange.entry.repository,
      state: randomUUID(),
      size: 0,
      firstPart: 0,
      sha256: createHash('sha256'),
      parts: [],
    };
    this.#open.set(session.id, session);
    return empty(202, this.#headers(exchange, session));
  }

  #find(exchange: Exchange): Session | undefined {
    const session = this.#open.get(exchange.entry.reference);
    const isNewest = session?.state === exchange.url.searchParams.get('_state');
    return isNewest && session.repository === exchange.entry.repository ? session : undefined;
  }

  #headers(exchange: Exchange, session: Session): Record<string, string> {
    const base = this.#quirks.uploadLocation === 'absolute' ? exchange.url.origin : '';
    const smallest = this.#quirks.chunkMinimumLength;
    const folder =
      this.#quirks.uploadsElsewhere === true
        ? `artifacts-uploads/namespaces/${session.repository}/uploads`
        : `v2/${session.repository}/blobs/uploads`;
    return {
      location: `${this.#quirks.uploadLocation === 'bare' ? '.' : `${base}/${folder}`}/${session.id}?_state=${session.state}`,
      'docker-upload-uuid': session.id,
      ...this.#range(session),
      ...(smallest === undefined ? {} : { 'oci-chunk-min-length': String(smallest) }),
    };
  }

  #range(session: Session): Record<string, string> {
    if (this.#quirks.noUploadRange === true) return {};
    const told =
      this.#quirks.staleUploadRange === true ? Math.min(session.firstPart, session.size) : session.size;
    return { range: `${this.#quirks.rangePrefix ?? ''}0-${Math.max(0, told - 1)}` };
  }

  #refuseChunk(exchange: Exchange, session: Session): Answer | undefined {
    if (this.#quirks.refuseChunks === true) return refusal(405, 'UNSUPPORTED');
    const { bytes = Number.POSITIVE_INFINITY, status = 413 } = this.#quirks.chunkLimit ?? {};
    if (Number(headerOf(exchange, 'content-length')) > bytes) {
      const told = `the request body is too large and exceeds the maximum permissible limit of ${bytes} bytes`;
      return refusal(status, status === 413 ? 'SIZE_INVALID' : 'REQUESTED_RANGE_NOT_SATISFIABLE', told);
    }
    return this.#refuseRange(exchange, session);
  }

  #refuseRange(exchange: Exchange, session: Session): Answer | undefined {
    const header = headerOf(exchange, 'content-range') ?? '';
    if (header === '' || this.#quirks.ignoreContentRange === true) return undefined;
    const range = /^(\d+)-(\d+)$/.exec(header);
    const length = Number(headerOf(exchange, 'content-length'));
    const isRight =
      Number(range?.[1]) === session.size && Number(range?.[2]) - Number(range?.[1]) + 1 === length;
    return isRight ? undefined : { ...refusal(416, 'RANGE_INVALID'), ...this.#ranged(exchange, session) };
  }

  #ranged(exchange: Exchange, session: Session): Pick<Answer, 'headers'> {
    return { headers: { 'content-type': 'application/json', ...this.#headers(exchange, session) } };
  }

  /** Adds what comes in to an upload, which keeps at most `most` bytes in all. */
  async #receive(
    exchange: Exchange,
    session: Session,
    most = Number.POSITIVE_INFINITY,
  ): Promise<Answer | undefined> {
    if (this.#quirks.refuseUnknownLength === true && headerOf(exchange, 'content-length') === undefined) {
      return refusal(411, 'SIZE_INVALID', 'length required');
    }
    if (this.#receiving >= (this.#quirks.uploadsAtOnce ?? Number.POSITIVE_INFINITY)) {
      return refusal(429, 'TOOMANYREQUESTS');
    }
    const { size, parts } = session;
    const before = { size, parts: [...parts], sha256: session.sha256.copy() };
    this.#receiving += 1;
    try {
      for await (const piece of exchange.body) {
        const part = piece.subarray(0, most - session.size);
        session.size += part.length;
        session.sha256.update(part);
        if (session.size <= this.#discardAbove) session.parts.push(part);
        else session.parts.length = 0;
      }
      return undefined;
    } catch (error) {
      if (this.#quirks.interruptedUpload === 'forgotten') this.#open.delete(session.id);
      else if (this.#quirks.interruptedUpload !== 'partial') Object.assign(session, before);
      throw error;
    } finally {
      this.#receiving -= 1;
    }
  }
}

function created(repository: string, digest: Digest): Answer {
  return empty(201, {
    location: `/v2/${repository}/blobs/${digest}`,
    'docker-content-digest': digest,
  });
}
