import { Failure } from '../../lib/failure.ts';
import { readJson } from '../../lib/json.ts';
import { type BlobSource, registrySource } from '../../registry/blob/blob-source.ts';
import type { Descriptor, Image } from '../../registry/oci/manifest.ts';
import { entryFor } from '../../registry/oci/platform.ts';
import { formatReference, parseTag, type Reference } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { readBlob } from '../../registry/small-blob.ts';

/** The image below the layer with the package. */
export interface BaseImage {
  readonly reference: Reference;
  readonly layers: readonly Descriptor[];
  /** Its configuration, not yet checked. */
  readonly config: unknown;
  /** Where to read its layers. */
  readonly source: BlobSource;
}

/** Which base image to read, from which registry, and for which architecture. */
interface WantedBase {
  readonly registry: Registry;
  readonly reference: Reference;
  readonly architecture: string;
}

/**
 * Returns a base image for Linux. Throws `NOT_FOUND` if there is none for the architecture, or the registry's failure.
 */
export async function readBaseImage(wanted: WantedBase, signal: AbortSignal): Promise<BaseImage> {
  const { registry, reference } = wanted;
  const { repository } = reference;
  const { layers, config: descriptor } = await readImage(wanted, signal);
  const config = await readBlob(registry, repository, descriptor, signal);
  const source = registrySource(registry, repository);
  return { reference, layers, config: readJson(config), source };
}

async function readImage(
  { registry, reference, architecture }: WantedBase,
  signal: AbortSignal,
): Promise<Image> {
  const { repository } = reference;
  const name = reference.digest ?? reference.tag ?? parseTag('latest');
  const manifest = await registry.getManifest(repository, name, signal);
  if (manifest.kind === 'image') return manifest;
  const child = entryFor(manifest.manifests, { os: 'linux', architecture });
  const found =
    child === undefined ? undefined : await registry.getManifest(repository, child.digest, signal);
  if (found?.kind === 'image') return found;
  throw new Failure({
    code: 'NOT_FOUND',
    about: formatReference(reference),
    message: `it has no image for linux/${architecture}`,
  });
}
