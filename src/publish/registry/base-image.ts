import { Failure } from '../../lib/failure.ts';
import { type BlobSource, registrySource } from '../../registry/blob-source.ts';
import type { Descriptor, Image } from '../../registry/oci/manifest.ts';
import { matchesPlatform } from '../../registry/oci/platform.ts';
import { formatReference, parseTag, type Reference } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';

/** The image that a package is put on top of. */
export interface BaseImage {
  readonly reference: Reference;
  readonly layers: readonly Descriptor[];
  /** Its configuration as it came. */
  readonly config: unknown;
  /** Where its layers can be had. */
  readonly source: BlobSource;
}

/** A base image by the registry that has it, and what it has to run on. */
interface WantedBase {
  readonly registry: Registry;
  readonly reference: Reference;
  readonly architecture: string;
}

/** Returns a base image for Linux. Throws `NOT_FOUND` where it has none for the architecture, or what the registry says. */
export async function readBaseImage(wanted: WantedBase, signal: AbortSignal): Promise<BaseImage> {
  const { registry, reference } = wanted;
  const { repository } = reference;
  const { layers, config: descriptor } = await readImage(wanted, signal);
  const config = await registry.readBlob(repository, descriptor, signal);
  const source = registrySource(registry, repository);
  return { reference, layers, config: JSON.parse(config.toString('utf8')), source };
}

async function readImage(
  { registry, reference, architecture }: WantedBase,
  signal: AbortSignal,
): Promise<Image> {
  const { repository } = reference;
  const name = reference.digest ?? reference.tag ?? parseTag('latest');
  const manifest = await registry.getManifest(repository, name, signal);
  if (manifest.kind === 'image') return manifest;
  const wanted = { os: 'linux', architecture };
  const child = manifest.manifests.find(
    ({ platform }) => platform !== undefined && matchesPlatform(platform, wanted),
  );
  const found =
    child === undefined ? undefined : await registry.getManifest(repository, child.digest, signal);
  if (found?.kind === 'image') return found;
  throw new Failure({
    code: 'NOT_FOUND',
    about: formatReference(reference),
    message: `it has no image for linux/${architecture}`,
  });
}
