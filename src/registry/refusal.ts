import { HttpFailure } from '../lib/http/http-failure.ts';
import { isRateLimit, isTransientStatus } from '../lib/http/transient-status.ts';
import type { ErrorBody } from './error-body.ts';
import type { RegistryFailure, RegistryFailureCode } from './registry-failure.ts';

/** What a request writes: it opens an upload, sends or completes a layer, or stores a manifest. */
export type Written = 'upload' | 'layer' | 'manifest';

/** An answer of a registry with a status that the caller does not handle. */
export interface RefusedAnswer {
  /** The image, repository or host of the request. */
  readonly about: string;
  /** What was tried, for the message `cannot …`. */
  readonly action: string;
  readonly writes?: Written | undefined;
  readonly status: number;
  /** Which of several requests of an operation was refused, such as the host that a redirect led to. */
  readonly request?: string | undefined;
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
  const { about, action, status, request, errorBody, retryAt } = answer;
  const { code, hint } = wordsVerdict(answer) ?? statusVerdict(status, answer.writes);
  const said = errorBody.text === '' ? '' : `: ${errorBody.text}`;
  const message = `cannot ${action}, the registry answered ${status}${said}`;
  const transient = isTransientStatus(status);
  return new HttpFailure({ code, about, message, hint, status, request, transient, retryAt });
}

/** Returns whether a refusal has a reason beyond its status. */
export function saysWhy(answer: RefusedAnswer): boolean {
  return wordsVerdict(answer) !== undefined;
}

const OTHER_FAULTS: ReadonlySet<string> = new Set([
  'TAG_INVALID',
  'NAME_INVALID',
  'DIGEST_INVALID',
  'SIZE_INVALID',
  'MANIFEST_PAYLOAD_SIZE_LIMIT',
  'MANIFEST_REFERENCE_LIMIT',
]);
const FORMAT_STATUS: ReadonlySet<number> = new Set([400, 405, 406, 415, 422]);
/** Codes that registries use for any error in a manifest. */
const ANY_FAULT: ReadonlySet<string> = new Set(['MANIFEST_INVALID', 'MANIFEST_UNVERIFIED', 'UNSUPPORTED']);
const PART_UNKNOWN: ReadonlySet<string> = new Set(['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN']);

/** Texts about an unknown part of a manifest, without its name or with its digest. */
const UNKNOWN_PART =
  /\b(?:unknown|missing) (?:blob|layer)|\b(?:blob|layer)s? (?:is |are )?(?:unknown|missing|not found)/i;
const UNKNOWN = /\b(?:unknown|missing|not found|not exist|unable to find)\b/i;
const DIGEST = /\bsha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})\b/;
/** Texts of Harbor, ECR, GitLab and ACR, which have the codes of other refusals. */
const QUOTA_WORDS =
  /\bquota|exceed(?:s|ed)? the (?:configured upper |storage )?limit|LimitExceededException|storage (?:is )?full/i;
/** ACR: a type that it does not know, with any status. */
const UNKNOWN_CLASS = /unknown manifest class/i;
/** Texts that refuse the type of a manifest, or of something in it. */
const FORMAT_WORDS =
  /fail(?:ed)? to parse 'manifest\.json'|\b(?:media|content)[ -]?type|\bschema ?version|\bOCI\b|not (?:supported|accepted|allowed)/i;

/**
 * Returns the meaning of a refusal whose codes or text mean more than its status; undefined if they do not. Registries
 * express these in different ways (field notes of Harbor, ECR, ACR, SWR, Quay).
 */
function wordsVerdict({ writes, status, errorBody }: RefusedAnswer): Verdict | undefined {
  const { codes, text, details } = errorBody;
  // GHCR answers this to a workflow token without the permission to write packages.
  if (status === 403 && /permission_denied: \w+_package|installation not allowed/i.test(text)) {
    const hint =
      'set "permissions: packages: write" in the workflow; for an existing package, also allow the repository under its Package settings';
    return { code: 'DENIED', hint };
  }
  if (codes.includes('NAME_INVALID') || /invalid (?:repository )?name/i.test(text)) {
    const hint =
      'this registry may accept fewer levels of names: for a destination, use --naming basename or dashed and a --push-ns of one level';
    return { code: 'REGISTRY_REFUSED', hint };
  }
  if (writes === undefined || status >= 500 || status === 401 || isRateLimit(status)) return undefined;
  if (QUOTA_WORDS.test(`${text} ${details}`)) {
    const hint = 'a quota is used up: free space in this project or namespace, or ask for a higher quota';
    return { code: 'DENIED', hint };
  }
  return writeVerdict(writes, status, errorBody);
}

