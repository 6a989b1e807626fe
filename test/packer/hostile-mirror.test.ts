import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPacker, runIn } from '../support/built-packer.ts';
import { PUBLIC_TOKENS } from '../support/registry/access.ts';
import { seedOtherLayers } from '../support/registry/other-layers.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage, seedMade } from '../support/registry/seed.ts';
import { cosignLayer, cosignManifest, cosignPayload, signatureTag } from '../support/sigstore/signature.ts';
import { TestSigstore } from '../support/sigstore/sigstore.ts';

const NAME = 'kube-1.37.1-amd64.tar.gz';
const LAYERS = [1000, 2000, 3000];

type Change = (unpacked: readonly Buffer[]) => readonly Buffer[];

describe('the built packer at a mirror', () => {
  let folder: string;
  let packer: string;
  let maker: TestRegistry;
  let mirror: TestRegistry;
  let sigstore: TestSigstore;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keel packer '));
    packer = buildPacker(folder);
    sigstore = await TestSigstore.start();
    [maker, mirror] = await Promise.all([
      startRegistry({ access: PUBLIC_TOKENS }),
      startRegistry({ access: PUBLIC_TOKENS }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([maker, mirror].map((registry) => registry[Symbol.asyncDispose]()));
    rmSync(folder, { recursive: true });
  });

  /** Lets the maker have an image, and the mirror one of its configuration with other layers. */
  function publish(name: string, change: Change): void {
    const recipe = { seed: name, layers: LAYERS, tags: ['v1'] };
    seedImage(maker.storage, name, recipe);
    const genuine = seedImage(mirror.storage, `keel/${name}`, recipe);
    seedOtherLayers(mirror.storage, `keel/${name}`, genuine, ['v1'], change);
  }

  async function pack(name: string, host: string, line: readonly string[] = [], signatures: object = {}) {
    const own = join(folder, `${name} ${line.length}`);
    const images = [{ name, tag: 'v1', image: `${host}/${name}` }];
    writeFileSync(
      join(folder, 'versions.json'),
      JSON.stringify({ arch: 'amd64', images, components: [], signatures }),
    );
    const said = await runIn(folder, packer, [
      ...['--kube-version', '1.37.1', '--image-source', `${mirror.host}/keel`, '--retry', '1'],
      ...['--output', own, '--image-output', join(own, 'images'), '--download-output', own, ...line],
    ]);
    const file = join(own, NAME);
    const read = (path: string): string => {
      return execFileSync('tar', ['-xzOf', file, path], { encoding: 'utf8' });
    };
    return { ...said, file, read };
  }

  it.each<[string, Change]>([
    ['another-layer', (layers) => [Buffer.from('another'), ...layers.slice(1)].map(zip)],
    ['one-layer-more', (layers) => [...layers, Buffer.from('one more')].map(zip)],
    ['one-layer-less', (layers) => layers.slice(1).map(zip)],
    ['another-order', (layers) => layers.toReversed().map(zip)],
  ])('packs nothing of the genuine configuration with other layers: %s', async (name, change) => {
    publish(name, change);
    const { code, stderr, file } = await pack(name, maker.host);
    expect(code, stderr).toBe(1);
    expect(stderr).toContain(
      `${mirror.host}/keel/${name}:v1: it is not the image that ${maker.host}/${name}:v1 is: it has the configuration`,
    );
    expect(existsSync(file)).toBe(false);
  });

  it.each<[string, Change]>([
    ['gzip-again', (layers) => layers.map((tar) => gzipSync(tar, { level: 1, memLevel: 1 }))],
    ['zstd', (layers) => layers.map((tar) => zstdCompressSync(tar))],
  ])('says of genuine layers that were compressed again what was compared: %s', async (name, change) => {
    publish(name, change);
    const lock = join(folder, `${name}.lock.json`);
    const first = await pack(name, maker.host, ['--lock', lock]);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain(
      `with the configuration that ${maker.host} has, and layers that unpack to`,
    );
    const [image] = JSON.parse(first.read('keel-package.json')).images;
    expect(image.check).toEqual({
      kind: 'upstream',
      registry: maker.host,
      compared: 'unpacked-layers',
    });
    expect(purl(first.read('sbom.spdx.json'))).toBe(`${mirror.host}/keel/${name}`);
    const again = await pack(name, maker.host, ['--lock', lock, '--json']);
    expect(again.code, again.stderr).toBe(0);
    expect(readFileSync(again.file).equals(readFileSync(first.file))).toBe(true);
  });

  it.each<[string, Change, boolean]>([
    ['signed-otherwise', (layers) => layers.toReversed().map(zip), true],
    ['signed-and-zstd', (layers) => layers.map((tar) => zstdCompressSync(tar)), true],
    ['signed-unreached', (layers) => layers.toReversed().map(zip), false],
  ])('packs only what is signed, where that is required: %s', async (name, change, isReached) => {
    publish(name, change);
    const genuine = maker.storage.manifest(name, 'v1')?.digest;
    if (genuine === undefined) throw new Error(`${name} is not there`);
    const host = isReached ? maker.host : '127.0.0.1:1';
    const signer = { identity: 'release@example.com', issuer: 'https://accounts.example.com' };
    const layer = await cosignLayer(sigstore, cosignPayload(genuine, `${host}/${name}`), signer);
    for (const [registry, repository] of [
      [maker, name],
      [mirror, `keel/${name}`],
    ] as const)
      seedMade(registry.storage, repository, signatureTag(genuine), cosignManifest([layer]));
    const required = ['--verify-signatures', 'require', '--trusted-root', sigstore.writeTrustedRoot(folder)];
    const refused = await pack(name, host, required, { [host]: signer });
    expect(refused.code, refused.stderr).toBe(1);
    expect(refused.stderr).toMatch(/:v1: (?:it has no signature|.* has no signature of it)/);
    expect(existsSync(refused.file)).toBe(false);
    // The genuine image itself is packed.
    seedImage(mirror.storage, `keel/${name}`, { seed: name, layers: LAYERS, tags: ['v1'] });
    const packed = await pack(name, host, required, { [host]: signer });
    expect(packed.code, packed.stderr).toBe(0);
    expect(JSON.parse(packed.read('keel-package.json')).images[0].signature).toEqual({
      kind: 'verified',
      ...signer,
    });
  });

  it("names neither the maker's registry nor its repository for what only the mirror knows", async () => {
    publish('unknown', (layers) => layers.map(zip));
    const { code, stderr, read } = await pack('unknown', '127.0.0.1:1');
    expect(code, stderr).toBe(0);
    const [image] = JSON.parse(read('keel-package.json')).images;
    expect(image.check).toMatchObject({ kind: 'mirror-only' });
    expect(purl(read('sbom.spdx.json'))).toBe(`${mirror.host}/keel/unknown`);
  });

  it('says of the very same image that its maker has it', async () => {
    publish('same', (layers) => layers.map(zip));
    const { code, stderr, read } = await pack('same', maker.host);
    expect(code, stderr).toBe(0);
    const [image] = JSON.parse(read('keel-package.json')).images;
    expect(image.check).toEqual({ kind: 'upstream', registry: maker.host });
    expect(purl(read('sbom.spdx.json'))).toBe(`${maker.host}/same`);
  });
});

function zip(tar: Buffer): Buffer {
  return gzipSync(tar);
}

/** Returns the repository in the locator of the one image of an SBOM. */
function purl(sbom: string): string | null {
  const [, image] = JSON.parse(sbom).packages;
  return new URL(image.externalRefs[0].referenceLocator).searchParams.get('repository_url');
}
