import type { CniPlugin } from '../../src/config/kubernetes/cni-image-table.ts';
import type { ContainerdSupport } from '../../src/config/kubernetes/containerd-support.ts';
import type { KubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { ConcurrencyLimiter } from '../../src/lib/concurrency-limiter.ts';
import { describeFailure } from '../../src/lib/failure.ts';
import type { MakerClient } from '../../src/upstream/maker-client.ts';
import type { Asked, Makers } from '../../src/upstream/makers.ts';
import type { ReleaseQuestions } from '../../src/upstream/release-questions.ts';
import { type CniList, imagesInManifest, imagesInValues, imagesOfOperator, listOf } from './cni-lists.ts';
import type { VersionTags } from './kubeadm-rows.ts';
import type { Answers } from './refreshed-tables.ts';
import { refusal } from './refusal.ts';
import type { ContainerdRelease } from './runtime-rows.ts';

const CNI_REPOSITORIES: Readonly<Record<CniPlugin, string>> = {
  calico: 'projectcalico/calico',
  cilium: 'cilium/cilium',
  flannel: 'flannel-io/flannel',
};
const OPERATOR = 'tigera/operator';
const OPERATOR_IMAGE = 'quay.io/tigera/operator';
/** The first lists what an installation by manifest needs. */
const CALICO_MANIFESTS = [
  'calico.yaml',
  'calico-typha.yaml',
  'apiserver.yaml',
  'csi-driver.yaml',
  'calicoctl.yaml',
  'tigera-operator.yaml',
] as const;
/** The limit in bytes; calico-typha.yaml has 350 kB. */
const LIST_LIMIT = 4 * 1024 * 1024;

interface Parts {
  readonly makers: Pick<Makers, 'newestRelease' | 'kubeadmTags'>;
  readonly releases: ReleaseQuestions;
  /** Fetches the lists of network plugins. */
  readonly client: MakerClient;
  readonly signal: AbortSignal;
}

/** The answers of upstream over the web. It refuses every answer of upstream's first source that is not as expected. */
export class UpstreamAnswers implements Answers {
  readonly #parts: Parts;
  /** There may be hundreds of versions. */
  readonly #limiter = new ConcurrencyLimiter({ start: 8 });

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async newestRelease(minor: number | undefined): Promise<KubernetesVersion> {
    const about = minor === undefined ? 'Kubernetes' : `Kubernetes 1.${minor}`;
    return proven(about, await this.#parts.makers.newestRelease(minor, this.#parts.signal));
  }

  async kubeadmTags(version: KubernetesVersion): Promise<VersionTags> {
    const { makers, signal } = this.#parts;
    const giveBack = await ConcurrencyLimiter.take([this.#limiter], signal);
    try {
      return proven(`kubeadm ${version}`, await makers.kubeadmTags(version, signal));
    } finally {
      giveBack();
    }
  }

  async containerdSupport(): Promise<readonly ContainerdSupport[]> {
    return proven('containerd', await this.#parts.releases.containerdSupport(this.#parts.signal));
  }

  async newestContainerd(from: string): Promise<ContainerdRelease> {
    const { releases, signal } = this.#parts;
    const containerd = proven('containerd', await releases.newestPatch('containerd', from, signal));
    return { containerd, runc: proven('runc', await releases.runcOf(containerd, signal)) };
  }

  async newestCniPlugins(): Promise<string> {
    const { releases, signal } = this.#parts;
    return proven('CNI plugins', await releases.latest('containernetworking/plugins', signal));
  }

  async cniList(plugin: CniPlugin): Promise<CniList> {
    const { releases, signal } = this.#parts;
    const repository = CNI_REPOSITORIES[plugin];
    const release = `v${proven(plugin, await releases.latest(repository, signal))}`;
    const file = (path: string): Promise<string> => this.#file(plugin, repository, release, path);
    switch (plugin) {
      case 'cilium':
        return listOf(plugin, release, imagesInValues(await file('install/kubernetes/cilium/values.yaml')));
      case 'flannel': {
        const images = imagesInManifest(await file('Documentation/kube-flannel.yml'));
        return listOf(plugin, release, images, new Set(images.map(({ image }) => image)));
      }
      case 'calico': {
        const [needed = [], ...others] = await Promise.all(
          CALICO_MANIFESTS.map(async (name) => imagesInManifest(await file(`manifests/${name}`))),
        );
        const operator = others.flat().find(({ image }) => image === OPERATOR_IMAGE);
        if (operator === undefined) throw refusal(plugin, `its manifests do not name ${OPERATOR_IMAGE}`);
        const components = await this.#file(plugin, OPERATOR, operator.tag, 'pkg/components/calico.go');
        const installed = imagesOfOperator(components, release);
        if (installed.length === 0) {
          throw refusal(plugin, `its operator ${operator.tag} names no image of ${release}`);
        }
        const images = [...needed, ...others.flat(), ...installed];
        return listOf(plugin, release, images, new Set(needed.map(({ image }) => image)));
      }
    }
  }

  async #file(plugin: CniPlugin, repository: string, tag: string, path: string): Promise<string> {
    const { client, signal } = this.#parts;
    // The tag of the operator comes from a manifest.
    const url = new URL(`https://raw.githubusercontent.com/${repository}/${encodeURIComponent(tag)}/${path}`);
    const text = await client.text(url, LIST_LIMIT, signal).catch((error: unknown) => {
      throw refusal(plugin, `${path}: ${describeFailure(error)}`);
    });
    if (text === undefined) throw refusal(plugin, `${repository} ${tag} has no ${path}`);
    return text;
  }
}

function proven<Answer>(about: string, { found, troubles }: Asked<Answer>): Answer {
  if (troubles.length > 0) throw refusal(about, troubles.join('; '));
  if (found === undefined) throw refusal(about, 'upstream has no such release');
  return found;
}
