import { z } from 'zod';
import { Failure } from '../../lib/failure.ts';
import { parseJson } from '../../lib/json.ts';
import { listOf, TEXT_FIELD } from '../../lib/zero-value.ts';
import { type Digest, digestAlgorithm, digestHex, digestOf } from '../../registry/oci/digest.ts';
import { type Descriptor, type Image, type Index, parseManifest } from '../../registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../registry/oci/media-type.ts';
import { formatReference, parseReference, type Reference, type Tag } from '../../registry/oci/reference.ts';
import { damaged, noPackage, type PackageFiles } from './package-files.ts';

/** A name with a tag. */
type TaggedReference = Reference & { readonly tag: Tag };

/** An image in a package, under one of its names. */
export interface PackagedImage {
  readonly name: TaggedReference;
  readonly manifest: Image;
}

/** What a package states about itself, and its images. */
export interface PackagedImages {
  readonly kubernetes: string | undefined;
  readonly arch: string | undefined;
  readonly images: readonly PackagedImage[];
  /** Images that cannot be read, by their names. */
  readonly damaged: readonly { readonly name: string; readonly error: Failure }[];
}

const NO_LIST = 'give a package built by packer, or the folder that it was unpacked into';
const SUM_LINE = /^([0-9a-f]{64}) [ *](.+)$/;

const contentsShape = z.object({
  kubernetes: TEXT_FIELD.catch(undefined),
  arch: TEXT_FIELD.catch(undefined),
  images: listOf(z.object({ upstream: z.string(), digest: z.string() })),
});

/** Returns the path of a blob in a package. */
export function blobFile(digest: Digest): string {
  return `images/blobs/${digest.replace(':', '/')}`;
}

/**
 * Returns the images of a package, each once, under its upstream names. Throws `PACKAGE_UNREADABLE` for anything but a
 * package with an image layout, and `PACKAGE_DAMAGED` if its lists do not match SHA256SUMS.
 */
export async function readPackagedImages(files: PackageFiles, signal: AbortSignal): Promise<PackagedImages> {
  const sums = await readSums(files, signal);
  if (!sums.has('images/index.json')) throw withoutLayout(files, [...sums.keys()]);
  const read = async (path: string): Promise<Buffer> => {
    const expected = sums.get(path);
    if (expected === undefined) throw damaged(files.about, path, 'SHA256SUMS does not list it');
    if ((await files.sumOf(path, signal)) !== expected)
      throw damaged(files.about, path, 'its checksum differs from SHA256SUMS');
    return await files.read(path, signal);
  };
  const contents = contentsShape.safeParse(parseJson(await read('keel-package.json'))).data;
  if (contents === undefined)
    throw damaged(files.about, 'keel-package.json', 'it is not a list of a package');
  const rows = rowsOf(await read('images/index.json'), files.about);
  const byDigest = Map.groupBy(rows, ({ row }) => row.digest);
  const images: PackagedImage[] = [];
  const failures: { name: string; error: Failure }[] = [];
  for (const [digest, named] of byDigest) {
    const upstream = new Set(
      contents.images.flatMap((image) => (image.digest === digest ? image.upstream : [])),
    );
    const names = new Map(named.map(({ name }) => [formatReference(name), name]));
    const makers = [...names].filter(([text]) => upstream.has(text));
    // An image that the list does not name gets all its names.
    const wanted = makers.length > 0 ? makers : [...names];
    try {
      requireListed(digest, sums, files.about);
      const manifest = await readImage(
        files,
        named.map(({ row }) => row),
        signal,
      );
      for (const blob of [manifest.config, ...manifest.layers]) requireListed(blob.digest, sums, files.about);
      images.push(...wanted.map(([, name]) => ({ name, manifest })));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      failures.push(...wanted.map(([name]) => ({ name, error })));
    }
  }
  const { kubernetes, arch } = contents;
  return { kubernetes, arch, images, damaged: failures };
}

/** Throws `PACKAGE_DAMAGED` unless the list of checksums has a blob with the checksum in its name. */
function requireListed(digest: Digest, sums: ReadonlyMap<string, string>, about: string): void {
  const path = blobFile(digest);
  const sum = sums.get(path);
  if (sum === undefined) throw damaged(about, path, 'SHA256SUMS does not list it');
  if (digestAlgorithm(digest) === 'sha256' && sum !== digestHex(digest))
    throw damaged(about, path, 'its checksum in SHA256SUMS differs from its name');
}

/** Returns the checksums by path. */
async function readSums(files: PackageFiles, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  let text: string;
  try {
    text = (await files.read('SHA256SUMS', signal)).toString('utf8');
  } catch (cause) {
    signal.throwIfAborted();
    throw noPackage(files.about, 'it is not a package of packer: it contains no SHA256SUMS', NO_LIST, cause);
  }
  const lines = text.split('\n').flatMap((line): [string, string][] => {
    const [, sum, path] = SUM_LINE.exec(line) ?? [];
    return sum === undefined || path === undefined ? [] : [[path, sum]];
  });
  return new Map(lines);
}

function withoutLayout(files: PackageFiles, paths: readonly string[]): Failure {
  const archive = paths.find((path) => /^images\/[^/]+\.tar$/.test(path));
  if (archive === undefined) return noPackage(files.about, 'it contains no images', NO_LIST);
  return noPackage(
    files.about,
    'its images are in the format of docker save, which has no manifests: after a push they would have different digests from those upstream',
    `build the package with --image-format oci, or unpack it and push each image with: skopeo copy docker-archive:${archive} docker://HOST/NAME:TAG`,
  );
}

/** Returns the rows of an image layout that have a full name, each with it. */
function rowsOf(
  bytes: Buffer,
  about: string,
): { readonly row: Descriptor; readonly name: TaggedReference }[] {
  const { manifests } = readIndex(bytes, about);
  return manifests.flatMap((row) => {
    const { annotations = {} } = row;
    const text =
      annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'] ?? '';
    const name = text.includes('/') ? parseReference(text) : undefined;
    const { tag } = name ?? {};
    return name === undefined || tag === undefined ? [] : [{ row, name: { ...name, tag } }];
  });
}

function readIndex(bytes: Buffer, about: string): Index {
  try {
    const index = parseManifest(bytes, MEDIA_TYPE.ociIndex, about);
    if (index.kind === 'index') return index;
  } catch (cause) {
    throw damaged(about, 'images/index.json', 'it is not a list of images', cause);
  }
  throw damaged(about, 'images/index.json', 'it is not a list of images');
}

/**
 * Returns the image that rows of the layout lead to. The rows may state different types; the type in the image itself
 * overrules them.
 */
async function readImage(
  files: PackageFiles,
  rows: readonly Descriptor[],
  signal: AbortSignal,
): Promise<Image> {
  const row = rows.at(-1);
  if (row === undefined) throw new TypeError('an image without a row');
  const path = blobFile(row.digest);
  const bytes = await files.read(path, signal);
  if (digestOf(bytes, digestAlgorithm(row.digest)) !== row.digest)
    throw damaged(files.about, path, 'its content does not match its digest');
  const manifest = parseManifest(
    bytes,
    row.mediaType,
    `${path} in ${files.about}`,
    digestAlgorithm(row.digest),
  );
  if (manifest.kind === 'image') return manifest;
  throw damaged(files.about, path, 'it is an index, but a package contains a single image for each name');
}
