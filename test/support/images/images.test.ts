import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DockerRegistry } from '../docker-registry.ts';
import { describeWith } from '../programs.ts';
import { scratchFolder } from '../scratch-folder.ts';
import { copyToFolder, inspectArchitecture, inspectManifest } from '../skopeo.ts';
import { fillRegistry } from './fill.ts';
import { ImageMaker, type ImageRecipe, makeSignature } from './image.ts';
import { KUBERNETES_SET } from './kubernetes-set.ts';
import { PlainPush } from './push.ts';

const layers = [{ name: 'base', size: 2000 }];
const own = [{ name: 'program', size: 3000 }];
const RECIPES: readonly [string, ImageRecipe][] = [
  ['a single image', { layers }],
  ['a single image of Docker', { layers, form: 'docker' }],
  ['an index', { layers, own, platforms: ['linux/amd64', 'linux/arm64', 'linux/s390x'] }],
  ['a list of Docker', { own, platforms: ['linux/amd64', 'linux/arm/v7'], form: 'docker' }],
  ['an index with attestations', { layers, own, platforms: ['linux/amd64', 'linux/arm64'], attested: true }],
];

it('makes the same image of the same recipe, whoever makes it', async () => {
  const [, recipe] = RECIPES[4] ?? ['', {}];
  const [one, other] = await Promise.all([new ImageMaker().make(recipe), new ImageMaker().make(recipe)]);
  expect(one.digest).toBe(other.digest);
});

describeWith(['docker-registry', 'skopeo'], 'images for tests', () => {
  it.each(RECIPES)('skopeo copies %s whole', async (_, recipe) => {
    await using registry = await DockerRegistry.start('htpasswd');
    const { host, login } = registry;
    const image = await new ImageMaker().make(recipe);
    await new PlainPush({ host, login }).push('some/app', 'v1', image);
    const reference = `${host}/some/app:v1`;
    const folder = join(scratchFolder(), 'copy');
    expect((await copyToFolder({ reference, login }, folder)).digest).toBe(image.digest);
    expect((await inspectManifest({ reference, login })).digest).toBe(image.digest);
    for (const [digest, bytes] of image.blobs) {
      expect(await readFile(join(folder, digest.slice('sha256:'.length)))).toEqual(bytes);
    }
    if (recipe.platforms?.includes('linux/arm64')) {
      expect(await inspectArchitecture({ reference, login }, 'arm64')).toBe('arm64');
    }
  });

  it('pushes by token, finds, and removes', async () => {
    await using registry = await DockerRegistry.start('token');
    const image = await new ImageMaker().make({ layers });
    const push = new PlainPush(registry);
    expect(await push.tags('app')).toEqual([]);
    const signature = makeSignature(image.digest);
    await push.push('app', 'v1', image);
    await push.push('app', signature.tag, signature.image);
    expect(await push.tags('app')).toEqual([signature.tag, 'v1']);
    expect(await push.digestOf('app', 'v1')).toBe(image.digest);
    await push.remove('app', image.digest);
    expect(await push.tags('app')).toEqual([signature.tag]);
    expect(await push.digestOf('app', 'v1')).toBeUndefined();
  });

  it('fills a registry with a set like that of registry.k8s.io', async () => {
    await using registry = await DockerRegistry.start();
    const images = await fillRegistry(registry, KUBERNETES_SET);
    const push = new PlainPush(registry);
    expect(await push.tags('coredns/coredns')).toEqual(['v1.13.1', 'v1.14.2']);
    expect(await push.digestOf('kube-proxy', 'v1.36.2')).toBe(images.get('kube-proxy:v1.36.2')?.digest);
    expect(images.size).toBeGreaterThan(40);
  });
});
