import type { KubeadmTags } from '../config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../config/kubernetes/kubernetes-version.ts';
import { proveTags } from './kubeadm-constants.ts';
import { WrongAnswer } from './wrong-answer.ts';

/**
 * Returns the tags in the output of `kubeadm config images list`, which has one image per line. Throws `WrongAnswer` for
 * any other text, and for the images of another version.
 */
export function readImageList(text: string, version: KubernetesVersion): KubeadmTags {
  const tags = new Map<string, string>();
  for (const line of text.split('\n')) {
    const name = line.trim();
    if (name === '') continue;
    const repository = name.slice(0, name.lastIndexOf(':'));
    const image = repository.slice(repository.lastIndexOf('/') + 1);
    if (repository === image || /\s/.test(name)) throw new WrongAnswer('it is not a list of images');
    tags.set(image, name.slice(repository.length + 1));
  }
  if (tags.get('kube-apiserver') !== `v${version}`) throw new WrongAnswer(`it is not for ${version}`);
  return proveTags({ etcd: tags.get('etcd'), coredns: tags.get('coredns'), pause: tags.get('pause') });
}
