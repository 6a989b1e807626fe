import type { ImageRecipe } from './image.ts';
import type { LayerRecipe } from './layer.ts';

/** A repository as a test or the demo wants to find it. */
export interface RepositoryRecipe {
  readonly name: string;
  readonly tags: ReadonlyMap<string, ImageRecipe>;
  /** Whether each tag has the signature of its index or image beside it. */
  readonly signed?: boolean;
}

const KIB = 1024;
const FOUR = ['linux/amd64', 'linux/arm64', 'linux/ppc64le', 'linux/s390x'];
const TWO = ['linux/amd64', 'linux/arm64'];

/** What most of these images stand on, so that their repositories share it. */
const DISTROLESS: readonly LayerRecipe[] = [
  { name: 'distroless-base', size: 48 * KIB },
  { name: 'distroless-tzdata', size: 6 * KIB },
  { name: 'distroless-passwd', size: 300 },
];

function versions(
  program: string,
  tags: readonly string[],
  recipe: (layer: LayerRecipe) => ImageRecipe,
  size = 96 * KIB,
): ReadonlyMap<string, ImageRecipe> {
  return new Map(tags.map((tag) => [tag, recipe({ name: `${program}-${tag}`, size })]));
}

function core(name: string): RepositoryRecipe {
  // The promoter pushed Docker's types for years; newer releases are OCI.
  const older = versions(name, ['v1.35.7'], (own) => ({
    layers: DISTROLESS,
    own: [own],
    platforms: FOUR,
    form: 'docker',
  }));
  const newer = versions(name, ['v1.36.2', 'v1.36.3', 'v1.37.0-rc.0'], (own) => ({
    layers: DISTROLESS,
    own: [own],
    platforms: FOUR,
  }));
  return { name, tags: new Map([...older, ...newer]), signed: true };
}

function storage(name: string, tags: readonly string[]): RepositoryRecipe {
  const recipe = (own: LayerRecipe): ImageRecipe => ({
    layers: DISTROLESS,
    own: [own],
    platforms: TWO,
    form: 'docker',
  });
  return { name: `sig-storage/${name}`, tags: versions(name, tags, recipe) };
}

/**
 * Repositories as registry.k8s.io has them, small but complete: namespaces, both families of media types, single
 * images and indexes, shared base layers, attestations, signatures, a pre-release and an old per-architecture name.
 */
export const KUBERNETES_SET: readonly RepositoryRecipe[] = [
  ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'].map(core),
  {
    name: 'pause',
    tags: versions(
      'pause',
      ['3.10', '3.10.1', '3.10.2'],
      (own) => ({ own: [own], platforms: FOUR, form: 'docker' }),
      2 * KIB,
    ),
    signed: true,
  },
  {
    name: 'pause-amd64',
    tags: versions('pause-amd64', ['3.1'], (layer) => ({ layers: [layer], form: 'docker' }), 2 * KIB),
  },
  {
    name: 'etcd',
    tags: versions(
      'etcd',
      ['3.6.6-0', '3.6.8-0'],
      (own) => ({ layers: DISTROLESS, own: [own], platforms: FOUR }),
      128 * KIB,
    ),
  },
  {
    name: 'coredns/coredns',
    tags: versions('coredns', ['v1.13.1', 'v1.14.2'], (own) => ({
      layers: DISTROLESS,
      own: [own],
      platforms: TWO,
    })),
  },
  {
    name: 'metrics-server/metrics-server',
    tags: versions('metrics-server', ['v0.8.1', 'v0.9.0'], (own) => ({
      layers: DISTROLESS,
      own: [own],
      platforms: TWO,
      attested: true,
    })),
  },
  {
    name: 'dns/k8s-dns-node-cache',
    tags: versions('node-cache', ['1.26.4', '1.26.7'], (own) => ({
      layers: DISTROLESS,
      own: [own],
      platforms: FOUR,
    })),
  },
  storage('csi-provisioner', ['v5.3.0', 'v6.1.0']),
  storage('csi-attacher', ['v4.10.0']),
  storage('livenessprobe', ['v2.17.0', 'v2.18.0']),
  storage('snapshot-controller', ['v8.4.0']),
];
