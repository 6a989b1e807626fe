import { expect, test } from 'vitest';
import { requestsOf } from '../../bench/cost-model.ts';
import { SourceFacts } from '../../bench/source-facts.ts';
import { fillRegistry } from '../support/images/fill.ts';
import type { RepositoryRecipe } from '../support/images/kubernetes-set.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { SyncRoute } from '../support/sync-run.ts';

const SHARED = [{ name: 'shared', size: 2000 }];
const PLATFORMS = ['linux/amd64', 'linux/arm64'];

/** Two tags that share a layer with each other and with all other repositories. */
function repository(name: string, platforms?: readonly string[]): RepositoryRecipe {
  const image = (tag: string) => ({
    layers: SHARED,
    own: [{ name: `${name}-${tag}`, size: 3000 }],
    ...(platforms === undefined ? {} : { platforms }),
  });
  return { name, tags: new Map(['v1.0.0', 'v1.1.0'].map((tag) => [tag, image(tag)])) };
}

const RECIPES = [repository('one'), repository('two'), repository('many', PLATFORMS)];

test('a run takes the requests that bench/README.md lists', async () => {
  await using source = await startRegistry();
  await using destination = await startRegistry();
  const facts = new SourceFacts();
  for (const recipe of RECIPES) facts.add([...(await fillRegistry(source, [recipe])).values()]);
  const { repositories, tags, manifests, blobs, placements } = facts.counts;
  expect({ tags, manifests, placements }).toEqual({ tags: 6, manifests: 10, placements: 19 });
  const counted = async (): Promise<object> => {
    const before = [source.journal.entries.length, destination.journal.entries.length];
    await route.run();
    return {
      source: source.journal.entries.length - (before[0] ?? 0),
      destination: destination.journal.entries.length - (before[1] ?? 0),
    };
  };
  const route = new SyncRoute({ source, destination, set: { names: RECIPES.map(({ name }) => name) } });
  const cold = { repositories, checked: 0, asked: 0, manifests, blobs, placements };
  expect(await counted()).toEqual(requestsOf(cold));
  const unchanged = { repositories, checked: tags, asked: tags, manifests: 0, blobs: 0, placements: 0 };
  expect(await counted()).toEqual(requestsOf(unchanged));
});
