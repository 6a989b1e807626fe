import { createHmac } from 'node:crypto';

/** A request to the management API without a body. */
interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly type: string;
  /** The value of `X-Qiniu-Date`. */
  readonly date: string;
}

/** The keys of an account. */
interface KeyPair {
  readonly accessKey: string;
  readonly secretKey: string;
}

/**
 * Returns the Authorization header for a request, as Qiniu's packages for Go and Python write it. The one for Node
 * repeats the port of an address that has one (`host:port:port`), which a private Kodo refuses.
 * https://developer.qiniu.com/kodo/1201/access-token
 */
export function managementSignature(
  { accessKey, secretKey }: KeyPair,
  { method, url, type, date }: SignedRequest,
): string {
  const lines = [
    `${method} ${url.pathname}${url.search}`,
    `Host: ${url.host}`,
    `Content-Type: ${type}`,
    `X-Qiniu-Date: ${date}`,
    '',
    '',
  ];
  const signature = createHmac('sha1', secretKey).update(lines.join('\n')).digest('base64');
  return `Qiniu ${accessKey}:${signature.replaceAll('+', '-').replaceAll('/', '_')}`;
}
