import type { ImageRecipe } from './image.ts';
import type { RepositoryRecipe } from './kubernetes-set.ts';
import type { LayerRecipe } from './layer.ts';

const KIB = 1024;

function image(name: string, ...layers: readonly LayerRecipe[]): ImageRecipe {
  return {
    layers,
    own: [{ name, size: 24 * KIB }],
    platforms: ['linux/amd64', 'linux/arm64'],
  };
}

const DEBIAN: LayerRecipe = { name: 'debian-bookworm', size: 64 * KIB };
const ALPINE: LayerRecipe = { name: 'alpine-3.21', size: 16 * KIB };

/** Repositories as Docker Hub has them, small. */
export const DOCKER_HUB_SET: readonly RepositoryRecipe[] = [
  {
    name: 'library/nginx',
    tags: new Map(
      ['1.26.3', '1.27.4', '1.27.5', '1.28.1', '1.29.4'].map((tag) => [tag, image(`nginx-${tag}`, DEBIAN)]),
    ),
  },
  { name: 'library/redis', tags: new Map([['7.4.2', image('redis', DEBIAN)]]) },
  { name: 'grafana/grafana', tags: new Map([['11.6.0', image('grafana', ALPINE)]]) },
];

/** Repositories as quay.io has them, small. */
export const QUAY_SET: readonly RepositoryRecipe[] = [
  { name: 'prometheus/prometheus', tags: new Map([['v3.3.0', image('prometheus')]]) },
  { name: 'prometheus/node-exporter', tags: new Map([['v1.9.1', image('node-exporter')]]) },
  { name: 'coreos/etcd', tags: new Map([['v3.6.6', image('etcd')]]) },
];
