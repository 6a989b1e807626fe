import type { ImageName } from '../../config/image-set-name.ts';
import { KUBEADM_IMAGE_NAMES, KUBERNETES_PROGRAMS } from '../../config/kubeadm-images.ts';
import type { Host, Repository } from '../../registry/oci/reference.ts';

/** The repositories that kubeadm should pull from, without the last part of the images' names. */
export interface KubeadmRepositories {
  readonly image: string;
  /** Defined if CoreDNS is apart from the other images, as with `--naming path`. */
  readonly dns?: string | undefined;
  readonly etcd?: string | undefined;
}

/** An image that the mirror has under a name that kubeadm cannot use. */
interface MisnamedImage {
  readonly name: ImageName;
  readonly expected: string;
  readonly found: Repository;
}

/** Whether kubeadm can use the names at a mirror, and how. */
export type KubeadmNames =
  | { readonly kind: 'usable'; readonly repositories: KubeadmRepositories }
  | { readonly kind: 'unusable'; readonly misnamed: readonly MisnamedImage[] };

/**
 * kubeadm can be given one repository for all images, and others for CoreDNS and etcd. The last part of a name is
 * fixed.
 */
function ownName(name: ImageName): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function folderOf(repository: Repository): string {
  return repository.slice(0, Math.max(0, repository.lastIndexOf('/')));
}

function endsInOwnName(name: ImageName, repository: Repository): boolean {
  return repository === ownName(name) || repository.endsWith(`/${ownName(name)}`);
}

/**
 * Returns whether and how kubeadm can use a mirror. `repositories` has each image's repository at the mirror by its
 * name.
 */
export function kubeadmNames(host: Host, repositories: ReadonlyMap<ImageName, Repository>): KubeadmNames {
  const at = (folder: string): string => (folder === '' ? host : `${host}/${folder}`);
  const [first = KUBERNETES_PROGRAMS[0]] = KUBERNETES_PROGRAMS;
  const folders = new Map([...repositories].map(([name, repository]) => [name, folderOf(repository)]));
  const common = folders.get(first ?? '') ?? '';
  const { coredns, etcd } = KUBEADM_IMAGE_NAMES;
  const misnamed = [...repositories].flatMap(([name, found]): MisnamedImage[] => {
    const isApart = name === coredns || name === etcd;
    const fits = endsInOwnName(name, found) && (isApart || folderOf(found) === common);
    const expected = common === '' ? ownName(name) : `${common}/${ownName(name)}`;
    return fits ? [] : [{ name, expected, found }];
  });
  if (misnamed.length > 0) return { kind: 'unusable', misnamed };
  const apart = (name: ImageName): string | undefined => {
    const folder = folders.get(name);
    return folder === undefined || folder === common ? undefined : at(folder);
  };
  return {
    kind: 'usable',
    repositories: { image: at(common), dns: apart(coredns), etcd: apart(etcd) },
  };
}
