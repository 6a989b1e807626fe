import { ConcurrencyLimiter } from '../lib/concurrency-limiter.ts';
import type { Duration } from '../lib/duration.ts';
import { Failure } from '../lib/failure.ts';
import { discardBody, type HttpAnswer, readBody } from '../lib/http/http.ts';
import { failedRequest, HttpFailure } from '../lib/http/http-failure.ts';
import { pauseAfter, type RetryPolicy, retry } from '../lib/retry.ts';
import { pullScope, pushScope } from './auth/scope.ts';
import { requirePart } from './blob-part.ts';
import type { Endpoint } from './endpoint.ts';
import type { HostLimits } from './host-limits.ts';
import type { Likeness } from './likeness.ts';
import { listRepositories, listTags } from './listing.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from './oci/digest.ts';
import { MANIFEST_SIZE_LIMIT, type Manifest, parseManifest, type ToldManifest } from './oci/manifest.ts';
import { MANIFEST_ACCEPT } from './oci/media-type.ts';
import type { Host, Repository, Tag } from './oci/reference.ts';
import { isFailedQuestion, isNotFound, isRefusedQuestion, isUnauthorized } from './registry-failure.ts';
import type { TagList } from './tag-list.ts';
import type { Exchange, Transport } from './transport.ts';

/** Part of a blob: from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The parts of a registry client. */
interface RegistryParts {
  readonly host: Host;
  readonly endpoint: Endpoint;
  readonly transport: Transport;
  readonly limits: HostLimits;
  readonly retry: RetryPolicy;
  /** The signal of the run: the ping is shared by callers and must not end with one of them. */
  readonly signal: AbortSignal;
  readonly onRetry: (error: unknown, attempt: number) => void;
}

/**
 * One registry, with a method for each endpoint of the distribution protocol (distribution-spec 1.1, "Endpoints").
 * These wait for a slot and retry; the requests of an upload use `send` and `retrying`.
 */
export class Registry {
  readonly host: Host;
  readonly limits: HostLimits;
  /** Whether it is a registry, according to all its answers so far. */
  readonly likeness: Likeness;
  readonly #endpoint: Endpoint;
  readonly #transport: Transport;
  readonly #retry: RetryPolicy;
  readonly #signal: AbortSignal;
  readonly #onRetry: RegistryParts['onRetry'];
  #pinged: Promise<void> | undefined;

  constructor(parts: RegistryParts) {
    this.host = parts.host;
    this.#endpoint = parts.endpoint;
    this.limits = parts.limits;
    this.#transport = parts.transport;
    this.likeness = parts.transport.likeness;
    this.#retry = parts.retry;
    this.#signal = parts.signal;
    this.#onRetry = parts.onRetry;
  }

  /** The base URL of its API: as far as known, until the first ping was answered. */
  get endpoint(): URL {
    return this.#endpoint.url;
  }

