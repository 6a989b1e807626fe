import type { ImageSet } from '../../config/image-set.ts';
import { Failure } from '../../lib/failure.ts';
import { formatReference, parseRepository, type Reference } from '../../registry/oci/reference.ts';
import { wantsRepository } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';
import type { State } from '../state/state.ts';

/**
 * Returns an image by its name at the source. People give what their cluster pulls, or the last part of it: what the
 * state recorded under that name at the destination tells where it came from. A name of the source that the set wants
 * is never taken for one of the destination. Throws `IMAGE_NOT_KNOWN`.
 */
export function sourceOf(
  given: Reference,
  settings: Pick<SyncSettings, 'source' | 'destination' | 'namespace'>,
  state: Pick<State, 'images'>,
  set: ImageSet | undefined,
): Reference {
  const { source, destination, namespace } = settings;
  if (destination === source) return given;
  const isOfSource = given.host === source;
  if (!isOfSource && given.host !== destination) return given;
  if (isOfSource && set !== undefined && wantsRepository(set, given.repository)) return given;
  const isWithoutNamespace = isOfSource && namespace !== undefined;
  const there = isWithoutNamespace ? parseRepository(`${namespace}/${given.repository}`) : given.repository;
  const images = state.images({ host: destination, repository: there });
  const recorded = given.tag === undefined ? [...images.values()][0] : images.get(given.tag);
  if (recorded === undefined && isOfSource) return given;
  if (recorded === undefined) {
    throw new Failure({
      code: 'IMAGE_NOT_KNOWN',
      about: formatReference(given),
      message: 'this is a name at the destination, and the state does not know what it was mirrored from',
      hint: 'give the image as its source calls it, such as kube-proxy:v1.36.2',
    });
  }
  const { host, repository, tag } = recorded.source;
  return given.tag === undefined ? { host, repository } : { host, repository, tag };
}
