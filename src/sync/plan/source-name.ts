import type { PlannedImage } from './planning.ts';

/** Returns the name of an image at its source as it was asked for: `host/repository:tag`, with the digest if one was given. */
export function sourceName({ source, pin }: Pick<PlannedImage, 'source' | 'pin'>): string {
  const { registry, repository, tag } = source;
  if (pin === undefined) return registry.nameOf(repository, tag);
  return pin.isTagMade
    ? registry.nameOf(repository, pin.digest)
    : `${registry.nameOf(repository, tag)}@${pin.digest}`;
}
