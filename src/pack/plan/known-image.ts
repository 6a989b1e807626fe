import { withoutKubernetesHost } from '../../config/image-set-name.ts';
import { KUBERNETES_PROGRAMS } from '../../config/kubeadm-images.ts';
import { isKubeadmImage, type KubeadmImage } from '../../config/kubernetes/kubeadm-tags.ts';
import {
  parseReference,
  parseRepository,
  type Reference,
  type Repository,
  startsWithHost,
  type Tag,
} from '../../registry/oci/reference.ts';

/** The images whose version is that of Kubernetes. Others whose name begins with "kube-" have their own versions. */
const KUBERNETES_IMAGES: ReadonlySet<string> = new Set(['conformance', 'kubectl', ...KUBERNETES_PROGRAMS]);

/** The addresses of images that are known by a shorter name. https://github.com/kubernetes/registry.k8s.io */
const UPSTREAM: ReadonlyMap<string, string> = new Map([
  ['cluster-proportional-autoscaler', 'registry.k8s.io/cpa/cluster-proportional-autoscaler'],
  ['coredns', 'registry.k8s.io/coredns/coredns'],
  ['flannel', 'ghcr.io/flannel-io/flannel'],
  ['flannel-cni-plugin', 'ghcr.io/flannel-io/flannel-cni-plugin'],
  ['k8s-dns-node-cache', 'registry.k8s.io/dns/k8s-dns-node-cache'],
  ['kube-state-metrics', 'registry.k8s.io/kube-state-metrics/kube-state-metrics'],
  ['metrics-server', 'registry.k8s.io/metrics-server/metrics-server'],
]);

/**
 * A name that ends in an architecture, like the repositories for one architecture that Kubernetes published next to the
 * others.
 */
const ONE_ARCHITECTURE = /^(.+)-(amd64|arm64|arm|ppc64le|s390x)$/;

/**
 * Returns the architecture that the name of a known image ends in, such as `arm64` of `pause-arm64`; undefined if there
 * is none. In other names the ending may be any word, as in `robot-arm`; the configuration of the image contains its
 * architecture.
 */
export function architectureOf(name: string): string | undefined {
  const [, bare = '', architecture] = ONE_ARCHITECTURE.exec(withoutKubernetesHost(name)) ?? [];
  const isKnown = isKubernetesImage(bare) || isKubeadmImage(bare) || UPSTREAM.has(bare);
  return isKnown ? architecture : undefined;
}

/**
 * Returns whether an image's tag is the version of Kubernetes. `kubernetes/kube-proxy` and `kube-proxy-amd64` count as
 * kube-proxy.
 */
export function isKubernetesImage(name: string): boolean {
  const plain = name.replace(/^kubernetes\//, '').replace(ONE_ARCHITECTURE, '$1');
  return KUBERNETES_IMAGES.has(plain);
}

/**
 * Returns whether an image is what Kubernetes knows by a name, such as `pause`: by the last part of its name in the
 * versions.json or of its address, as mirrors keep it under any path. `pause-amd64` counts too.
 */
export function isKnownAs(
  image: { readonly name: string; readonly upstream: { readonly repository: string } },
  known: string,
): boolean {
  return [image.name, image.upstream.repository].some(
    (path) => path.slice(path.lastIndexOf('/') + 1).replace(ONE_ARCHITECTURE, '$1') === known,
  );
}

/** Returns the name of an image in kubeadm's table, in which `coredns/coredns` is coredns; undefined if it has none. */
export function kubeadmName(name: string): KubeadmImage | undefined {
  const short = name === 'coredns/coredns' ? 'coredns' : name;
  return isKubeadmImage(short) ? short : undefined;
}

/** Returns the last part of a repository: its name at a mirror that keeps all images in one namespace. */
export function basenameOf(repository: string): Repository {
  return parseRepository(repository.slice(repository.lastIndexOf('/') + 1));
}

/** Returns whether a mirror of basenames holds another image under the basename of this one. */
export function hasTakenBasename(upstream: Reference): boolean {
  const basename = basenameOf(upstream.repository);
  const owner =
    UPSTREAM.get(basename) ?? (isKubernetesImage(basename) ? `registry.k8s.io/${basename}` : undefined);
  if (owner === undefined) return false;
  const known = parseReference(owner);
  const path = upstream.repository.replace(/^kubernetes\//, '');
  return known.host !== upstream.host || known.repository !== path;
}

/**
 * Returns where an image is upstream: at the address the file gives, at the known one for its name, by a name that
 * is an address itself, else at registry.k8s.io under its name.
 */
export function upstreamOf(name: string, tag: Tag, given: Reference | undefined): Reference {
  if (given !== undefined) return { ...given, tag };
  const known = UPSTREAM.get(name);
  // Before 1.8.0 coredns was published at the top, and without a "v".
  if (name === 'coredns' && !tag.startsWith('v'))
    return { ...parseReference('registry.k8s.io/coredns'), tag };
  return { ...parseReference(known ?? (startsWithHost(name) ? name : `registry.k8s.io/${name}`)), tag };
}
