/** What is known about an add-on for which upstream publishes a manifest. */
interface KnownAddon {
  readonly name: string;
  /** Its repository at GitHub. */
  readonly repository: string;
  /** Its main image, by which packer recognises a list of images that lacks the add-on. */
  readonly image: string;
  /** The path of its manifest in the repository. */
  readonly path?: string | undefined;
  /** The name of its manifest among the files of a release. GitHub publishes a digest of each since June 2025. */
  readonly asset?: string | undefined;
  /** The sha256 of the manifest in the repository at tags, from a clone of it. */
  readonly sums: ReadonlyMap<string, string>;
  /** The container that has to trust kubeadm's kubelets, whose certificates are self-signed. */
  readonly trustingContainer?: string | undefined;
}

const ADDONS: readonly KnownAddon[] = [
  {
    name: 'flannel',
    repository: 'flannel-io/flannel',
    image: 'ghcr.io/flannel-io/flannel',
    path: 'Documentation/kube-flannel.yml',
    asset: 'kube-flannel.yml',
    sums: new Map([
      ['v0.28.9', 'e875824be2f552b45711dbda91af81b17eb961d00025d914d9fef18fad8f09c0'],
      ['v0.28.8', 'd5ec6500c8050667ef5e6c4dc59b750075db8cf32f45b12961349208c5f326da'],
      ['v0.28.7', '9b886d8bf6c8f095d9dee07745c048f514a8800aa394968999d13d46cd0df8f6'],
      ['v0.28.6', '36fdefbb805355c32a7b0f683ceb47e5085fa1b2b8c51e04ac8b981321e2c1cd'],
      ['v0.28.5', '8731070bca4303bbe7f7a0c7fbcab8d5fc6fb16a3f61629cbecea7bf6caab7ca'],
      ['v0.28.4', '0bd380eb4954227c903bdea96dc9254650badd2d45ebe31978a47c3ffe2e9727'],
    ]),
  },
  {
    name: 'calico',
    repository: 'projectcalico/calico',
    image: 'quay.io/calico/node',
    path: 'manifests/calico.yaml',
    sums: new Map([
      ['v3.32.1', 'a1df919d9721cf667accdc3e72848911b0cb25cfab7d2478ad0c996302c95744'],
      ['v3.32.0', 'bccabc607685551db918f66da724893eca3e69a50c5a3e3077029b02dbab8d35'],
      ['v3.31.7', 'd6d8a489a4ed8e5b8efd8b339047b496ca657b55ee2e3618e791507b0a853e8d'],
      ['v3.30.7', 'ed105288f27c7ba4cae143bcaa3f6425f02d84fa94a4786cc8e3d371412c1a36'],
    ]),
  },
  {
    name: 'metrics-server',
    repository: 'kubernetes-sigs/metrics-server',
    image: 'registry.k8s.io/metrics-server/metrics-server',
    asset: 'components.yaml',
    sums: new Map(),
    trustingContainer: 'metrics-server',
  },
  {
    name: 'local-path',
    repository: 'rancher/local-path-provisioner',
    image: 'docker.io/rancher/local-path-provisioner',
    path: 'deploy/local-path-storage.yaml',
    sums: new Map([
      ['v0.0.37', '9781b39c24f3f651bd6d6e41b561e04e4904bbdb6d4f8c7a6009df3a702dcd65'],
      ['v0.0.36', 'a5b4b057e4e400a2ca7188b03dc11303f874bfe600fc837d5446d86b3d13e26c'],
      ['v0.0.35', 'c34a11046a555ef22c1e4125a2adaa090a1b954158840de10e4a8d27415a9cf9'],
      ['v0.0.34', 'fab8d6e8933e44f8af7398603fb63122e4ea6490f0af83549108d68647edd9e9'],
    ]),
  },
];

/** Add-ons for which upstream publishes a Helm chart and no manifest, each with the command that makes one. */
const CHARTS: ReadonlyMap<string, string> = new Map([
  [
    'cilium',
    'helm template cilium oci://quay.io/cilium/charts/cilium --version VERSION --namespace kube-system',
  ],
]);

/** Returns what is known about an add-on; undefined for one that is not known. */
export function knownAddon(name: string): KnownAddon | undefined {
  return ADDONS.find((addon) => addon.name === name);
}

/** Returns the command that makes the manifest of an add-on that is published as a chart; undefined for any other. */
export function chartCommand(name: string): string | undefined {
  return CHARTS.get(name);
}

/** Returns the names of the add-ons whose manifests are fetched. */
export function knownAddonNames(): string[] {
  return ADDONS.map(({ name }) => name);
}

/** Returns the add-on that runs an image, `host/repository`; undefined if none is known. */
export function addonOfImage(image: string): string | undefined {
  return ADDONS.find((addon) => addon.image === image)?.name;
}

/** Returns where the manifest of an add-on is in the package. */
export function addonPath(name: string): string {
  return `kubernetes/addons/${name}.yaml`;
}
