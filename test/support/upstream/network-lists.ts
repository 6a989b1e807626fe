import type { CniRow } from '../../../src/config/kubernetes/cni-image-table.ts';

type Rows = readonly CniRow[];

/** The projects of the network plugins at github.com. */
export const NETWORK_PROJECTS = {
  calico: 'projectcalico/calico',
  cilium: 'cilium/cilium',
  flannel: 'flannel-io/flannel',
} as const;

const RAW = 'raw.githubusercontent.com';

/** Returns upstream's lists of the images of network plugins at the release of some rows, by address. */
export function networkLists(rows: Rows): ReadonlyMap<string, string> {
  const of = (plugin: CniRow['plugin']): Rows => rows.filter((row) => row.plugin === plugin);
  const at = (plugin: CniRow['plugin'], path: string): string =>
    `${RAW}/${NETWORK_PROJECTS[plugin]}/${of(plugin)[0]?.release}/${path}`;
  const calico = of('calico');
  const named = (...names: readonly string[]): Rows =>
    calico.filter(({ image }) => names.includes(image.slice(image.lastIndexOf('/') + 1)));
  const needed = calico.filter(({ use }) => use === 'needed');
  const operator = calico.find(({ image }) => image === 'quay.io/tigera/operator');
  return new Map([
    [at('calico', 'manifests/calico.yaml'), manifestOf(needed)],
    [at('calico', 'manifests/calico-typha.yaml'), manifestOf([...needed, ...named('typha')])],
    [at('calico', 'manifests/apiserver.yaml'), manifestOf(named('apiserver'))],
    [at('calico', 'manifests/csi-driver.yaml'), manifestOf(named('csi', 'node-driver-registrar'))],
    [at('calico', 'manifests/calicoctl.yaml'), manifestOf(named('ctl'))],
    [at('calico', 'manifests/tigera-operator.yaml'), manifestOf(named('operator'))],
    [`${RAW}/tigera/operator/${operator?.tag}/pkg/components/calico.go`, componentsOf(calico)],
    [at('cilium', 'install/kubernetes/cilium/values.yaml'), valuesOf(of('cilium'))],
    [at('flannel', 'Documentation/kube-flannel.yml'), manifestOf(of('flannel'))],
  ]);
}

/** A manifest as projects publish it, with an image twice and a list item that begins with one. */
function manifestOf(rows: Rows): string {
  const containers = rows.map(
    ({ image, tag }, index) => `        - name: container-${index}
          image: ${image}:${tag}
          imagePullPolicy: IfNotPresent
`,
  );
  const again = rows
    .slice(0, 1)
    .map(({ image, tag }) => `        - image: ${image}:${tag}\n          name: again\n`);
  return `---
# Source: templates/workload.yaml
kind: DaemonSet
apiVersion: apps/v1
spec:
  template:
    spec:
      initContainers:
${again.join('')}      containers:
${containers.join('')}`;
}

/** pkg/components/calico.go of calico's operator, with the images for FIPS and for Windows that it also has. */
function componentsOf(rows: Rows): string {
  const images = rows.filter(({ image }) => image.startsWith('quay.io/calico/') && !image.endsWith('/ctl'));
  const release = rows[0]?.release ?? '';
  const component = (name: string, version: string, index: number): string => `
\tComponentCalico${index} = Component{
\t\tVersion:   "${version}",
\t\tImage:     "${name}",
\t\tRegistry:  "",
\t\timagePath: "",
\t\tvariant:   calicoVariant,
\t}
`;
  const all = [
    ...images.map(({ image, tag }) => [image.slice('quay.io/calico/'.length), tag] as const),
    ['node', `${release}-fips`] as const,
    ['node-windows', release] as const,
  ];
  return `package components

var (
\tCalicoRelease string = "${release}"
${all.map(([name, version], index) => component(name, version, index)).join('')})
`;
}

/** values.yaml of cilium's chart: images as maps at several depths, one as a text, and images of others. */
function valuesOf(rows: Rows): string {
  const tagOf = (name: string): string => rows.find(({ image }) => image.endsWith(`/${name}`))?.tag ?? '';
  const known = new Set([
    'cilium',
    'cilium-envoy',
    'certgen',
    'hubble-relay',
    'hubble-ui',
    'hubble-ui-backend',
    'clustermesh-apiserver',
    'startup-script',
    'ztunnel',
  ]);
  const names = rows.map(({ image }) => image.slice('quay.io/cilium/'.length));
  const others = names.filter((name) => !known.has(name) && !name.startsWith('operator-'));
  const clouds = names.flatMap((name) => /^operator-(\w+)$/.exec(name)?.[1] ?? []);
  const image = (name: string, indent: string): string =>
    [
      'image:',
      '  # @schema',
      '  # type: [null, string]',
      '  # @schema',
      '  override: ~',
      `  repository: "quay.io/cilium/${name}"`,
      `  tag: "${tagOf(name)}"`,
      '  pullPolicy: "IfNotPresent"',
      `  digest: "sha256:${'5a'.repeat(32)}"`,
      '  useDigest: true',
    ]
      .map((line) => `${indent}${line}\n`)
      .join('');
  const digests = clouds.map((cloud) => `    ${cloud}Digest: "sha256:${'c1'.repeat(32)}"\n`);
  return `# -- namespaceOverride allows to override the destination namespace for Cilium resources.
namespaceOverride: ""
rollOutCiliumPods: false
# -- Agent container image.
${image('cilium', '')}certgen:
${image('certgen', '  ')}hubble:
  enabled: true
  relay:
    enabled: false
${image('hubble-relay', '    ')}  ui:
    backend:
${image('hubble-ui-backend', '      ')}    frontend:
${image('hubble-ui', '      ')}envoy:
  # @schema
  # type: [null, boolean]
  # @schema
  enabled: ~
${image('cilium-envoy', '  ')}encryption:
  ztunnel:
    image: quay.io/cilium/ztunnel:${tagOf('ztunnel')}@sha256:${'7e'.repeat(32)}
operator:
  enabled: true
  image:
    override: ~
    repository: "quay.io/cilium/operator"
    tag: "${tagOf('operator-generic')}"
${digests.join('')}    useDigest: true
    suffix: ""
nodeinit:
${image('startup-script', '  ')}preflight:
${image('cilium', '  ')}standaloneDnsProxy:
  image:
    override: ~
    repository: ""
    tag: ""
clustermesh:
  apiserver:
${image('clustermesh-apiserver', '    ')}authentication:
  mutual:
    spire:
      install:
        initImage:
          override: ~
          repository: "docker.io/library/busybox"
          tag: "1.38.0"
        agent:
          image:
            repository: "ghcr.io/spiffe/spire-agent"
            tag: "1.12.4"
${others.map((name) => `${name}:\n${image(name, '  ')}`).join('')}`;
}
