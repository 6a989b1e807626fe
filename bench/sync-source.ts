import type { DockerRegistry } from '../test/support/docker-registry.ts';
import { fillRegistry } from '../test/support/images/fill.ts';
import type { MirrorTask } from './mirrorer.ts';
import { type RegistryAccess, startRegistryWith } from './registry-access.ts';
import { SourceFacts } from './source-facts.ts';
import { benchRepositories } from './sync-fixture.ts';

/** A real registry that is full of what is to be mirrored. */
export interface SyncSource {
  readonly registry: DockerRegistry;
  readonly access: RegistryAccess;
  readonly repositories: MirrorTask['repositories'];
  readonly facts: SourceFacts['counts'];
}

/** Starts a registry and fills it, one repository at a time, so that not all layers are in memory at once. */
export async function startSource(isFull: boolean, access: RegistryAccess): Promise<SyncSource> {
  const registry = await startRegistryWith(access);
  const recipes = benchRepositories(isFull);
  const facts = new SourceFacts();
  for (const recipe of recipes) facts.add([...(await fillRegistry(registry, [recipe])).values()]);
  const repositories = recipes.map(({ name, tags }) => ({ name, tags: [...tags.keys()] }));
  return { registry, access, repositories, facts: facts.counts };
}
