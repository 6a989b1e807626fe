import { type JournalEntry, matches, type RequestMatch } from './journal.ts';

/** One way in which a request goes wrong. */
export type Fault =
  /** Another answer. With `early`, before the request's body was read. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly early?: boolean;
    }
  /** The connection is reset before an answer. */
  | { readonly kind: 'reset' }
  /** What was asked for is done, and the connection reset before an answer. */
  | { readonly kind: 'lost-answer' }
  /** The connection is reset when so many bytes of the request's body have come in. */
  | { readonly kind: 'reset-request'; readonly afterBytes: number }
  /** The connection is reset when so many bytes of the answer's body have gone out. */
  | { readonly kind: 'reset-answer'; readonly afterBytes: number }
  /** No answer ever; or none of its body after so many bytes. The connection stays open. */
  | { readonly kind: 'silence'; readonly afterBytes?: number }
  | { readonly kind: 'trickle'; readonly bytesPerSecond: number }
  /** Content-Length says so much more (or less) than the body has. */
  | { readonly kind: 'wrong-length'; readonly difference: number }
  /** The body ends after so many bytes; Content-Length is that of the whole, or agrees with the short one. */
  | { readonly kind: 'truncate'; readonly bytes: number; readonly declared: 'whole' | 'short' }
  /** Another body of the same length. */
  | { readonly kind: 'wrong-bytes' }
  /** Valid JSON without an end in sight, without Content-Length. */
  | { readonly kind: 'huge-json'; readonly bytes: number; readonly status?: number }
  /** An answer that is made up while it is sent, without Content-Length; it may have no end. */
  | {
      readonly kind: 'made';
      readonly status?: number;
      readonly headers?: (url: URL) => Readonly<Record<string, string>>;
      readonly pieces: (url: URL) => Iterable<Buffer>;
    }
  /** A redirect; with `early`, before the request's body was read. */
  | {
      readonly kind: 'redirect';
      readonly location: string | ((url: URL) => string);
      readonly status?: number;
      readonly early?: boolean;
    }
  /** The answer is the usual one, later. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  | { readonly kind: 'hold'; readonly until: Promise<unknown> };

export interface FaultRule {
  /** Which requests; all without. */
  readonly match?: RequestMatch;
  /** How many of them (1); `Infinity` for all. */
  readonly times?: number;
  /** How many of them pass unharmed before (0). */
  readonly skip?: number;
  readonly fault: Fault;
}

/** Tells how often a rule struck, so that a test can prove that its fault happened. */
export interface FaultHandle {
  readonly hits: number;
  /** Ends the rule. */
  stop(): void;
}

class ActiveRule implements FaultHandle {
  readonly rule: FaultRule;
  hits = 0;
  passed = 0;
  stopped = false;

  constructor(rule: FaultRule) {
    this.rule = rule;
  }

  strikes(entry: JournalEntry): boolean {
    const { times = 1, skip = 0, match = {} } = this.rule;
    if (this.stopped || this.hits >= times || !matches(match, entry)) return false;
    this.passed += 1;
    if (this.passed <= skip) return false;
    this.hits += 1;
    return true;
  }

  stop(): void {
    this.stopped = true;
  }
}

/** The fault switches of a test registry. */
export class Faults {
  readonly #rules: ActiveRule[] = [];

  add(rule: FaultRule): FaultHandle {
    const active = new ActiveRule(rule);
    this.#rules.push(active);
    return active;
  }

  /** Ends all rules. */
  clear(): void {
    this.#rules.length = 0;
  }

  /** Returns what happens to a request: all waits that match it, then the first other fault. */
  take(entry: JournalEntry): { waits: Fault[]; fault: Fault | undefined } {
    const waits: Fault[] = [];
    for (const active of this.#rules) {
      if (!active.strikes(entry)) continue;
      const { fault } = active.rule;
      if (fault.kind !== 'delay' && fault.kind !== 'hold') return { waits, fault };
      waits.push(fault);
    }
    return { waits, fault: undefined };
  }
}

/** An endless chain of redirects within the registry. */
export function endlessRedirect(): Fault {
  return {
    kind: 'redirect',
    location: (url) => {
      const next = new URL(url);
      next.searchParams.set('hop', String(Number(url.searchParams.get('hop') ?? 0) + 1));
      return next.href;
    },
  };
}

/** An answer 429 or 503 with Retry-After, as seconds or as a date, and a body that is not JSON (as Docker Hub's). */
export function rateLimited(retryAfter: number | Date, status: 429 | 503 = 429): Fault {
  const told = typeof retryAfter === 'number' ? String(retryAfter) : retryAfter.toUTCString();
  return {
    kind: 'status',
    status,
    headers: { 'retry-after': told, 'content-type': 'text/plain' },
    body: 'You have reached your rate limit.\n',
  };
}

/** An error page as proxies send it. */
export function htmlError(status: number): Fault {
  return {
    kind: 'status',
    status,
    headers: { 'content-type': 'text/html' },
    body: `<html><head><title>${status}</title></head><body><h1>${status} from a proxy</h1></body></html>`,
  };
}
