/** What a request asks for; tests count and break requests by these words. */
export type RequestKind =
  | 'ping'
  | 'token'
  | 'catalog'
  | 'tags-list'
  | 'referrers'
  | 'manifest-get'
  | 'manifest-head'
  | 'manifest-put'
  | 'manifest-delete'
  | 'blob-get'
  | 'blob-head'
  | 'blob-delete'
  | 'mount'
  | 'upload-start'
  | 'upload-status'
  | 'upload-patch'
  | 'upload-put'
  | 'upload-delete'
  | 'storage-get'
  | 'other';

/** Where a request goes. `repository` and `reference` (tag, digest or upload) are empty where there is none. */
export interface Route {
  readonly kind: RequestKind;
  readonly repository: string;
  readonly reference: string;
}

const UPLOAD_KINDS: Readonly<Record<string, RequestKind>> = {
  GET: 'upload-status',
  PATCH: 'upload-patch',
  PUT: 'upload-put',
  DELETE: 'upload-delete',
};
const MANIFEST_KINDS: Readonly<Record<string, RequestKind>> = {
  GET: 'manifest-get',
  HEAD: 'manifest-head',
  PUT: 'manifest-put',
  DELETE: 'manifest-delete',
};
const BLOB_KINDS: Readonly<Record<string, RequestKind>> = {
  GET: 'blob-get',
  HEAD: 'blob-head',
  DELETE: 'blob-delete',
};

const PATTERNS: readonly (readonly [RegExp, (method: string, query: URLSearchParams) => RequestKind])[] = [
  [/^\/v2\/?()()$/, () => 'ping'],
  [/^\/token()()$/, () => 'token'],
  [/^\/storage\/()(.+)$/, () => 'storage-get'],
  [/^\/v2\/_catalog()()$/, () => 'catalog'],
  [/^\/v2\/(?:(.+)\/)?tags\/list()$/, () => 'tags-list'],
  [/^\/v2\/(.+)\/referrers\/([^/]+)$/, () => 'referrers'],
  [/^\/v2\/(.+)\/manifests\/([^/]+)$/, (method) => MANIFEST_KINDS[method] ?? 'other'],
  [/^\/v2\/(.+)\/blobs\/uploads\/?()$/, (method, query) => startKind(method, query)],
  [/^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/, (method) => UPLOAD_KINDS[method] ?? 'other'],
  [/^\/artifacts-uploads\/namespaces\/(.+)\/uploads\/([^/]+)$/, (method) => UPLOAD_KINDS[method] ?? 'other'],
  [/^\/v2\/(.+)\/blobs\/([^/]+)$/, (method) => BLOB_KINDS[method] ?? 'other'],
];

function startKind(method: string, query: URLSearchParams): RequestKind {
  if (method !== 'POST') return 'other';
  return query.has('mount') ? 'mount' : 'upload-start';
}

/** Returns the route of a request (distribution-spec, "Endpoints"). */
export function routeOf(method: string, url: URL): Route {
  for (const [pattern, kindOf] of PATTERNS) {
    const parts = pattern.exec(url.pathname);
    if (parts === null) continue;
    const kind = kindOf(method, url.searchParams);
    return { kind, repository: parts[1] ?? '', reference: decodeURIComponent(parts[2] ?? '') };
  }
  return { kind: 'other', repository: '', reference: '' };
}

/** Returns whether a request would change what is stored. */
export function isWrite(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD';
}
