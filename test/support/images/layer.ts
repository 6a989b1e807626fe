import { createCipheriv, createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { type Digest, digestOf } from '../../../src/registry/oci/digest.ts';

/** A layer that holds one file. The same recipe makes the same bytes, so two images that name it share it. */
export interface LayerRecipe {
  /** Of the file, and the seed of its content. */
  readonly name: string;
  /** Of the file, in bytes that cannot be compressed. */
  readonly size: number;
}

/** A layer as a registry keeps it. */
export interface Layer {
  readonly bytes: Buffer;
  readonly digest: Digest;
  /** Of the tar inside, which the image's configuration names. */
  readonly diffId: Digest;
}

const GZIP_SYSTEM_BYTE = 9;
const UNKNOWN_SYSTEM = 255;

/** Returns bytes that look random and are the same for the same seed. */
export function seededBytes(seed: string, size: number): Buffer {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

async function tarOf(path: string, content: Buffer): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: path, mode: 0o755, mtime: new Date(0) }, content);
  archive.finalize();
  return buffer(archive);
}

/** Makes the layer of a recipe: a real gzipped tar. */
export async function makeLayer({ name, size }: LayerRecipe): Promise<Layer> {
  const tar = await tarOf(`files/${name}`, seededBytes(name, size));
  // Deflating what cannot shrink would only cost time.
  const bytes = gzipSync(tar, { level: 0 });
  // zlib writes the system it runs on into the header.
  bytes[GZIP_SYSTEM_BYTE] = UNKNOWN_SYSTEM;
  return { bytes, digest: digestOf(bytes), diffId: digestOf(tar) };
}