  /**
   * Asks for the version of the API (`GET /v2/`), once in a run, to learn which login the registry requires. It does not
   * retry: the other methods ping first, within their own attempts. Throws `HttpFailure` if the host cannot be reached.
   */
  ping(): Promise<void> {
    this.#pinged ??= this.#askVersion().catch((error: unknown) => {
      this.#pinged = undefined;
      throw error;
    });
    return this.#pinged;
  }

  /**
   * Verifies as `docker login` does that the registry accepts our login: it pings with the password, or with a token
   * for it. An identity token is exchanged for one that may push to the repository. Returns the user name; undefined if
   * the registry needs no login. `aboutLogin` is whether the answers showed anything. Throws `UNAUTHORIZED`.
   */
  async logIn(repository: Repository): Promise<string | undefined> {
    await this.ping();
    const scopes = [pushScope(repository)];
    const { scheme, username } = await this.#transport.situation(scopes);
    if (scheme === 'none') return undefined;
    if (username === undefined) throw await this.#transport.missingLogin();
    await this.#transport.prove(scopes);
    return username;
  }

  /** Returns the failure of a request that requires a login if there is none. `hint` is how to log in. */
  missingLogin(hint: string): ReturnType<Transport['missingLogin']> {
    return this.#transport.missingLogin(hint);
  }

  /** Returns what is known about the login for a repository or the registry: whether it is proved, and its origin. */
  aboutLogin(repository?: Repository): ReturnType<Transport['situation']> {
    return this.#transport.situation(repository === undefined ? [] : [pushScope(repository)]);
  }

  /**
   * Sends one request without taking a slot and without retrying. Throws `HttpFailure`, from which the host's limits
   * learn. It has a deferral if the host asks for a pause that is too long.
   */
  async send(exchange: Exchange): Promise<HttpAnswer> {
    await this.limits.ready(exchange.signal);
    try {
      return await this.#transport.send(exchange);
    } catch (error) {
      throw this.limits.learn(error);
    }
  }

  /** Runs an operation in a slot for metadata, with retries. Waits first while the host asks for a pause. */
  asMetadata<Result>(signal: AbortSignal, operation: () => Promise<Result>): Promise<Result> {
    let isPinged = false;
    const work = async (): Promise<Result> => {
      isPinged = false;
      await this.ping();
      isPinged = true;
      await this.limits.patience(signal);
      const giveBack = await ConcurrencyLimiter.take([this.limits.metadata], signal);
      try {
        const result = await operation();
        this.limits.metadata.succeeded();
        return result;
      } finally {
        giveBack();
      }
    };
    // The ping, a token and each host that a redirect leads to have attempts of their own.
    const requestOf = (error: unknown) => (isPinged ? failedRequest(error) : 'ping');
    return retry({ policy: this.#retry, signal, onRetry: this.#onRetry, requestOf }, work);
  }

  /** Runs an operation with retries, without a slot. */
  retrying<Result>(
    signal: AbortSignal,
    operation: (attempt: number) => Promise<Result>,
    isWorthRepeating?: (error: unknown) => boolean,
  ): Promise<Result> {
    const options = { policy: this.#retry, signal, onRetry: this.#onRetry, isWorthRepeating };
    return retry({ ...options, requestOf: failedRequest }, operation);
  }

  /**
   * Returns the pause after the failed attempt number `attempt`, and counts it. Throws the error, or its deferral, if
   * there is no further attempt.
   */
  pauseAfter(error: unknown, attempt: number, isWorthRepeating?: (error: unknown) => boolean): Duration {
    const wait = pauseAfter(error, attempt, this.#retry, isWorthRepeating);
    this.#onRetry(error, attempt);
    return wait;
  }

  /** Returns the URL of a path at this registry, once a ping has been answered. */
  url(path: string): URL {
    return this.#endpoint.at(path);
  }

  /** Returns the name of a manifest or blob for people: `host/repository:tag` or `host/repository@digest`. */
  nameOf(repository: Repository, name: Tag | Digest): string {
    return `${this.host}/${repository}${isDigest(name) ? '@' : ':'}${name}`;
  }

  /** Returns the tags of a repository; with undefined, those at the root of a registry with Google's extension. */
  async listTags(repository: Repository | undefined, signal: AbortSignal): Promise<TagList> {
    try {
      const list = await listTags(this, repository, signal);
      this.likeness.prove();
      return list;
    } catch (error) {
      throw this.likeness.ofList(error, this.host);
    }
  }

  /**
   * Returns all repositories, from `_catalog`; undefined if the registry does not offer that. Throws `UNAUTHORIZED` or
   * `DENIED` if it does not offer it to us.
   */
  listRepositories(signal: AbortSignal): Promise<Repository[] | undefined> {
    return listRepositories(this, signal);
  }

  /**
   * Returns a manifest with its exact bytes. Throws `NOT_FOUND`, and `DIGEST_MISMATCH` if it is not the requested one.
   */
  getManifest(repository: Repository, name: Tag | Digest, signal: AbortSignal): Promise<Manifest> {
    const about = this.nameOf(repository, name);
    return this.asMetadata(signal, async () => {
      const answer = await this.send({
        ...this.#manifestExchange('GET', repository, name, signal),
        action: 'get its manifest',
        expected: [200],
      });
      const bytes = await readBody(answer, MANIFEST_SIZE_LIMIT);
      if (bytes === undefined) {
        const message = 'its manifest is larger than the 4 MiB that registries accept';
        throw new HttpFailure({ code: 'REGISTRY_BROKEN', about, message });
      }
      const algorithm = isDigest(name) ? digestAlgorithm(name) : 'sha256';
      if (isDigest(name) && digestOf(bytes, algorithm) !== name) {
        const message = `its manifest has another digest than the requested one: ${digestOf(bytes, algorithm)}`;
        throw new HttpFailure({ code: 'DIGEST_MISMATCH', about, message, transient: true });
      }
      try {
        const manifest = parseManifest(bytes, answer.headers['content-type'], about, algorithm);
        this.likeness.prove();
        return manifest;
      } catch (error) {
        const isDamaged = error instanceof Failure && error.cause instanceof SyntaxError;
        if (isDigest(name) || !isDamaged) throw error;
        // A tag has no digest to compare with: only the form shows that the answer was cut, or came from a proxy.
        const message = 'the answer is not a manifest, not even JSON';
        throw new HttpFailure({ code: 'REGISTRY_BROKEN', about, message, transient: true, cause: error });
      }
    });
  }

  /**
   * Returns the digest and type of a manifest, without reading its body if possible; undefined if it does not exist. `HEAD`
   * decides when its answer has a digest. When it is refused, fails or finds nothing, `GET` decides.
   */
  async findManifest(
    repository: Repository,
    name: Tag | Digest,
    signal: AbortSignal,
  ): Promise<ToldManifest | undefined> {
    const told = await this.#askForManifest(repository, name, signal);
    if (told !== 'absent' && told !== 'unknown') return told;
    try {
      return await this.getManifest(repository, name, signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /**
   * Returns whether a registry reports that it has a manifest. Use it only if a wrong answer costs no more than pushing
   * the manifest again: unlike `findManifest` it accepts that `HEAD` finds nothing, and a refusal means no.
   */
  async claimsManifest(repository: Repository, digest: Digest, signal: AbortSignal): Promise<boolean> {
    try {
      const told = await this.#askForManifest(repository, digest, signal);
      if (told !== 'unknown') return told !== 'absent';
      return (await this.getManifest(repository, digest, signal)).digest === digest;
    } catch (error) {
      if (isRefusedQuestion(error)) return false;
      throw error;
    }
  }

  /** Asks with `HEAD`. Huawei SWR does not support it, and Artifactory answers 403 for what does not exist. */
  async #askForManifest(
    repository: Repository,
    name: Tag | Digest,
    signal: AbortSignal,
  ): Promise<ToldManifest | 'absent' | 'unknown'> {
    const ask = async () => {
      const exchange = this.#manifestExchange('HEAD', repository, name, signal);
      const head = await this.send({ ...exchange, action: 'check for its manifest', expected: [200, 404] });
      discardBody(head);
      return head;
    };
    try {
      const { status, headers } = await this.asMetadata(signal, ask);
      if (status === 404) return 'absent';
      const { 'docker-content-digest': digest, 'content-type': mediaType = '' } = headers;
      return typeof digest === 'string' && isDigest(digest) ? { digest, mediaType } : 'unknown';
    } catch (error) {
      if (isFailedQuestion(error) || (isRefusedQuestion(error) && !isUnauthorized(error))) return 'unknown';
      throw error;
    }
  }

  /**
   * Stores a manifest, its bytes unchanged, under a tag or its digest. `onActive` is called when it takes its slot and
   * when it returns it. Returns whether the registry reports that it lists the manifest among the referrers of its subject.
   * Throws `CONTENT_UNKNOWN` if parts of it are missing.
   */
  putManifest(
    repository: Repository,
    name: Tag | Digest,
    manifest: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>,
    signal: AbortSignal,
    onActive: (isActive: boolean) => void = () => undefined,
  ): Promise<boolean> {
    const about = this.nameOf(repository, name);
    return this.asMetadata(signal, async () => {
      onActive(true);
      const sending = this.send({
        method: 'PUT',
        url: this.#manifestUrl(repository, name),
        scopes: [pushScope(repository)],
        headers: { 'content-type': manifest.mediaType },
        body: manifest.bytes,
        expected: [200, 201, 202],
        about,
        action: 'push its manifest',
        writes: 'manifest',
        awaited: 'work',
        signal,
      });
      const answer = await sending.finally(() => onActive(false));
      discardBody(answer);
      const stored = answer.headers['docker-content-digest'];
      const isOther = typeof stored === 'string' && isDigest(stored) && stored !== manifest.digest;
      if (isOther && digestAlgorithm(stored) === digestAlgorithm(manifest.digest)) {
        const message = `the registry stored it under another digest: ${stored}`;
        throw new HttpFailure({ code: 'DIGEST_MISMATCH', about, message });
      }
      return answer.headers['oci-subject'] !== undefined;
    });
  }

  /**
   * Returns an answer with a blob, or a range of it, to be read; its content is not verified. It takes no slot and does
   * not retry, because it is part of a transfer.
   */
  async openBlob(
    repository: Repository,
    descriptor: { readonly digest: Digest; readonly size: number },
    signal: AbortSignal,
    range?: ByteRange,
  ): Promise<HttpAnswer> {
    const about = this.nameOf(repository, descriptor.digest);
    const answer = await this.send({
      method: 'GET',
      url: this.url(`/v2/${repository}/blobs/${descriptor.digest}`),
      scopes: [pullScope(repository)],
      headers: range && { range: `bytes=${range.start}-${range.end - 1}` },
      expected: [range === undefined ? 200 : 206],
      about,
      action: 'fetch a layer',
      awaited: 'content',
      // Some stores call a layer encoded because it is an archive in gzip.
      isOwnCoding: ({ 'content-length': length }) => Number(length) === descriptor.size,
      signal,
    });
    if (range === undefined) return answer;
    try {
      requirePart(answer, { start: range.start, size: descriptor.size, about });
      return answer;
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
  }

  #manifestExchange(method: 'GET' | 'HEAD', repository: Repository, name: Tag | Digest, signal: AbortSignal) {
    return {
      method,
      url: this.#manifestUrl(repository, name),
      scopes: [pullScope(repository)],
      headers: { accept: MANIFEST_ACCEPT },
      about: this.nameOf(repository, name),
      signal,
    };
  }

  #manifestUrl(repository: Repository, name: Tag | Digest): URL {
    return this.url(`/v2/${repository}/manifests/${name}`);
  }

  async #askVersion(): Promise<void> {
    const ask = (base: URL): Promise<HttpAnswer> =>
      this.send({
        method: 'GET',
        url: new URL('/v2/', base),
        scopes: [],
        // Quay and others answer 401 here even with an anonymous token. The host is reached all the same.
        expected: [200, 401, 403, 404],
        about: this.host,
        action: 'reach the registry',
        signal: this.#signal,
      });
    try {
      const answer = await this.#endpoint.settle(ask);
      if (answer.status === 401) this.#transport.note(answer);
      await this.likeness.pinged(answer);
    } catch (error) {
      // A refusal of this question does not matter: other requests show what the registry can do.
      if (!isRefusedQuestion(error)) throw error;
      this.likeness.refusedPing();
    }
  }
}
