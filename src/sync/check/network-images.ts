import type { ImageSet } from '../../config/image-set.ts';
import type { ImageName } from '../../config/image-set-name.ts';
import { destinationRepository } from '../../config/mirror-naming.ts';
import { describeFailure } from '../../lib/failure.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import type { RepositoryName } from '../../signatures/signed-name.ts';
import { patchFor, selectTags } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';

/** An image of a network plugin that a set wants, and the newest release of it that the mirror has. */
export interface NetworkImage {
  readonly name: ImageName;
  readonly from: RepositoryName;
  readonly repository: Repository;
  /** Undefined if there is none, or if the mirror does not answer. */
  readonly tag: Tag | undefined;
  /** Why the mirror does not answer. */
  readonly reason: string | undefined;
  /** Whether an installation of the plugin with upstream's defaults does not need it. */
  readonly isOptional: boolean;
}

/** Asks a mirror for the images of the network plugins that `cni` of a set names, and returns them. */
export function findNetworkImages(
  set: ImageSet,
  naming: Pick<SyncSettings, 'naming' | 'namespace'>,
  target: Registry,
  signal: AbortSignal,
): Promise<NetworkImage[]> {
  const images = [...set.extraImages.values()].flatMap((image) => {
    const wish = set.cniWishes.get(image.name);
    return wish === undefined ? [] : [{ ...image, isOptional: !wish.isNeeded }];
  });
  return Promise.all(
    images.map(async ({ name, host, repository: path, isOptional }): Promise<NetworkImage> => {
      const from = { host, repository: path };
      const repository = destinationRepository(naming, from, { patchName: patchFor(set, name)?.name });
      const image = { name, from, repository, isOptional };
      try {
        const { tags } = await target.listTags(repository, signal);
        const [tag] = selectTags(
          set,
          name,
          tags.map((each) => ({ tag: each })),
        ).tags;
        return { ...image, tag, reason: undefined };
      } catch (error) {
        signal.throwIfAborted();
        return { ...image, tag: undefined, reason: isNotFound(error) ? undefined : describeFailure(error) };
      }
    }),
  );
}
