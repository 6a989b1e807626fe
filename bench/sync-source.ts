import { digestHex } from '../src/registry/digest.ts';
import { DockerRegistry } from '../test/support/docker-registry.ts';
import { fillRegistry } from '../test/support/images/fill.ts';
import { ImageMaker } from '../test/support/images/image.ts';
import type { MirrorTask } from './mirrorer.ts';
import { benchRepositories } from './sync-fixture.ts';

/** What a registry holds, in the numbers that a mirror's cost is made of. */
export interface SourceFacts extends Readonly<Record<string, number>> {
  readonly repositories: number;
  readonly tags: number;
  /** Manifests and indexes, each once a repository. */
  readonly manifests: number;
  /** Different ones in all repositories together, and their bytes. */
  readonly blobs: number;
  readonly blobBytes: number;
  /** Different ones in each repository, summed up. */
  readonly blobsOfRepositories: number;
}

/** A real registry that is full of what is to be mirrored. */
export interface SyncSource {
  readonly registry: DockerRegistry;
  readonly repositories: MirrorTask['repositories'];
  readonly facts: SourceFacts;
}

/** Starts a registry and fills it, one repository at a time, so that not all layers are in memory at once. */
export async function startSource(isFull: boolean): Promise<SyncSource> {
  const registry = await DockerRegistry.start();
  const recipes = benchRepositories(isFull);
  const blobs = new Map<string, number>();
  let manifests = 0;
  let blobsOfRepositories = 0;
  for (const recipe of recipes) {
    const images = [...(await fillRegistry(registry, [recipe], new ImageMaker())).values()];
    const own = new Map(images.flatMap((image) => [...image.blobs]));
    blobsOfRepositories += own.size;
    for (const [digest, bytes] of own) blobs.set(digestHex(digest), bytes.length);
    manifests += new Set(images.flatMap((image) => [image, ...image.children].map(({ digest }) => digest)))
      .size;
  }
  const repositories = recipes.map(({ name, tags }) => ({ name, tags: [...tags.keys()] }));
  const facts = {
    repositories: repositories.length,
    tags: repositories.reduce((sum, { tags }) => sum + tags.length, 0),
    manifests,
    blobs: blobs.size,
    blobBytes: [...blobs.values()].reduce((sum, size) => sum + size, 0),
    blobsOfRepositories,
  };
  return { registry, repositories, facts };
}
