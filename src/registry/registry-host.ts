import { ConcurrencyLimiter } from '../lib/concurrency-limiter.ts';
import { discardBody, type HttpAnswer } from '../lib/http/http.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { type RetryPolicy, retry } from '../lib/retry.ts';
import { pushScope } from './authorization.ts';
import { type HostLimits, isRateLimited } from './host-limits.ts';
import { type Digest, isDigest } from './oci/digest.ts';
import type { Host, Repository, Tag } from './oci/reference.ts';
import type { Exchange, Transport } from './transport.ts';

/** What a registry client is made of. */
export interface RegistryParts {
  readonly host: Host;
  readonly endpoint: URL;
  readonly transport: Transport;
  readonly limits: HostLimits;
  readonly retry: RetryPolicy;
  /** Of the run: what callers share must not end with one of them. */
  readonly signal: AbortSignal;
  readonly onRetry: (error: unknown, attempt: number) => void;
  readonly onRateLimit: () => void;
}

/** How one host is dealt with, whatever is asked of it: pinged once, on slots, with pauses and attempts. */
export class RegistryHost {
  readonly host: Host;
  readonly endpoint: URL;
  readonly limits: HostLimits;
  readonly #transport: Transport;
  readonly #retry: RetryPolicy;
  readonly #signal: AbortSignal;
  readonly #onRetry: RegistryParts['onRetry'];
  readonly #onRateLimit: RegistryParts['onRateLimit'];
  #pinged: Promise<void> | undefined;

  constructor(parts: RegistryParts) {
    this.host = parts.host;
    this.endpoint = parts.endpoint;
    this.limits = parts.limits;
    this.#transport = parts.transport;
    this.#retry = parts.retry;
    this.#signal = parts.signal;
    this.#onRetry = parts.onRetry;
    this.#onRateLimit = parts.onRateLimit;
  }

  /**
   * Learns, once a run, how this registry wants to be talked to. It tries once: every other method pings first, and
   * its attempts are the ones that count. Throws when the host cannot be reached.
   */
  ping(): Promise<void> {
    this.#pinged ??= this.#askVersion().catch((error: unknown) => {
      this.#pinged = undefined;
      throw error;
    });
    return this.#pinged;
  }

  /**
   * Proves, without writing anything, that we may log in to push: a token for the repository, or a ping with name and
   * password. Returns the user's name; `undefined` where the registry wants none. Throws `UNAUTHORIZED`.
   */
  async logIn(repository: Repository): Promise<string | undefined> {
    await this.ping();
    const { scheme, username } = await this.#transport.situation();
    if (scheme === 'none') return undefined;
    if (username === undefined) {
      throw new HttpFailure({
        code: 'UNAUTHORIZED',
        about: this.host,
        message: 'there is no login for this registry',
        hint: 'give --username and KEEL_PASSWORD, or log in with docker login',
      });
    }
    await this.#transport.prove([pushScope(repository)], this.url('/v2/'), this.#signal);
    return username;
  }

  /**
   * Sends one request as it is, without slot and second try; the host's limits learn from its failure, and say what it
   * is where the host wants more patience than there is.
   */
  async send(exchange: Exchange): Promise<HttpAnswer> {
    await this.limits.ready(exchange.signal);
    try {
      return await this.#transport.send(exchange);
    } catch (error) {
      if (isRateLimited(error)) this.#onRateLimit();
      throw this.limits.learn(error);
    }
  }

  /** Does something on a slot for metadata, as often as the policy allows; a pause that the host asked for is kept. */
  asMetadata<Result>(signal: AbortSignal, operation: () => Promise<Result>): Promise<Result> {
    return this.retrying(signal, async () => {
      await this.ping();
      await this.limits.patience(signal);
      const giveBack = await ConcurrencyLimiter.take([this.limits.metadata], signal);
      try {
        const result = await operation();
        this.limits.metadata.succeeded();
        return result;
      } finally {
        giveBack();
      }
    });
  }

  /** Does something as often as the policy allows, while what went wrong is worth another attempt. */
  retrying<Result>(
    signal: AbortSignal,
    operation: (attempt: number) => Promise<Result>,
    isWorthRepeating?: (error: unknown) => boolean,
  ): Promise<Result> {
    return retry({ policy: this.#retry, signal, onRetry: this.#onRetry, isWorthRepeating }, operation);
  }

  /** Returns the URL of a path at this registry. */
  url(path: string): URL {
    return new URL(path, this.endpoint);
  }

  /** Names something in a repository for people: `host/repository:tag` or `host/repository@digest`. */
  nameOf(repository: Repository, name: Tag | Digest): string {
    return `${this.host}/${repository}${isDigest(name) ? '@' : ':'}${name}`;
  }

  async #askVersion(): Promise<void> {
    const answer = await this.send({
      method: 'GET',
      url: this.url('/v2/'),
      scopes: [],
      // Quay and others answer their ping with 401 even to an anonymous token; it counts as reached.
      expected: [200, 401, 403, 404],
      about: this.host,
      action: 'reach the registry',
      signal: this.#signal,
    });
    if (answer.status === 401) await this.#transport.learn(answer);
    discardBody(answer);
  }
}
