import { Failure } from '../lib/failure.ts';
import { discardBody, type HttpAnswer, readBody } from '../lib/http/http.ts';
import { HttpFailure, isAnswerFailure } from '../lib/http/http-failure.ts';
import type { Host } from './oci/reference.ts';
import { verdictOf } from './ping-answer.ts';
import { isNotFound } from './registry-failure.ts';
import { NotJson } from './tag-list.ts';

/** Larger than any list of errors. */
const PAGE_LIMIT = 64 * 1024;

/** Whether a host is a registry, according to all its answers so far. */
export class Likeness {
  #ping: string | undefined;
  #isProven = false;
  #hasPageForList = false;

  /** Why this host is probably not a registry; undefined if there is no reason, or if it answered like a registry. */
  get oddity(): string | undefined {
    if (this.#isProven) return undefined;
    const list = this.#hasPageForList ? 'its list of tags is not JSON' : undefined;
    return [this.#ping, list].filter((reason) => reason !== undefined).join(', and ') || undefined;
  }

  /** Whether an answer has shown that this is a registry. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** Notes that it answered as only a registry does. */
  prove(): void {
    this.#isProven = true;
  }

  /** Notes what it answered to `GET /v2/`, and reads or discards the body. */
  async pinged(answer: HttpAnswer): Promise<void> {
    // Some registries do not have this page, and answer as for everything else that they do not have.
    const body = answer.status === 404 ? await readBody(answer, PAGE_LIMIT) : undefined;
    discardBody(answer);
    const verdict = verdictOf(answer, body?.toString('utf8') ?? '');
    if (verdict.kind === 'registry') this.prove();
    this.#ping = verdict.kind === 'odd' ? verdict.oddity : undefined;
  }

  /** Notes that it refused `GET /v2/`. */
  refusedPing(): void {
    this.#ping = 'GET /v2/ is refused';
  }

  /** Notes why its tags could not be listed. Returns the failure, or another one if this is not a registry. */
  ofList(error: unknown, host: Host): unknown {
    if (!isPage(error)) return error;
    this.#hasPageForList = true;
    return orStranger({ host, likeness: this }, error);
  }
}

function isPage(error: unknown): boolean {
  return error instanceof HttpFailure && error.cause instanceof NotJson;
}

/**
 * Returns `NOT_A_REGISTRY` in place of the failure of a host that does not look like a registry and does not have the
 * repository, or answers a request for tags with something else. Returns any other error unchanged.
 */
export function orStranger(
  registry: { readonly host: Host; readonly likeness: Likeness },
  error: unknown,
): unknown {
  const { host, likeness } = registry;
  const { oddity } = likeness;
  const isMissing = isNotFound(error);
  if (oddity === undefined || !(isMissing || isPage(error))) return error;
  return new Failure({
    code: 'NOT_A_REGISTRY',
    about: host,
    message: `this host is not a registry: ${oddity}${isMissing ? ', and it has no such repository' : ''}`,
    hint: 'check its name and its port',
    cause: error,
  });
}

/** What web sites answer to an upload, other than pages (below 400): nothing is there, or nothing can be written. */
const SITE_STATUS: ReadonlySet<number> = new Set([404, 405, 410, 501]);

/** Returns whether an error may be the refusal of an upload by a web site. */
export function mayBeOfSite(error: unknown): boolean {
  const status = isAnswerFailure(error) ? error.status : undefined;
  return status !== undefined && (status < 400 || SITE_STATUS.has(status));
}
