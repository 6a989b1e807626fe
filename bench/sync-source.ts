import { DockerRegistry } from '../test/support/docker-registry.ts';
import { fillRegistry } from '../test/support/images/fill.ts';
import type { MirrorTask } from './mirrorer.ts';
import { SourceFacts } from './source-facts.ts';
import { benchRepositories } from './sync-fixture.ts';

/** A real registry that is full of what is to be mirrored. */
export interface SyncSource {
  readonly registry: DockerRegistry;
  readonly repositories: MirrorTask['repositories'];
  readonly facts: SourceFacts['counts'];
}

/** Starts a registry and fills it, one repository at a time, so that not all layers are in memory at once. */
export async function startSource(isFull: boolean): Promise<SyncSource> {
  const registry = await DockerRegistry.start('open', { tls: false });
  const recipes = benchRepositories(isFull);
  const facts = new SourceFacts();
  for (const recipe of recipes) facts.add([...(await fillRegistry(registry, [recipe])).values()]);
  const repositories = recipes.map(({ name, tags }) => ({ name, tags: [...tags.keys()] }));
  return { registry, repositories, facts: facts.counts };
}
