import type { ErrorBody, RegistryFailureCode } from './registry-failure.ts';

/** What a refusal means and what the user can change about it. */
export interface Verdict {
  readonly code: RegistryFailureCode;
  readonly hint?: string;
}

const WRITES: ReadonlySet<string> = new Set([
  'start an upload',
  'push a layer',
  'push a part of a layer',
  'finish a layer',
  'push its manifest',
]);
const OTHER_FAULTS: ReadonlySet<string> = new Set([
  'TAG_INVALID',
  'NAME_INVALID',
  'DIGEST_INVALID',
  'SIZE_INVALID',
]);
const FORMAT_STATUS: ReadonlySet<number> = new Set([400, 405, 406, 415, 422]);

/**
 * Reads what a registry says when it refuses something that is pushed, where its words tell more than its status;
 * `undefined` where they do not. Every registry has its own way to say these (field notes of Harbor, ECR, ACR, SWR, Quay).
 */
export function pushVerdict(action: string, status: number, { codes, text }: ErrorBody): Verdict | undefined {
  // GHCR's words for a token of a workflow that may not write packages.
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
  if (!WRITES.has(action) || status >= 500 || status === 401 || status === 429) return undefined;
  if (codes.includes('MANIFEST_BLOB_UNKNOWN') || codes.includes('BLOB_UNKNOWN')) {
    return action === 'start an upload' ? undefined : { code: 'CONTENT_UNKNOWN' };
  }
  if (action === 'push its manifest') {
    const verdict = manifestVerdict(status, codes, text);
    if (verdict !== undefined) return verdict;
  }
  if (status === 404) {
    const hint =
      'create the repository there, or the namespace, project or organisation above it; not every registry makes them on push';
    return { code: 'NOT_FOUND', hint };
  }
  return undefined;
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
