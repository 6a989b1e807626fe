import { HttpFailure } from '../lib/http/http-failure.ts';
import { isRateLimit, isTransientStatus } from '../lib/http/transient-status.ts';
import type { ErrorBody } from './error-body.ts';
import type { RegistryFailure, RegistryFailureCode } from './registry-failure.ts';

/** What a request writes: it opens an upload, sends or completes a layer, or stores a manifest. */
export type Written = 'upload' | 'layer' | 'manifest';

/** An answer of a registry with a status that the caller does not handle. */
interface RefusedAnswer {
  /** The image, repository or host of the request. */
  readonly about: string;
  /** What was tried, for the message `cannot …`. */
  readonly action: string;
  readonly writes?: Written | undefined;
  readonly status: number;
  readonly errorBody: ErrorBody;
  /** In milliseconds since 1970. */
  readonly retryAt?: number | undefined;
}

/** The meaning of a refusal, and what the user can do about it. */
interface Verdict {
  readonly code: RegistryFailureCode;
  readonly hint?: string | undefined;
}

/** Returns the failure for a refusal, by its status, its error codes and its text. */
export function refusal(answer: RefusedAnswer): RegistryFailure {
  const { about, action, status, errorBody, retryAt } = answer;
  const { code, hint } = wordsVerdict(answer) ?? statusVerdict(status);
  const said = errorBody.text === '' ? '' : `: ${errorBody.text}`;
  const message = `cannot ${action}, the registry answered ${status}${said}`;
  const transient = isTransientStatus(status);
  return new HttpFailure({ code, about, message, hint, status, transient, retryAt });
}

const OTHER_FAULTS: ReadonlySet<string> = new Set([
  'TAG_INVALID',
  'NAME_INVALID',
  'DIGEST_INVALID',
  'SIZE_INVALID',
]);
const FORMAT_STATUS: ReadonlySet<number> = new Set([400, 405, 406, 415, 422]);

/**
 * Returns the meaning of a refusal whose codes or text say more than its status; undefined if they do not. Registries
 * express these in different ways (field notes of Harbor, ECR, ACR, SWR, Quay).
 */
function wordsVerdict({ writes, status, errorBody }: RefusedAnswer): Verdict | undefined {
  const { codes, text } = errorBody;
  // GHCR says this to a workflow token without the permission to write packages.
  if (status === 403 && /permission_denied: \w+_package|installation not allowed/i.test(text)) {
    const hint =
      'a workflow needs "permissions: packages: write", and an existing package has to give its repository access under Package settings';
    return { code: 'DENIED', hint };
  }
  if (codes.includes('NAME_INVALID') || /invalid (?:repository )?name/i.test(text)) {
    const hint =
      'this registry may take fewer levels of names: for a destination, use --naming basename or dashed and a --push-ns of one level';
    return { code: 'REGISTRY_REFUSED', hint };
  }
  if (writes === undefined || status >= 500 || status === 401 || isRateLimit(status)) return undefined;
  return writeVerdict(writes, status, errorBody);
}

function writeVerdict(writes: Written, status: number, { codes, text }: ErrorBody): Verdict | undefined {
  if (codes.includes('MANIFEST_BLOB_UNKNOWN') || codes.includes('BLOB_UNKNOWN')) {
    return writes === 'upload' ? undefined : { code: 'CONTENT_UNKNOWN' };
  }
  const verdict = writes === 'manifest' ? manifestVerdict(status, codes, text) : undefined;
  if (verdict !== undefined || status !== 404) return verdict;
  const hint =
    'create the repository there, or the namespace, project or organisation above it; not every registry makes them on push';
  return { code: 'NOT_FOUND', hint };
}

function manifestVerdict(status: number, codes: readonly string[], text: string): Verdict | undefined {
  const isImmutable = status === 412 || /immutable|TagAlreadyExists/i.test(`${codes.join(' ')} ${text}`);
  if (isImmutable && status < 500) {
    const hint =
      'tags cannot be changed there: let the rule leave this repository out, or take the tag out of the image set';
    return { code: 'TAG_IMMUTABLE', hint };
  }
  if (/unknown manifest class/i.test(text)) return formatRefused();
  if (!FORMAT_STATUS.has(status) || codes.some((code) => OTHER_FAULTS.has(code))) return undefined;
  const isAboutFormat =
    codes.includes('MANIFEST_INVALID') ||
    codes.includes('UNSUPPORTED') ||
    /manifest|media ?type|content ?type|unsupported/i.test(text);
  return isAboutFormat || status === 415 ? formatRefused() : undefined;
}

function formatRefused(): Verdict {
  return { code: 'FORMAT_REFUSED', hint: 'this registry does not take content of this kind; leave it out' };
}

function statusVerdict(status: number): Verdict {
  if (status === 401) {
    // Some registries also answer so if the login is right but the account may not push.
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
