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

const KEYS_HINT = 'check --access-key and --secret-key; both stand in the Qiniu console under key management';

/**
 * Returns the failure for an answer of Kodo, by its status and error text. Some statuses are Kodo's own: 573 throttled,
 * 612 absent, 614 exists, 631 no bucket. https://developer.qiniu.com/kodo/3928/error-responses
 */
export function explainKodoAnswer({ status, error, bucket, key, retryAt }: KodoAnswer): Failure {
  const bucketName = `bucket ${bucket}`;
  const said = error === '' ? `status ${status}` : `status ${status}: ${error.slice(0, 200)}`;
  const refuse = (code: KodoRefusalCode, about: string, message: string, hint?: string): Failure =>
    new HttpFailure({ code, about, message, hint, status, transient: isTransientStatus(status), retryAt });
  const zone = /\bup(?:load)?(?:-([a-z0-9-]{1,40}))?\.qiniup\.com/.exec(error);
  if (status === 400 && error.includes('incorrect region')) {
    const right = zone === null ? 'leave --zone out' : `leave --zone out or set it to ${zone[1] ?? 'z0'}`;
    return refuse('WRONG_ZONE', bucketName, 'it lives in another zone', right);
  }
  if (status === 401 && error.includes('expired')) {
    const hint = "correct this machine's clock, or the clock of the virtual machine that it is";
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
    const hint = 'the key pair needs the right to write there, and the clock of this machine has to be right';
    return refuse('CREDENTIALS_REFUSED', bucketName, `it may not be written to (${said})`, hint);
  }
  if (status === 413) return refuse('TOO_LARGE', key, `Kodo takes no object of this size (${said})`);
  if (status === 419) return refuse('SERVICE_REFUSED', 'Qiniu', `the account is suspended (${said})`);
  if (status === 612) return refuse('ABSENT', key, `${bucketName} does not have it`);
  if (status === 614) return keyTaken(bucket, key);
  if (status === 631) {
    const hint = 'check --bucket, and that the access key belongs to the account that owns it';
    return refuse('BUCKET_ABSENT', bucketName, 'there is no such bucket', hint);
  }
  if (isRateLimit(status) || status === 573) {
    return refuse('THROTTLED', bucketName, `Kodo asks for less (${said})`);
  }
  if (isTransientStatus(status) || (status >= 500 && status < 600)) {
    return refuse('SERVICE_BROKEN', bucketName, `Kodo could not do it (${said})`, 'try again later');
  }
  return refuse('SERVICE_REFUSED', bucketName, `Kodo refused (${said})`);
}

/** Returns the failure for a key of a bucket that is taken by other content. */
export function keyTaken(bucket: string, key: string): Failure {
  return alreadyPublished(key, `bucket ${bucket} has another file of this name`);
}

const errorShape = z.object({ error: z.string() }).catch({ error: '' });

/** Returns the error text of an answer's body; empty if it has none. */
export function parseKodoError(body: string): string {
  return errorShape.parse(parseJson(body)).error;
}
