import { ConcurrencyLimiter, type LimiterWidth } from '../lib/concurrency-limiter.ts';
import { milliseconds } from '../lib/duration.ts';
import { isRateLimit } from '../lib/http/answer-status.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { pause } from '../lib/pause.ts';
import { RateLimiter } from '../lib/rate-limiter.ts';
import { LONGEST_HOLD } from '../lib/retry.ts';
import type { Host } from './oci/reference.ts';

/** How much may be asked of one host at a time. */
export interface LimitSettings {
  readonly metadata: LimiterWidth;
  readonly transfers: LimiterWidth;
}

/** Where users set no limits of their own: a careful start that widens while the host keeps up. */
export const ADAPTIVE_LIMITS: LimitSettings = {
  metadata: { start: 10, ceiling: 64 },
  transfers: { start: 5, ceiling: 32 },
};

const TOKENS: LimiterWidth = { start: 8 };
/** Hosts whose operators said what they bear. */
const REQUESTS_PER_SECOND: ReadonlyMap<string, number> = new Map([['registry.k8s.io', 50]]);
/** Huawei SWR takes at most 20 uploads at a time from one tenant. */
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
  /** Told each time that a host asks for fewer requests. */
  readonly onRateLimit?: (() => void) | undefined;
}

/** What one host bears: slots for metadata, transfers and tokens, a pace, and how long it wants to be left alone. */
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
   * Resolves when a request may go out. Throws `RATE_LIMITED`, which is not transient, when the host asked for more
   * patience than five minutes or than the run has.
   */
  async ready(signal: AbortSignal): Promise<void> {
    await this.patience(signal);
    await this.#rate?.turn(signal);
  }

  /** Resolves when the host is not asking for patience: to be awaited before slots are taken, as `ready` within them. */
  async patience(signal: AbortSignal): Promise<void> {
    while (this.#heldUntil > Date.now()) {
      const deferral = this.#deferral();
      if (deferral !== undefined) throw deferral;
      await pause(milliseconds(this.#heldUntil - Date.now()), signal);
    }
  }

  /**
   * Learns from a failed request: narrower limiters, and a pause for the whole host where it asked for one. Returns what
   * to throw: `RATE_LIMITED`, which is not transient, where what would be repeated has to wait too long, else the
   * error itself.
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
    return error.transient ? (this.#deferral() ?? error) : error;
  }

  // Beyond that patience the rest of the host is left for the next run, and other hosts go on.
  #deferral(): HttpFailure<'RATE_LIMITED'> | undefined {
    const patience = Math.min(Date.now() + LONGEST_HOLD, this.#run.deadline ?? Number.POSITIVE_INFINITY);
    if (this.#heldUntil <= patience) return undefined;
    const until = new Date(this.#heldUntil).toISOString().slice(11, 16);
    return new HttpFailure({
      code: 'RATE_LIMITED',
      about: this.#host,
      message: `deferred (rate limited until ${until} UTC)`,
      hint: 'the next run goes on from here; logging in usually raises the limit',
      retryAt: this.#heldUntil,
    });
  }
}
