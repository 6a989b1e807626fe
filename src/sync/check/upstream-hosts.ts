import type { Host, Repository } from '../../registry/oci/reference.ts';

/** An image by the name that manifests and kubeadm have for it, and by its name at the mirror. */
export interface MirroredName {
  readonly host: Host;
  readonly repository: Repository;
  readonly mirror: Repository;
}

/** How containerd finds the images of one registry at the mirror. */
export interface UpstreamHost {
  readonly host: Host;
  /** Paths at the mirror below which images have their whole names; '' is its root. The one with most images comes first. */
  readonly prefixes: readonly string[];
  /** Images that containerd cannot find at the mirror by their names. */
  readonly unfound: readonly MirroredName[];
}

/**
 * Returns the configuration that containerd needs for each registry, in the order of the names. containerd can put a
 * path before a name, but cannot change the name. So it finds the images that have their whole names below some path at
 * the mirror. https://github.com/containerd/containerd/blob/main/docs/hosts.md
 */
export function upstreamHosts(names: readonly MirroredName[]): UpstreamHost[] {
  return [...Map.groupBy(names, ({ host }) => host)].map(([host, own]) => {
    const byPrefix = Map.groupBy(own, prefixOf);
    const unfound = byPrefix.get(undefined) ?? [];
    const prefixes = [...byPrefix]
      .toSorted(([, one], [, other]) => other.length - one.length)
      .flatMap(([prefix]) => prefix ?? []);
    return { host, prefixes, unfound };
  });
}

/** Returns the path at the mirror below which an image has its whole name; undefined if there is none. */
function prefixOf({ repository, mirror }: MirroredName): string | undefined {
  if (mirror === repository) return '';
  return mirror.endsWith(`/${repository}`) ? mirror.slice(0, -repository.length - 1) : undefined;
}
