import type { ImageSet } from '../../config/image-set.ts';
import { extraName, type ImageName } from '../../config/image-set-name.ts';
import { destinationRepository } from '../../config/mirror-naming.ts';
import { Failure } from '../../lib/failure.ts';
import type { Place } from '../../lib/reporter.ts';
import {
  formatReference,
  parseRepository,
  type Reference,
  type Repository,
} from '../../registry/oci/reference.ts';
import { patchFor, wantsRepository } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';
import type { State } from '../state/state.ts';

/**
 * Returns the name of an image at the source. Users may give the name that their cluster pulls, or its last part: then
 * the state shows which source it was mirrored from. A name that the image set wants from the source is always one of
 * the source. Throws `IMAGE_NOT_KNOWN`.
 */
export function sourceOf(
  given: Reference,
  settings: Pick<SyncSettings, 'source' | 'destination' | 'namespace'>,
  state: Pick<State, 'image' | 'images'>,
  set: ImageSet | undefined,
): Reference {
  const { source, destination, namespace } = settings;
  if (destination === source) return given;
  const isOfSource = given.host === source;
  if (!isOfSource && given.host !== destination) return given;
  if (isOfSource && set !== undefined && wantsRepository(set, given.repository)) return given;
  const isWithoutNamespace = isOfSource && namespace !== undefined;
  const there = isWithoutNamespace ? parseRepository(`${namespace}/${given.repository}`) : given.repository;
  const address = { host: destination, repository: there };
  const [recorded] = given.tag === undefined ? state.images(address) : [state.image(address, given.tag)];
  if (recorded === undefined && isOfSource) return given;
  if (recorded === undefined) {
    throw new Failure({
      code: 'IMAGE_NOT_KNOWN',
      about: formatReference(given),
      message:
        'this is a name at the destination, and the state does not record which image it was mirrored from',
      hint: 'give the name of the image at its source, such as kube-proxy:v1.36.2',
    });
  }
  const { host, repository, tag } = recorded.source;
  return given.tag === undefined ? { host, repository } : { host, repository, tag };
}

/** The place of an image in the image set, and its name at the destination. */
export interface ImageLocation {
  readonly name: ImageName;
  readonly destination: Repository;
  /** The line of the image set that wants its repository. Undefined if none does. */
  readonly wantedBy: Place | undefined;
  /** The patch that applies to it. */
  readonly patchedBy: Place | undefined;
}

/**
 * Returns where an image is in the image set and at the destination. Without a set, only `--naming` determines its
 * name.
 */
export function locateImage(
  image: Reference,
  set: ImageSet | undefined,
  settings: Pick<SyncSettings, 'source' | 'naming' | 'namespace'>,
): ImageLocation {
  const extra = set?.extraImages.get(extraName(image));
  const isOfSource = image.host === settings.source;
  const path: string = image.repository;
  const isWantedOfSource = isOfSource && set !== undefined && wantsRepository(set, path);
  const name = isWantedOfSource || (isOfSource && extra === undefined) ? path : extraName(image);
  const patch = set === undefined ? undefined : patchFor(set, name);
  const entries = isWantedOfSource ? [...set.names, ...set.prefixes] : [];
  const wantedBy =
    entries.find(({ value }) => value === path) ?? entries.find(({ value }) => path.startsWith(value));
  return {
    name,
    destination: destinationRepository(settings, image, { patchName: patch?.name }),
    wantedBy: wantedBy?.place ?? set?.clusterImages.get(name)?.places[0] ?? extra?.places[0],
    patchedBy: patch?.place,
  };
}
