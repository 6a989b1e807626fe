import type { Operation } from './faults.ts';

/** What a request asks for, and of what. */
export interface Route {
  readonly operation: Operation;
  readonly bucket: string;
  readonly key: string | undefined;
  readonly uploadId: string | undefined;
  readonly part: number | undefined;
}

const UPLOAD_PATH = /^\/buckets\/([^/]+)\/objects\/([^/]+)\/uploads(?:\/([^/]+)(?:\/(\d+))?)?$/;
const ENTRY_PATH = /^\/(stat|delete)\/([^/]+)(?:\/needparts\/true)?$/;

function decode(text: string): string {
  return Buffer.from(text, 'base64url').toString('utf8');
}

function uploadOperation(method: string, uploadId: string | undefined, part: string | undefined): Operation {
  if (uploadId === undefined) return method === 'POST' ? 'init' : 'unknown';
  if (part !== undefined) return method === 'PUT' ? 'part' : 'unknown';
  if (method === 'GET') return 'list-parts';
  if (method === 'POST') return 'complete';
  return method === 'DELETE' ? 'abort' : 'unknown';
}

/** Reads what a request asks for. */
export function routeOf(method: string, url: URL): Route {
  const none = { bucket: '', key: undefined, uploadId: undefined, part: undefined };
  const upload = UPLOAD_PATH.exec(url.pathname);
  if (upload !== null) {
    const [, bucket = '', encoded = '', uploadId, part] = upload;
    const key = encoded === '~' ? undefined : decode(encoded);
    const operation = uploadOperation(method, uploadId, part);
    return { operation, bucket, key, uploadId, part: part === undefined ? undefined : Number(part) };
  }
  const entry = ENTRY_PATH.exec(url.pathname);
  if (entry !== null) {
    const [bucket = '', ...key] = decode(entry[2] ?? '').split(':');
    return { ...none, operation: entry[1] === 'stat' ? 'stat' : 'delete', bucket, key: key.join(':') };
  }
  const bucketAsked = url.searchParams.get('bucket') ?? '';
  if (url.pathname === '/v4/query') return { ...none, operation: 'query', bucket: bucketAsked };
  if (url.pathname === '/list') return { ...none, operation: 'list', bucket: bucketAsked };
  if (method === 'POST' && url.pathname === '/v3/domains') {
    return { ...none, operation: 'domains', bucket: url.searchParams.get('tbl') ?? '' };
  }
  if (method === 'POST' && url.pathname === '/') return { ...none, operation: 'form' };
  const [, bucket = '', ...key] = decodeURIComponent(url.pathname).split('/');
  // At a domain of a bucket, whose name is not in the path.
  if (method === 'HEAD') return { ...none, operation: 'download', key: url.pathname.slice(1) };
  if (method === 'GET' && key.length > 0) {
    return { ...none, operation: 'download', bucket, key: key.join('/') };
  }
  return { ...none, operation: 'unknown' };
}
