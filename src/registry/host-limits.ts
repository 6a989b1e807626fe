import { ConcurrencyLimiter, type LimiterWidth } from '../lib/concurrency-limiter.ts';
import { milliseconds } from '../lib/duration.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { isRateLimit } from '../lib/http/transient-status.ts';
import { pause } from '../lib/pause.ts';
import { RateLimiter } from '../lib/rate-limiter.ts';
import { LONGEST_HOLD } from '../lib/retry.ts';
import type { Host } from './oci/reference.ts';

/** How many requests and transfers may be in flight at one host. */
export interface LimitSettings {
  readonly metadata: LimiterWidth;
  readonly transfers: LimiterWidth;
}

/** The limits if users set none: they start low and grow as long as the host keeps up. */
export const ADAPTIVE_LIMITS: LimitSettings = {
  metadata: { start: 10, ceiling: 64 },
  transfers: { start: 5, ceiling: 32 },
};

const TOKENS: LimiterWidth = { start: 8 };
/** Rates that operators of registries have published. */
const REQUESTS_PER_SECOND: ReadonlyMap<string, number> = new Map([['registry.k8s.io', 50]]);
/** Huawei SWR accepts at most 20 concurrent uploads from one tenant. */
const SWR_TRANSFERS = 20;
const SWR = /^swr[.-].*\.myhuaweicloud\.(?:com|eu)$/;

function transfersWidth(host: Host, width: LimiterWidth): LimiterWidth {
  if (!SWR.test(host)) return width;
  const start = Math.min(width.start, SWR_TRANSFERS);
  return width.ceiling === undefined ? { start } : { start, ceiling: Math.min(width.ceiling, SWR_TRANSFERS) };
}

/** What a run adds to the limits of each host. */
interface RunLimits {
  /** When the run has to be over, in milliseconds since 1970. */
  readonly deadline?: number | undefined;
  /** Called each time that the host asks for fewer requests. */
  readonly onRateLimit?: (() => void) | undefined;
}

/**
 * The limits of one host: slots for metadata, transfers and tokens, a rate, and the end of a pause that the host asked
 * for.
 */
export class HostLimits {
  readonly metadata: ConcurrencyLimiter;
  readonly transfers: ConcurrencyLimiter;
  readonly tokens: ConcurrencyLimiter = new ConcurrencyLimiter(TOKENS);
  readonly #host: Host;
  readonly #rate: RateLimiter | undefined;
  readonly #run: RunLimits;
  #heldUntil = 0;

  constructor(host: Host, settings: LimitSettings, run: RunLimits = {}) {
    this.#host = host;
    this.#run = run;
    this.metadata = new ConcurrencyLimiter(settings.metadata);
    this.transfers = new ConcurrencyLimiter(transfersWidth(host, settings.transfers));
    const perSecond = REQUESTS_PER_SECOND.get(host);
    this.#rate = perSecond === undefined ? undefined : new RateLimiter(perSecond);
  }

  /**
   * Resolves when a request may be sent. Throws `RATE_LIMITED`, which is not transient, if the host asked for a pause
   * that is longer than five minutes or than the rest of the run.
   */
  async ready(signal: AbortSignal): Promise<void> {
    await this.patience(signal);
    await this.#rate?.turn(signal);
  }

  /**
   * Resolves when the pause that the host asked for is over. Await it before taking slots, and `ready` while holding
   * them.
   */
  async patience(signal: AbortSignal): Promise<void> {
    while (this.#heldUntil > Date.now()) {
      const deferral = this.#deferral();
      if (deferral !== undefined) throw deferral;
      await pause(milliseconds(this.#heldUntil - Date.now()), signal);
    }
  }

  /**
   * Learns from a failed request: narrows the limiters, and starts a pause for the whole host if the answer asked for
   * one. Returns the error to throw: the given one, with a deferral for the caller that would repeat the request if the
   * pause is too long.
   */
  learn(error: unknown): unknown {
    if (!(error instanceof HttpFailure)) return error;
    const isTooMuch = error.status !== undefined && isRateLimit(error.status);
    if (isTooMuch) this.#run.onRateLimit?.();
    if (isTooMuch || error.status === 503) {
      this.metadata.throttled();
      this.transfers.throttled();
    }
    if (error.retryAt === undefined) return error;
    this.#heldUntil = Math.max(this.#heldUntil, error.retryAt);
    const deferral = error.transient ? this.#deferral() : undefined;
    if (deferral === undefined) return error;
    return error.with({ deferral });
  }

  /** Returns why requests to this host are left for the next run; undefined if the pause is short enough to wait. */
  #deferral(): HttpFailure<'RATE_LIMITED'> | undefined {
    const patience = Math.min(Date.now() + LONGEST_HOLD, this.#run.deadline ?? Number.POSITIVE_INFINITY);
    if (this.#heldUntil <= patience) return undefined;
    const until = new Date(this.#heldUntil).toISOString().slice(11, 16);
    return new HttpFailure({
      code: 'RATE_LIMITED',
      about: this.#host,
      message: `deferred (rate limited until ${until} UTC)`,
      hint: 'the next run continues from here; logging in usually raises the limit',
      retryAt: this.#heldUntil,
    });
  }
}
