import { z } from 'zod';
import type { Failure } from '../../lib/failure.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { isRateLimit, isTransientStatus } from '../../lib/http/transient-status.ts';
import { listOf, TEXT_FIELD } from '../../lib/zero-value.ts';

type ReleaseRefusalCode =
  | 'CREDENTIALS_REFUSED'
  | 'DENIED'
  | 'ABSENT'
  | 'ALREADY_EXISTS'
  | 'TOO_LARGE'
  | 'RATE_LIMITED'
  | 'SERVICE_BROKEN'
  | 'SERVICE_REFUSED';

const refusalShape = z
  .object({
    message: z.string().catch(''),
    errors: listOf(z.object({ code: TEXT_FIELD, message: TEXT_FIELD })).catch([]),
  })
  .catch({ message: '', errors: [] });

/** An error answer of GitHub, and what the request was about. */
interface ReleaseAnswer {
  readonly status: number;
  /** Its body, parsed; undefined if it is not JSON. */
  readonly body: unknown;
  readonly about: string;
  /** From Retry-After, in milliseconds since 1970. */
  readonly retryAt: number | undefined;
}

/** Returns the failure for an answer of GitHub's releases API. https://docs.github.com/rest/releases */
export function explainReleaseAnswer({ status, body, about, retryAt }: ReleaseAnswer): Failure {
  const { message, errors } = refusalShape.parse(body);
  const details = errors.flatMap((error) => error.message ?? []).join(', ');
  const said = [`status ${status}`, message, details].filter((text) => text !== '').join(': ');
  const refuse = (code: ReleaseRefusalCode, text: string, hint?: string): Failure =>
    new HttpFailure({
      code,
      about,
      message: `${text} (${said.slice(0, 300)})`,
      hint,
      status,
      transient: code === 'RATE_LIMITED' || isTransientStatus(status),
      retryAt,
    });
  if (status === 401) {
    const hint = 'check --github-token; the token of a workflow expires with its job';
    return refuse('CREDENTIALS_REFUSED', 'GitHub does not recognize the token', hint);
  }
  if (isRateLimit(status) || (status === 403 && /rate limit/i.test(message))) {
    return refuse('RATE_LIMITED', 'GitHub limits requests', 'try again in a while');
  }
  if (status === 403) {
    const hint =
      'a workflow needs "permissions: contents: write"; other tokens need write access to contents';
    return refuse('DENIED', 'the token is not allowed to write releases', hint);
  }
  if (status === 404) {
    const hint = 'check the repository, and that the token can see it';
    return refuse('ABSENT', 'GitHub cannot find it', hint);
  }
  if (status === 422 && errors.some((error) => error.code === 'already_exists')) {
    return refuse('ALREADY_EXISTS', 'one with this name already exists');
  }
  if (status === 422 && details.includes('size must be less than')) {
    return refuse('TOO_LARGE', 'GitHub does not accept assets of this size');
  }
  if (isTransientStatus(status) || status >= 500)
    return refuse('SERVICE_BROKEN', 'GitHub could not process the request', 'try again later');
  return refuse('SERVICE_REFUSED', 'GitHub refused the request');
}
