import { z } from 'zod';
import type { Failure } from '../../lib/failure.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { isRateLimit, isTransientStatus } from '../../lib/http/transient-status.ts';
import { parseJson } from '../../lib/json.ts';
import { alreadyPublished } from '../contract/replacement.ts';

type KodoRefusalCode =
  | 'CREDENTIALS_REFUSED'
  | 'BUCKET_ABSENT'
  | 'WRONG_ZONE'
  | 'ABSENT'
  | 'TOO_LARGE'
  | 'THROTTLED'
  | 'SERVICE_BROKEN'
  | 'SERVICE_REFUSED';

/** An error answer of Kodo, and what the request was about. */
interface KodoAnswer {
  readonly status: number;
  /** The error text of its body; may be empty. */
  readonly error: string;
  readonly bucket: string;
  readonly key: string;
  /** From Retry-After, in milliseconds since 1970. */
  readonly retryAt?: number | undefined;
}

const KEYS_HINT = 'check --access-key and --secret-key; the Qiniu console shows both under key management';

/** Kodo writes "region", and wrote "zone" before. A private Kodo may be old or new. */
const OTHER_REGION = /\bincorrect (?:region|zone)\b/i;
/** The host that Kodo names instead of the one that got the request. */
const RIGHT_HOST = /\bup(?:load)?(?:-([a-z0-9-]{1,40}))?\.(?:qiniup?|qbox)\.(?:com|me)\b/i;

function zoneHint(error: string): string {
  const host = RIGHT_HOST.exec(error);
  if (host === null) return 'omit --zone to look it up';
  return `omit --zone or set it to ${host[1]?.toLowerCase() ?? 'z0'}`;
}

/**
 * Returns the failure for an answer of Kodo, by its status and error text. Some statuses are Kodo's own: 573 throttled,
 * 612 absent, 614 exists, 631 no bucket. https://developer.qiniu.com/kodo/3928/error-responses
 */
export function explainKodoAnswer({ status, error, bucket, key, retryAt }: KodoAnswer): Failure {
  const bucketName = `bucket ${bucket}`;
  const said = error === '' ? `status ${status}` : `status ${status}: ${error.slice(0, 200)}`;
  const refuse = (code: KodoRefusalCode, about: string, message: string, hint?: string): Failure =>
    new HttpFailure({ code, about, message, hint, status, transient: isTransientStatus(status), retryAt });
  if (status === 400 && OTHER_REGION.test(error)) {
    return refuse('WRONG_ZONE', bucketName, `it is in another zone (${said})`, zoneHint(error));
  }
  if (status === 401 && error.includes('expired')) {
    const hint = 'correct the clock of this machine; for a virtual machine, check its host too';
    return refuse('CREDENTIALS_REFUSED', 'Qiniu', 'the upload token had expired when it arrived', hint);
  }
  if (status === 401 || (status === 612 && error.includes('accesskey'))) {
    return refuse(
      'CREDENTIALS_REFUSED',
      'Qiniu',
      `the access key or secret key is wrong (${said})`,
      KEYS_HINT,
    );
  }
  if (status === 403) {
    const hint = 'give the key pair write access to the bucket, and check the clock of this machine';
    return refuse('CREDENTIALS_REFUSED', bucketName, `writing to it is not allowed (${said})`, hint);
  }
  if (status === 413) return refuse('TOO_LARGE', key, `Kodo does not accept objects of this size (${said})`);
  if (status === 419) return refuse('SERVICE_REFUSED', 'Qiniu', `the account is suspended (${said})`);
  if (status === 612) return refuse('ABSENT', key, `${bucketName} does not contain it`);
  if (status === 614) return keyTaken(bucket, key);
  if (status === 631) {
    const hint = 'check --bucket, and that the access key belongs to the owner of the bucket';
    return refuse('BUCKET_ABSENT', bucketName, 'no such bucket', hint);
  }
  if (isRateLimit(status) || status === 573) {
    return refuse('THROTTLED', bucketName, `Kodo limits requests (${said})`);
  }
  if (isTransientStatus(status) || (status >= 500 && status < 600)) {
    return refuse(
      'SERVICE_BROKEN',
      bucketName,
      `Kodo could not process the request (${said})`,
      'try again later',
    );
  }
  return refuse('SERVICE_REFUSED', bucketName, `Kodo refused the request (${said})`);
}

/** Returns the failure for a key of a bucket that already holds other content. */
export function keyTaken(bucket: string, key: string): Failure {
  return alreadyPublished(key, `bucket ${bucket} has a different file with this name`);
}

const errorShape = z.object({ error: z.string() }).catch({ error: '' });

/** Returns the error text of an answer's body; empty if it has none. */
export function parseKodoError(body: string): string {
  return errorShape.parse(parseJson(body)).error;
}
