import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';

/** One account of the stand-in. */
export interface Account {
  readonly accessKey: string;
  readonly secretKey: string;
}

/** A refusal as Kodo words it. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: string, headers: Readonly<Record<string, string>> = {}) {
    super(error);
    this.status = status;
    this.headers = headers;
  }
}

const policyShape = z.object({
  scope: z.string(),
  deadline: z.number().int(),
  isPrefixalScope: z.number().optional(),
  insertOnly: z.number().optional(),
  fsizeLimit: z.number().optional(),
  fsizeMin: z.number().optional(),
  returnBody: z.string().optional(),
});

/** What an upload token allows. */
export type Policy = z.infer<typeof policyShape>;

function sign(account: Account, text: string): string {
  const signature = createHmac('sha1', account.secretKey).update(text).digest('base64');
  return signature.replaceAll('+', '-').replaceAll('/', '_');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads and verifies an upload token (`AK:signature:policy`); throws the refusal that Kodo answers. */
export function verifyUploadToken(account: Account, token: string, now: number): Policy {
  const [accessKey, signature, encoded] = token.split(':');
  if (accessKey !== account.accessKey || encoded === undefined) throw new Refusal(401, 'bad token');
  if (signature !== sign(account, encoded)) throw new Refusal(401, 'bad token');
  const policy = policyShape.safeParse(jsonOf(Buffer.from(encoded, 'base64url').toString('utf8')));
  if (!policy.success) throw new Refusal(401, 'invalid upload policy');
  if (policy.data.deadline * 1000 <= now) throw new Refusal(401, 'expired token');
  return policy.data;
}

/** Verifies that a policy covers a bucket and key. An undefined key is one that the service shall choose. */
export function verifyScope(policy: Policy, bucket: string, key: string | undefined): void {
  const colon = policy.scope.indexOf(':');
  const scopeBucket = colon < 0 ? policy.scope : policy.scope.slice(0, colon);
  if (scopeBucket !== bucket) throw new Refusal(403, "bucket doesn't match with scope");
  if (colon < 0) return;
  const scopeKey = policy.scope.slice(colon + 1);
  const covered = policy.isPrefixalScope === 1 ? key?.startsWith(scopeKey) : key === scopeKey;
  if (covered !== true) throw new Refusal(403, "key doesn't match with scope");
}

/** Returns whether the policy lets an object that has other content be replaced. */
export function mayReplace(policy: Policy): boolean {
  return policy.scope.includes(':') && policy.insertOnly !== 1;
}

/** Verifies that a size is one that the policy allows. */
export function verifySize(policy: Policy, size: number): void {
  if (policy.fsizeLimit !== undefined && size > policy.fsizeLimit) {
    throw new Refusal(413, 'request entity size is larger than fsizeLimit');
  }
  if (policy.fsizeMin !== undefined && size < policy.fsizeMin) throw new Refusal(403, 'fsizeMin');
}

const SIGNATURE_LIFETIME = 15 * 60_000;

function signedAt(stamp: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp);
  if (parts === null) return Number.NaN;
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}

function canonical(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_all, dash: string, letter: string) => dash + letter.toUpperCase());
}

/**
 * Verifies a management signature of either form (`Qiniu …`, `QBox …`) over a request and its body. Kodo takes the port of
 * an address once, as the packages for Go and Python sign it; the qiniu package for Node repeats it (`host:port:port`).
 */
export function verifyManagement(
  account: Account,
  request: IncomingMessage,
  body: Buffer,
  { now, takesRepeatedPort }: { readonly now: number; readonly takesRepeatedPort: boolean },
): void {
  const [scheme, credentials] = (request.headers.authorization ?? '').split(' ');
  const [accessKey, signature] = (credentials ?? '').split(':');
  const path = request.url ?? '/';
  if (accessKey !== account.accessKey) throw new Refusal(401, 'bad token');
  if (scheme === 'QBox') {
    if (signature !== sign(account, `${path}\n${body.toString('utf8')}`)) throw new Refusal(401, 'bad token');
    return;
  }
  if (scheme !== 'Qiniu') throw new Refusal(401, 'bad token');
  const date = request.headers['x-qiniu-date'];
  if (typeof date === 'string' && !(Math.abs(signedAt(date) - now) < SIGNATURE_LIFETIME)) {
    throw new Refusal(403, 'invalid X-Qiniu-Date');
  }
  const type = request.headers['content-type'] ?? 'application/x-www-form-urlencoded';
  const extra = Object.entries(request.headers)
    .filter(([name]) => name.startsWith('x-qiniu-') && name.length > 'x-qiniu-'.length)
    .map(([name, value]) => `\n${canonical(name)}: ${String(value)}`)
    .sort()
    .join('');
  const signedBody = type === 'application/octet-stream' ? '' : body.toString('utf8');
  const host = request.headers.host ?? '';
  const port = /:\d+$/.exec(host)?.[0] ?? '';
  const accepted = (takesRepeatedPort ? [host, host + port] : [host]).some((name) => {
    const text = `${request.method} ${path}\nHost: ${name}\nContent-Type: ${type}${extra}\n\n${signedBody}`;
    return signature === sign(account, text);
  });
  if (!accepted) throw new Refusal(401, 'bad token');
}

/** Verifies a signed download address (`…?e=deadline&token=AK:signature`). */
export function verifyDownload(account: Account, address: string, now: number): void {
  const match = /^(.*[?&]e=(\d+))&token=([^:]+):(.+)$/.exec(address);
  if (match === null) throw new Refusal(401, 'download token not specified');
  const [, signed, deadline, accessKey, signature] = match;
  if (accessKey !== account.accessKey || signature !== sign(account, signed ?? '')) {
    throw new Refusal(401, 'bad token');
  }
  if (Number(deadline) * 1000 <= now) throw new Refusal(401, 'token expired');
}
