import { KUBERNETES_PROGRAMS } from '../../config/kubeadm-images.ts';
import { isKubeadmImage } from '../../config/kubernetes/kubeadm-tags.ts';
import { isKnownAs } from './known-image.ts';
import type { ImagePlan, PackagePlan } from './plan.ts';

/** The images of a control plane without pause, by kubeadm's names. */
export const CONTROL_PLANE: readonly string[] = [...KUBERNETES_PROGRAMS, 'etcd', 'coredns'];

/**
 * Returns the image of a package that kubeadm uses under a name such as `pause`, whatever its name in the versions.json
 * is. Of several, returns the one with kubeadm's tag, else the first. Undefined if there is none.
 */
export function packedKubeadmImage(
  { images, kubernetes, kubeadm }: Pick<PackagePlan, 'images' | 'kubernetes' | 'kubeadm'>,
  known: string,
): ImagePlan | undefined {
  const tag = isKubeadmImage(known) ? kubeadm?.tags[known] : `v${kubernetes}`;
  const candidates = images.filter((image) => isKnownAs(image, known));
  return candidates.find(({ upstream }) => upstream.tag === tag) ?? candidates[0];
}
