/** The network plugins that `cni` of an image set can name. */
export type CniPlugin = 'calico' | 'cilium' | 'flannel';

/** An image that a network plugin publishes for a cluster. */
export interface CniRow {
  readonly plugin: CniPlugin;
  /** The newest release of the plugin whose own list has the image. A removed image keeps its last one. */
  readonly release: string;
  readonly image: string;
  /** The tag that belongs to that release. */
  readonly tag: string;
  /**
   * `needed`: an installation with upstream's defaults needs it; `optional`: only a feature that is then off needs it, or
   * another kind of installation.
   */
  readonly use: 'needed' | 'optional';
}

function row(
  plugin: CniPlugin,
  release: string,
  image: string,
  tag: string,
  use: 'needed' | 'optional',
): CniRow {
  return { plugin, release, image, tag, use };
}

/**
 * The images of each network plugin. `make tables` updates them from upstream's own lists at the newest release,
 * as of 2026-11-30:
 * - calico: https://github.com/projectcalico/calico/tree/v3.32.1/manifests (by manifest, where `calico.yaml` is needed) and
 *   https://github.com/tigera/operator/blob/v1.42.3/pkg/components/calico.go (by the operator that these manifests name)
 * - cilium: https://github.com/cilium/cilium/blob/v1.20.2/install/kubernetes/cilium/values.yaml
 * - flannel: https://github.com/flannel-io/flannel/blob/v0.28.9/Documentation/kube-flannel.yml
 * Images of other projects that these lists name, and those for Windows, are left out.
 */
export const CNI_TABLE: readonly CniRow[] = [
  row('calico', 'v3.32.1', 'quay.io/calico/cni', 'v3.32.1', 'needed'),
  row('calico', 'v3.32.1', 'quay.io/calico/kube-controllers', 'v3.32.1', 'needed'),
  row('calico', 'v3.32.1', 'quay.io/calico/node', 'v3.32.1', 'needed'),
  row('calico', 'v3.32.1', 'quay.io/calico/apiserver', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/csi', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/ctl', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/envoy-gateway', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/envoy-proxy', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/envoy-ratelimit', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/goldmane', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/guardian', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/istio-install-cni', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/istio-pilot', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/istio-proxyv2', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/istio-ztunnel', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/key-cert-provisioner', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/node-driver-registrar', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/pod2daemon-flexvol', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/typha', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/webhooks', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/whisker', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/calico/whisker-backend', 'v3.32.1', 'optional'),
  row('calico', 'v3.32.1', 'quay.io/tigera/operator', 'v1.42.3', 'optional'),
  row('cilium', 'v1.20.2', 'quay.io/cilium/cilium', 'v1.20.2', 'needed'),
  row(
    'cilium',
    'v1.20.2',
    'quay.io/cilium/cilium-envoy',
    'v1.37.6-1789133542-cbec91f666af0bf742da986d43832932dbb26b82',
    'needed',
  ),
  row('cilium', 'v1.20.2', 'quay.io/cilium/operator-generic', 'v1.20.2', 'needed'),
  row('cilium', 'v1.20.2', 'quay.io/cilium/certgen', 'v0.4.9', 'optional'),
  row('cilium', 'v1.20.2', 'quay.io/cilium/clustermesh-apiserver', 'v1.20.2', 'optional'),
  row('cilium', 'v1.20.2', 'quay.io/cilium/hubble-relay', 'v1.20.2', 'optional'),
  row('cilium', 'v1.20.2', 'quay.io/cilium/hubble-ui', 'v0.13.6', 'optional'),
  row('cilium', 'v1.20.2', 'quay.io/cilium/hubble-ui-backend', 'v0.13.6', 'optional'),
  row('cilium', 'v1.20.2', 'quay.io/cilium/operator-alibabacloud', 'v1.20.2', 'optional'),
  row('cilium', 'v1.20.2', 'quay.io/cilium/operator-aws', 'v1.20.2', 'optional'),
  row('cilium', 'v1.20.2', 'quay.io/cilium/operator-azure', 'v1.20.2', 'optional'),
  row('cilium', 'v1.20.2', 'quay.io/cilium/startup-script', '1755531540-60ee83e', 'optional'),
  row('cilium', 'v1.20.2', 'quay.io/cilium/ztunnel', 'v1.0.0', 'optional'),
  row('flannel', 'v0.28.9', 'ghcr.io/flannel-io/flannel', 'v0.28.9', 'needed'),
  row('flannel', 'v0.28.9', 'ghcr.io/flannel-io/flannel-cni-plugin', 'v1.9.1-flannel3', 'needed'),
];
