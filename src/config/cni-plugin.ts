import { parseReference, type Reference } from '../registry/oci/reference.ts';
import { type TagFilter, tagFilterSchema } from './tag-filter.ts';

/** The network plugins that `cni` of a set can name. */
export const CNI_PLUGINS = ['calico', 'cilium', 'flannel'] as const;

type CniPlugin = (typeof CNI_PLUGINS)[number];

/** An image of a network plugin, and the filter for its releases. */
interface CniImage {
  readonly image: Reference;
  readonly tags: TagFilter;
}

const RELEASE = '^v[0-9]+\\.[0-9]+\\.[0-9]+$';
const KEPT_RELEASES = 3;

const IMAGES: Readonly<Record<CniPlugin, readonly (readonly [image: string, regex: string])[]>> = {
  calico: [
    ['quay.io/calico/node', RELEASE],
    ['quay.io/calico/cni', RELEASE],
    ['quay.io/calico/kube-controllers', RELEASE],
    ['quay.io/calico/typha', RELEASE],
  ],
  cilium: [
    ['quay.io/cilium/cilium', RELEASE],
    ['quay.io/cilium/operator-generic', RELEASE],
  ],
  // quay.io/coreos/flannel and docker.io/flannelcni are frozen.
  flannel: [
    ['ghcr.io/flannel-io/flannel', RELEASE],
    ['ghcr.io/flannel-io/flannel-cni-plugin', '^v[0-9]+\\.[0-9]+\\.[0-9]+-flannel[0-9]+$'],
  ],
};

/** Returns the images of a network plugin, each with a filter for its three newest releases. */
export function cniImages(plugin: CniPlugin): CniImage[] {
  return IMAGES[plugin].map(([image, regex]) => ({
    image: parseReference(image),
    tags: tagFilterSchema.parse({ regex, latest: KEPT_RELEASES }),
  }));
}
