import { KUBERNETES_PROGRAMS } from '../../config/kubeadm-images.ts';
import { isKubeadmImage } from '../../config/kubernetes/kubeadm-tags.ts';
import { isKnownAs } from './known-image.ts';
import type { ImagePlan, PackagePlan } from './plan.ts';

/** The images that a control plane is made of, besides pause, by the names that kubeadm has for them. */
export const CONTROL_PLANE: readonly string[] = [...KUBERNETES_PROGRAMS, 'etcd', 'coredns'];

/**
 * Returns the image of a package that is, for kubeadm, the one of a name such as `pause`, whatever it is called in the
 * versions.json: of several the one with the tag that kubeadm wants, else the first. Undefined if there is none.
 */
export function packedKubeadmImage(
  { images, kubernetes, kubeadm }: Pick<PackagePlan, 'images' | 'kubernetes' | 'kubeadm'>,
  known: string,
): ImagePlan | undefined {
  const tag = isKubeadmImage(known) ? kubeadm?.tags[known] : `v${kubernetes}`;
  const candidates = images.filter((image) => isKnownAs(image, known));
  return candidates.find(({ upstream }) => upstream.tag === tag) ?? candidates[0];
}
