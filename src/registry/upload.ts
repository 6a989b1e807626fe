import type { Repository } from './oci/reference.ts';

/** A blob upload that a registry has opened. */
export interface Upload {
  readonly repository: Repository;
  /** Where the next request of this upload goes. It may hold a signature: never shown, never logged. */
  readonly location: URL;
  /** The smallest chunk the registry takes, in bytes, where it said so (`OCI-Chunk-Min-Length`). */
  readonly smallestChunk: number;
}

/** Returns the address that ends an upload: its location with the digest added and nothing else changed. */
export function closingLocation(upload: Upload, digest: string): URL {
  const url = new URL(upload.location);
  // Rebuilding the query would re-encode what the registry signed.
  const separator = url.search === '' ? '?' : '&';
  url.search = `${url.search}${separator}digest=${encodeURIComponent(digest)}`;
  return url;
}

/** Returns how many bytes an upload holds from a `Range: 0-N` (or `bytes=0-N`) header; 0 when it tells nothing. */
export function receivedBytes(range: string | undefined): number {
  const end = /^(?:bytes=)?0-(\d{1,15})$/.exec(range?.trim() ?? '')?.[1];
  return end === undefined || end === '0' ? 0 : Number(end) + 1;
}
