import { Failure } from '../lib/failure.ts';
import { discardBody, type HttpAnswer, readBody } from '../lib/http/http.ts';
import { HttpFailure, isAnswerFailure } from '../lib/http/http-failure.ts';
import type { Host } from './oci/reference.ts';
import { verdictOf } from './ping-answer.ts';
import { isNotFound } from './registry-failure.ts';
import { NotJson } from './tag-list.ts';

/** More than any list of errors has. */
const PAGE_LIMIT = 64 * 1024;

/** Whether what answers at a host is a registry, by all that it has answered. */
export class Likeness {
  #ping: string | undefined;
  #isProven = false;
  #hasPageForList = false;

  /** What speaks against it that this is a registry; undefined if nothing does, or if it answered as one does. */
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
    // Some registries do not have this page, and say so as they say of everything else that they do not have.
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

  /** Notes why its tags could not be listed. Returns the failure, which is another one if this is no registry. */
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
 * Returns `NOT_A_REGISTRY` in place of the failure of a host that does not look like a registry and knows no repository,
 * or answers a question for tags with something else. Returns any other error unchanged.
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

/** The statuses, other than pages (below 400), that web sites answer to an upload: nothing is there, or nothing can be written. */
const SITE_STATUS: ReadonlySet<number> = new Set([404, 405, 410, 501]);

/** Returns whether a web site may have refused an upload so. */
export function mayBeOfSite(error: unknown): boolean {
  const status = isAnswerFailure(error) ? error.status : undefined;
  return status !== undefined && (status < 400 || SITE_STATUS.has(status));
}
