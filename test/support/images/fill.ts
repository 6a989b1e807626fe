import { type Image, ImageMaker, makeSignature } from './image.ts';
import type { RepositoryRecipe } from './kubernetes-set.ts';
import { PlainPush, type PushTarget } from './push.ts';

/** Makes images and pushes them to a registry that takes writes. Returns them by `repository:tag`, signatures too. */
export async function fillRegistry(
  target: PushTarget,
  repositories: readonly RepositoryRecipe[],
  maker: ImageMaker = new ImageMaker(),
): Promise<ReadonlyMap<string, Image>> {
  const pusher = new PlainPush(target);
  const fill = async ({ name, tags, signed }: RepositoryRecipe): Promise<[string, Image][]> => {
    const pushed: [string, Image][] = [];
    for (const [tag, recipe] of tags) {
      const image = await maker.make(recipe);
      const signature = signed === true ? [makeSignature(image.digest)] : [];
      for (const each of [{ tag, image }, ...signature]) {
        await pusher.push(name, each.tag, each.image);
        pushed.push([`${name}:${each.tag}`, each.image]);
      }
    }
    return pushed;
  };
  return new Map((await Promise.all(repositories.map(fill))).flat());
}
