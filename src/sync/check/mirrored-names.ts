import type { ImageSet } from '../../config/image-set.ts';
import { type ImageName, KUBERNETES_REGISTRY } from '../../config/image-set-name.ts';
import { destinationRepository } from '../../config/mirror-naming.ts';
import { type Host, parseHost, parseRepository, type Repository } from '../../registry/oci/reference.ts';
import { patchFor } from '../select/selection.ts';
import type { SyncSettings } from '../settings.ts';
import type { MirroredName } from './upstream-hosts.ts';

type Naming = Pick<SyncSettings, 'destination' | 'naming' | 'namespace'>;

/**
 * Returns all images that a set names, with their names at the mirror: those of the source registry as images of
 * registry.k8s.io, even if the source is a mirror of it. Images that only a prefix selects are unknown here.
 */
export function mirroredNames(set: ImageSet, naming: Naming): MirroredName[] {
  const upstream = parseHost(KUBERNETES_REGISTRY);
  const own = [...new Set([...set.clusterImages.keys(), ...set.names.map(({ value }) => value)])];
  const named = [
    ...own.map((name) => ({ name, host: upstream, repository: parseRepository(name) })),
    ...set.extraImages.values(),
  ];
  // Images of the mirror's own host need no other name there.
  return named
    .filter(({ host }) => host !== naming.destination)
    .map(({ name, host, repository }) => ({
      host,
      repository,
      mirror: atMirror(name, host, repository, set, naming),
    }));
}

function atMirror(
  name: ImageName,
  host: Host,
  repository: Repository,
  set: ImageSet,
  naming: Naming,
): Repository {
  return destinationRepository(naming, { host, repository }, { patchName: patchFor(set, name)?.name });
}
