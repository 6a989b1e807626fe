import { createHash } from 'node:crypto';
import type { ImageRecipe } from '../test/support/images/image.ts';
import type { RepositoryRecipe } from '../test/support/images/kubernetes-set.ts';
import type { LayerRecipe } from '../test/support/images/layer.ts';

const TAGS = 10;
const KIB = 1024;
const MIB = 1024 * KIB;
const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/s390x'];

/** Returns a size between two bounds that is the same for the same name. As with real layers, most are rather small. */
function sizeOf(name: string, least: number, most: number): number {
  const part = createHash('sha256').update(name).digest().readUInt32BE(0) / 2 ** 32;
  return Math.round(least * (most / least) ** part);
}

/** The base images of a registry like this: one layer, as older distributions have it, or many small ones. */
const BASES: Readonly<Record<'old' | 'distroless', readonly LayerRecipe[]>> = {
  old: [{ name: 'base-old', size: 2 * MIB }],
  distroless: [
    { name: 'base-distroless', size: 2 * MIB },
    ...Array.from({ length: 9 }, (_, index) => ({ name: `base-${index}`, size: 400 + 300 * index })),
  ],
};

function imageOf(repository: string, tag: number, base: keyof typeof BASES, isIndex: boolean): ImageRecipe {
  const layer = (every: number, least: number, most: number): LayerRecipe => {
    const name = `${repository}-${every}-${Math.floor(tag / every)}`;
    return { name, size: sizeOf(name, least, most) };
  };
  const own = [
    ...BASES[base],
    layer(5, 5 * MIB, 10 * MIB),
    layer(2, MIB, 12 * MIB),
    layer(1, KIB, 100 * KIB),
  ];
  return { own, form: base === 'old' ? 'docker' : 'oci', ...(isIndex ? { platforms: PLATFORMS } : {}) };
}

function repositoryOf(number: number, base: keyof typeof BASES, isIndex: boolean): RepositoryRecipe {
  const name = `bench/${base}-${isIndex ? 'index' : 'image'}-${number}`;
  const tags = Array.from({ length: TAGS }, (_, tag): [string, ImageRecipe] => [
    `v1.${tag}.0`,
    imageOf(name.replace('/', '-'), tag, base, isIndex),
  ]);
  return { name, tags: new Map(tags) };
}

/**
 * Repositories of ten tags each. All: 20, of which 8 have three platforms: 200 tags, 360 image manifests, 1.4 GB.
 * Otherwise 3: 30 tags, 50 image manifests.
 */
export function benchRepositories(all: boolean): readonly RepositoryRecipe[] {
  if (!all) {
    return [
      repositoryOf(0, 'old', false),
      repositoryOf(1, 'distroless', false),
      repositoryOf(2, 'distroless', true),
    ];
  }
  return Array.from({ length: 20 }, (_, number) =>
    repositoryOf(number, number < 10 ? 'old' : 'distroless', number % 5 < 2),
  );
}