function writeVerdict(writes: Written, status: number, errorBody: ErrorBody): Verdict | undefined {
  if (writes === 'manifest' && UNKNOWN_CLASS.test(errorBody.text)) return formatRefused();
  if (isPartUnknown(writes, errorBody)) return writes === 'upload' ? undefined : { code: 'CONTENT_UNKNOWN' };
  const verdict = writes === 'manifest' ? manifestVerdict(status, errorBody) : undefined;
  if (verdict !== undefined || status !== 404) return verdict;
  const hint =
    'create the repository there, or the namespace, project or organisation above it; not every registry creates them on push';
  return { code: 'NOT_FOUND', hint };
}

function isPartUnknown(writes: Written, { codes, text, details }: ErrorBody): boolean {
  if (codes.some((code) => PART_UNKNOWN.has(code))) return true;
  if (writes !== 'manifest') return false;
  // This is not about the manifest that is being pushed, but about one that it lists, which may be there a moment later.
  if (codes.includes('MANIFEST_UNKNOWN') || UNKNOWN_PART.test(text)) return true;
  const said = `${text} ${details}`;
  return DIGEST.test(said) && UNKNOWN.test(said);
}

function manifestVerdict(status: number, { codes, text, details }: ErrorBody): Verdict | undefined {
  // Harbor also answers 412 to what a policy of the project forbids.
  const isPolicy = /policy|vulnerab/i.test(text);
  const isImmutable =
    (status === 412 && !isPolicy) || /immutable|TagAlreadyExists/i.test(`${codes.join(' ')} ${text}`);
  if (isImmutable && status < 500) {
    const hint =
      'tags cannot be changed there: exclude this repository from the rule, or remove the tag from the image set';
    return { code: 'TAG_IMMUTABLE', hint };
  }
  if (!FORMAT_STATUS.has(status) || codes.some((code) => OTHER_FAULTS.has(code))) return undefined;
  if (status === 415 || FORMAT_WORDS.test(`${text} ${details}`)) return formatRefused();
  const isAboutManifest = codes.some((code) => ANY_FAULT.has(code)) || /manifest/i.test(text);
  if (!isAboutManifest) return undefined;
  const hint = 'read the log of the registry, which may contain the reason, or leave the image out';
  return { code: 'MANIFEST_REFUSED', hint };
}

function formatRefused(): Verdict {
  return {
    code: 'FORMAT_REFUSED',
    hint: 'this registry does not accept content of this kind; leave the image out',
  };
}

function statusVerdict(status: number, writes: Written | undefined): Verdict {
  if (status === 401) {
    // Some registries also answer this if the login is right but the account may not push.
    return {
      code: 'UNAUTHORIZED',
      hint: 'check the user name and password for this registry, and that the account has permission for this',
    };
  }
  if (status === 403) {
    return {
      code: 'DENIED',
      hint: 'check that the namespace exists and that the account has permission for this there',
    };
  }
  if (status === 404) return { code: 'NOT_FOUND' };
  if (status === 405 && writes !== undefined) {
    const hint = 'this registry may be read-only or a pull-through cache: check that it accepts pushes';
    return { code: 'REGISTRY_REFUSED', hint };
  }
  if (status === 413) {
    const hint =
      'the registry, or a proxy in front of it, accepts no request of this size: raise its limit (nginx: client_max_body_size)';
    return { code: 'REGISTRY_REFUSED', hint };
  }
  if (isRateLimit(status)) {
    return { code: 'RATE_LIMITED', hint: 'log in to this registry or lower --query-limit and --limit' };
  }
  if (status >= 500) {
    return { code: 'REGISTRY_BROKEN', hint: 'the registry itself fails; try again later' };
  }
  return { code: 'REGISTRY_REFUSED' };
}
