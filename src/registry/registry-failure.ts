import { z } from 'zod';
import { failureCode } from '../lib/failure.ts';
import { isPassing, isRateLimit } from '../lib/http/answer-status.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { pushVerdict, type Verdict } from './push-verdict.ts';

export type RegistryFailureCode =
  | 'NOT_FOUND'
  | 'DENIED'
  | 'UNAUTHORIZED'
  | 'RATE_LIMITED'
  | 'DIGEST_MISMATCH'
  | 'SIZE_MISMATCH'
  | 'CONTENT_UNKNOWN'
  | 'FORMAT_REFUSED'
  | 'TAG_IMMUTABLE'
  | 'REDIRECT_REFUSED'
  | 'REGISTRY_REFUSED'
  | 'REGISTRY_BROKEN';

/** What a registry answered where something else was needed. */
export type RegistryFailure = HttpFailure<RegistryFailureCode>;

/** Returns whether an error is the registry's word that something does not exist. */
export function isNotFound(error: unknown): boolean {
  return failureCode(error) === 'NOT_FOUND';
}

/** The same, or a denial: some registries say 403 for what does not exist. */
export function mayBeAbsent(error: unknown): boolean {
  return isNotFound(error) || failureCode(error) === 'DENIED';
}

const errorBodyShape = z.object({
  errors: z.array(z.object({ code: z.string().optional(), message: z.string().optional() })).min(1),
});

/** Token services and proxies in front of registries say it in ways of their own. */
const otherErrorShape = z
  .object({ message: z.string().optional(), details: z.string().optional(), error: z.string().optional() })
  .catch({});

/** The error codes of the distribution specification in an answer's body, and what it says in words. */
export interface ErrorBody {
  readonly codes: readonly string[];
  /** At most 300 characters on one line, without those that steer a terminal; empty where the body says nothing to a person. */
  readonly text: string;
}

/**
 * Reads the body of an error answer: JSON as specified, plain text, HTML or nothing (distribution-spec, "Error codes").
 * `clean` takes out what must not be repeated.
 */
export function parseErrorBody(body: string, clean: (text: string) => string = (text) => text): ErrorBody {
  const oneLine = (text: string): string =>
    clean(text)
      .replaceAll(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, 300);
  try {
    const json: unknown = JSON.parse(body);
    const parsed = errorBodyShape.safeParse(json);
    if (parsed.success) {
      const codes = parsed.data.errors.flatMap((error) => (error.code === undefined ? [] : [error.code]));
      const first = parsed.data.errors[0];
      return { codes, text: oneLine([first?.code, first?.message].filter(Boolean).join(': ')) };
    }
    const { message, details, error } = otherErrorShape.parse(json);
    return { codes: [], text: oneLine(message ?? details ?? error ?? '') };
  } catch {
    // Not JSON: what follows treats it as text.
  }
  return { codes: [], text: /^\s*</.test(body) ? '' : oneLine(body) };
}

/** Besides those that any server says: too early, and what proxies in front of registries say of a cut connection. */
const MORE_PASSING: ReadonlySet<number> = new Set([425, 499, 522]);

function verdict(status: number): Verdict {
  if (status === 401) {
    // Some registries say so to an account that they know as well, where it may not push.
    return {
      code: 'UNAUTHORIZED',
      hint: 'check the user name and password for this registry, and that the account may do this there',
    };
  }
  if (status === 403) {
    return {
      code: 'DENIED',
      hint: 'check that the namespace exists and that the account may do this there',
    };
  }
  if (status === 404) return { code: 'NOT_FOUND' };
  if (isRateLimit(status)) {
    return { code: 'RATE_LIMITED', hint: 'log in to this registry or lower --query-limit and --limit' };
  }
  if (status >= 500) {
    return { code: 'REGISTRY_BROKEN', hint: 'this is a fault of the registry itself; try again later' };
  }
  return { code: 'REGISTRY_REFUSED' };
}

/** Returns the failure for an answer that was not hoped for. `about` names the image or host; `action` says what was tried. */
export function refusal(answer: {
  readonly about: string;
  readonly action: string;
  readonly status: number;
  readonly errorBody: ErrorBody;
  readonly retryAt?: number | undefined;
}): RegistryFailure {
  const { status, errorBody } = answer;
  const { code, hint } = pushVerdict(answer.action, status, errorBody) ?? verdict(status);
  const said = errorBody.text === '' ? '' : `: ${errorBody.text}`;
  return new HttpFailure({
    code,
    about: answer.about,
    message: `cannot ${answer.action}, the registry answered ${status}${said}`,
    hint,
    status,
    transient: isPassing(status) || MORE_PASSING.has(status),
    retryAt: answer.retryAt,
  });
}
