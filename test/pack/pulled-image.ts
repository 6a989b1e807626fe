import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bytesEntry } from '../../src/pack/archive/entry.ts';
import { tarBytes } from '../../src/pack/archive/tar-blocks.ts';
import { orderEntries } from '../../src/pack/archive/tree.ts';
import { blobPath } from '../../src/pack/fetch/blob-store.ts';
import type { PulledImage } from '../../src/pack/fetch/image-lookup.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseManifest } from '../../src/registry/oci/manifest.ts';
import { parseReference } from '../../src/registry/oci/reference.ts';

const CONFIG_TYPE = {
  oci: 'application/vnd.oci.image.config.v1+json',
  docker: 'application/vnd.docker.container.image.v1+json',
};
const LAYER_TYPE = {
  oci: 'application/vnd.oci.image.layer.v1.tar+gzip',
  docker: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};
const MANIFEST_TYPE = {
  oci: 'application/vnd.oci.image.manifest.v1+json',
  docker: 'application/vnd.docker.distribution.manifest.v2+json',
};

/** What a test image is made of: its names, its format, and the text of one file in each of its layers. */
export interface ImageRecipe {
  readonly upstream: string;
  readonly pulledBy?: string;
  readonly format?: 'oci' | 'docker';
  readonly layers: readonly string[];
  /** Of the digests by which the registry knows its layers. */
  readonly algorithm?: 'sha256' | 'sha512';
}

async function layerOf(text: string): Promise<{ tar: Buffer; gzip: Buffer }> {
  const pieces: Buffer[] = [];
  const path = `file-${createHash('sha1').update(text).digest('hex').slice(0, 8)}`;
  for await (const piece of tarBytes(orderEntries([bytesEntry(path, text)]), new AbortController().signal)) {
    pieces.push(Buffer.from(piece));
  }
  const tar = Buffer.concat(pieces);
  return { tar, gzip: gzipSync(tar) };
}

/** Makes a real image and puts its configuration and layers under their digests in a folder. */
export async function pulledImage(folder: string, recipe: ImageRecipe): Promise<PulledImage> {
  const { format = 'oci', upstream, pulledBy = upstream } = recipe;
  const store = (mediaType: string, bytes: Buffer, algorithm?: 'sha256' | 'sha512') => {
    const digest = digestOf(bytes, algorithm);
    const file = join(folder, blobPath(digest));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const layers = await Promise.all(recipe.layers.map(layerOf));
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['/pause'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => digestOf(tar)) },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE[format],
    config: store(CONFIG_TYPE[format], Buffer.from(JSON.stringify(config))),
    layers: layers.map(({ gzip }) => store(LAYER_TYPE[format], gzip, recipe.algorithm)),
  };
  const parsed = parseManifest(Buffer.from(JSON.stringify(manifest, undefined, 2)), undefined, upstream);
  if (parsed.kind !== 'image') throw new Error(`${upstream} became an index`);
  return { upstream: parseReference(upstream), pulledBy: parseReference(pulledBy), manifest: parsed };
}
