import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseHost, parseRepository, parseTag, type Tag } from '../../src/registry/oci/reference.ts';
import type { RecordedImage, SeenImage } from '../../src/sync/state/image-rows.ts';
import type { RepositoryAddress } from '../../src/sync/state/repository-rows.ts';
import type { State } from '../../src/sync/state/state.ts';

export const SOURCE_HOST = parseHost('registry.k8s.io');
export const DESTINATION_HOST = parseHost('registry.cn-hangzhou.aliyuncs.com');

/** Returns the address `keel/<name>` at the destination host. */
export function destinationOf(name: string, host = DESTINATION_HOST): RepositoryAddress {
  return { host, repository: parseRepository(`keel/${name}`) };
}

/** Returns an image that was copied as it is, with a digest that follows from name, tag and content. */
export function seenImage(name: string, tag: string, content = 'first'): SeenImage {
  const digest = digestOf(Buffer.from(`${name}:${tag} ${content}`));
  return {
    tag: parseTag(tag),
    source: { host: SOURCE_HOST, repository: parseRepository(name), tag: parseTag(tag) },
    sourceDigest: digest,
    pushedDigest: digest,
    options: 'platforms=all',
    bytes: 320_000,
  };
}

/** Returns a reporter that keeps warnings, and the warnings. */
export function warningKeeper(): { reporter: { warning(text: string): void }; warnings: string[] } {
  const warnings: string[] = [];
  return { reporter: { warning: (text) => warnings.push(text) }, warnings };
}

/** Returns the images that a state has of a destination repository, by their tags there. */
export function imagesIn(state: State, destination: RepositoryAddress): ReadonlyMap<Tag, RecordedImage> {
  return new Map([...state.images(destination)].map((image) => [image.tag, image]));
}
