import { type KubernetesVersion, kubernetesMinor } from '../../config/kubernetes/kubernetes-version.ts';
import { apiHost, type Host } from '../../registry/oci/reference.ts';
import type { KubeadmRepositories } from './kubeadm-names.ts';
import type { UpstreamHost } from './upstream-hosts.ts';

/** A configuration file for the machines of a cluster. */
export interface ConfigurationFile {
  /** Its path there. */
  readonly path: string;
  readonly text: string;
}

/** The facts from which the configuration files follow. */
interface MirrorFacts {
  readonly version: KubernetesVersion;
  readonly host: Host;
  /** The base URL of its API. */
  readonly endpoint: URL;
  /** PEM file, on this machine, with the authorities for its certificate. */
  readonly caFile: string | undefined;
  /** Whether its certificate is not checked. */
  readonly isUnverified: boolean;
  readonly repositories: KubeadmRepositories;
  /** The registries whose images the mirror has. */
  readonly upstreams: readonly UpstreamHost[];
  /** Full name of the pause image, with which containerd starts every pod. */
  readonly pauseImage: string;
}

const FOLDER = '/etc/containerd/certs.d';
const CERTIFICATE = `${FOLDER}/mirror-ca.crt`;
/** Since 1.31; before it v1beta3. https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/ */
const FIRST_MINOR_OF_V1BETA4 = 31;

/**
 * Returns the files with which containerd and kubeadm use a mirror. containerd asks the mirror before the registries
 * whose images it has, and kubeadm uses the names at the mirror. The files contain no secrets.
 */
export function mirrorFiles(facts: MirrorFacts): ConfigurationFile[] {
  const own = facts.endpoint.protocol === 'https:' && trust(facts).length === 0;
  return [
    ...facts.upstreams
      .filter(({ prefixes }) => prefixes.length > 0)
      .map((upstream) => ({
        path: `${FOLDER}/${upstream.host}/hosts.toml`,
        text: hostsFile(upstream, facts),
      })),
    // containerd reaches the mirror by its own name without configuration, unless it needs an authority or plain HTTP.
    ...(own ? [] : [{ path: `${FOLDER}/${facts.host}/hosts.toml`, text: ownHosts(facts) }]),
    { path: '/etc/containerd/conf.d/mirror.toml', text: containerdSettings(facts) },
    { path: 'kubeadm.yaml', text: kubeadmSettings(facts) },
  ];
}

function trust({ caFile, isUnverified, endpoint }: MirrorFacts): string[] {
  if (isUnverified && endpoint.protocol === 'https:') return ['  skip_verify = true'];
  return caFile === undefined ? [] : [`  # a copy of ${caFile}`, `  ca = ${JSON.stringify(CERTIFICATE)}`];
}

function hostsFile({ host, prefixes, unfound }: UpstreamHost, facts: MirrorFacts): string {
  const places = prefixes.flatMap((prefix) => [
    '',
    `[host.${JSON.stringify(`${facts.endpoint.origin}/v2${prefix === '' ? '' : `/${prefix}`}`)}]`,
    '  capabilities = ["pull", "resolve"]',
    '  override_path = true',
    ...trust(facts),
  ]);
  return lines([
    ...unfound.map(
      ({ repository, mirror }) =>
        `# does not cover ${repository}, which is ${facts.host}/${mirror} at the mirror`,
    ),
    `server = "https://${apiHost(host)}"`,
    ...places,
  ]);
}

function ownHosts(facts: MirrorFacts): string {
  const { origin } = facts.endpoint;
  return lines([
    `server = ${JSON.stringify(origin)}`,
    '',
    `[host.${JSON.stringify(origin)}]`,
    '  capabilities = ["pull", "resolve"]',
    ...trust(facts),
  ]);
}

function containerdSettings({ pauseImage }: MirrorFacts): string {
  return lines([
    '# for containerd 2, whose config.toml has to import /etc/containerd/conf.d/*.toml, as the one in a package does',
    'version = 3',
    '',
    "[plugins.'io.containerd.cri.v1.images'.registry]",
    `  config_path = '${FOLDER}'`,
    '',
    "[plugins.'io.containerd.cri.v1.images'.pinned_images]",
    `  sandbox = '${pauseImage}'`,
  ]);
}

function kubeadmSettings({ version, repositories }: MirrorFacts): string {
  const format = kubernetesMinor(version) < FIRST_MINOR_OF_V1BETA4 ? 'v1beta3' : 'v1beta4';
  const { image, dns, etcd } = repositories;
  return lines([
    `apiVersion: kubeadm.k8s.io/${format}`,
    'kind: ClusterConfiguration',
    `kubernetesVersion: v${version}`,
    `imageRepository: ${image}`,
    ...(dns === undefined ? [] : ['dns:', `  imageRepository: ${dns}`]),
    ...(etcd === undefined ? [] : ['etcd:', '  local:', `    imageRepository: ${etcd}`]),
  ]);
}

function lines(texts: readonly string[]): string {
  return `${texts.join('\n')}\n`;
}
