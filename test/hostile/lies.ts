import { createHash } from 'node:crypto';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import type { Fault } from '../support/registry/faults.ts';
import type { Storage } from '../support/registry/storage.ts';

const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

function madeUp(seed: string): string {
  return `sha256:${createHash('sha256').update(seed).digest('hex')}`;
}

interface Part {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

function missing(mediaType: string, seed: string): Part {
  return { mediaType, digest: madeUp(seed), size: 100 };
}

function store(
  storage: Storage,
  repository: string,
  body: { readonly mediaType: string; readonly [more: string]: unknown },
  ...tags: string[]
): Part {
  const bytes = Buffer.from(JSON.stringify(body));
  const digest = storage.putManifest(repository, bytes, body.mediaType, tags);
  return { mediaType: body.mediaType, digest, size: bytes.length };
}

/** Stores an index that lists what nobody has. */
export function seedWideIndex(storage: Storage, repository: string, tag: string, entries: number): void {
  const manifests = Array.from({ length: entries }, (_, index) =>
    missing(MEDIA_TYPE.ociManifest, `${repository} ${tag} ${index}`),
  );
  store(storage, repository, { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests }, tag);
}

/** Stores an index within an index within an index, and so on. */
export function seedChain(storage: Storage, repository: string, tag: string, length: number): void {
  let inner = missing(MEDIA_TYPE.ociManifest, 'innermost');
  for (let left = length; left > 0; left -= 1) {
    const body = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [inner] };
    inner = store(storage, repository, body, ...(left === 1 ? [tag] : []));
  }
}

/** Stores indexes within indexes, each of which is as wide. */
export function seedTree(
  storage: Storage,
  repository: string,
  tag: string,
  depth: number,
  width: number,
): void {
  const level = (name: string, left: number): Part[] =>
    Array.from({ length: width }, (_, index) => {
      if (left === 0) return missing(MEDIA_TYPE.ociManifest, `${name} ${index}`);
      const manifests = level(`${name} ${index}`, left - 1);
      return store(storage, repository, { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests });
    });
  store(
    storage,
    repository,
    { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: level(tag, depth) },
    tag,
  );
}

/** Stores an image of many layers that nobody has. */
export function seedManyLayers(storage: Storage, repository: string, tag: string, layers: number): void {
  const body = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: missing(OCI_CONFIG, 'config'),
    layers: Array.from({ length: layers }, (_, index) => missing(LAYER, `${tag} ${index}`)),
  };
  store(storage, repository, body, tag);
}

/** Stores an image without layers whose manifest has nearly so many bytes. */
export function seedLargeManifest(storage: Storage, repository: string, tag: string, bytes: number): void {
  const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', tag }));
  const body = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
    layers: [],
    annotations: Object.fromEntries(
      Array.from({ length: Math.floor(bytes / 70) }, (_, index) => [
        `${tag} ${index}`.padEnd(32, '.'),
        'x'.repeat(30),
      ]),
    ),
  };
  storage.putBlob(repository, { kind: 'bytes', bytes: config }, digestOf(config));
  store(storage, repository, body, tag);
}

/** An answer of pieces that come from functions, so that a lie of gigabytes takes no memory here. */
export function made(
  pieces: (url: URL) => Iterable<Buffer>,
  options: {
    readonly status?: number;
    readonly headers?: (url: URL) => Readonly<Record<string, string>>;
  } = {},
): Fault {
  return { kind: 'made', ...options, pieces };
}

/** JSON that begins like this and goes on with the same piece, for so many bytes or without end. */
export function* endless(
  beginning: string,
  again: (at: number) => string,
  bytes = Number.POSITIVE_INFINITY,
): Generator<Buffer> {
  yield Buffer.from(beginning);
  for (let sent = 0, at = 0; sent < bytes; ) {
    const pieces: string[] = [];
    for (let length = 0; length < 256 * 1024; at += 1) {
      const piece = again(at);
      pieces.push(piece);
      length += piece.length;
    }
    const chunk = Buffer.from(pieces.join(''));
    sent += chunk.length;
    yield chunk;
  }
}
