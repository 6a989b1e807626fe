import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { milliseconds } from '../../src/lib/duration.ts';
import type { HttpTimeouts } from '../../src/lib/http/request-clock.ts';
import { readOverlay } from '../../src/pack/contents/overlay.ts';
import type { Destinations } from '../../src/pack/run/result.ts';
import { runPack } from '../../src/pack/run/run.ts';
import { parsePackSettings } from '../../src/pack/settings.ts';
import { type Digest, digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { Listener } from '../publish/listener.ts';
import { DockerRegistry } from '../support/docker-registry.ts';
import { FileServer } from '../support/file-server.ts';
import { type Image, ImageMaker, type ImageRecipe } from '../support/images/image.ts';
import { PlainPush } from '../support/images/push.ts';

export const VERSION = '1.37.1';
const KIB = 1024;
const PLATFORMS = ['linux/amd64', 'linux/arm64'];
const SHARED = { name: 'base', size: 64 * KIB };
/** The images of the small package: name, tag, path at the maker's, and what they are made of. */
const IMAGES: readonly [name: string, tag: string, path: string, recipe: ImageRecipe][] = [
  [
    'kube-proxy',
    `v${VERSION}`,
    'kube-proxy',
    { own: [SHARED, { name: 'kube-proxy', size: 300 * KIB }], platforms: PLATFORMS },
  ],
  [
    'coredns',
    'v1.14.6',
    'coredns/coredns',
    { own: [SHARED, { name: 'coredns', size: 40 * KIB }], platforms: PLATFORMS, attested: true },
  ],
  [
    'pause',
    '3.10.2',
    'pause',
    { own: [{ name: 'pause', size: 5 * KIB }], platforms: PLATFORMS, form: 'docker' },
  ],
];
const SHORT: HttpTimeouts = {
  connect: milliseconds(2000),
  firstByte: milliseconds(5000),
  idle: milliseconds(5000),
};
export const NOWHERE: Destinations<undefined> = {
  prove: async () => undefined,
  publish: async () => undefined,
};

/** A component as the small package has it: where it is served, what it is, and its checksum file. */
interface ServedComponent {
  readonly name: string;
  readonly tag: string;
  readonly path: string;
  readonly content: Buffer;
}

export function program(name: string): Buffer {
  return Buffer.alloc(90_000 + name.length * 1000, `${name} is a program. `);
}

function tarball(folder: string, prefix: string, names: readonly string[]): Buffer {
  const root = join(folder, `make-${names.join('-')}`);
  for (const name of names) {
    const path = join(root, prefix, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, program(name));
    chmodSync(path, 0o755);
  }
  const members = prefix === '' ? names : [prefix];
  return execFileSync('tar', ['-cz', '--owner=1000', '-C', root, ...members]);
}

/**
 * Everything that a small package is made from, on loopback: the makers' registry, a mirror of it with the namespace
 * "keel", a web server with components and checksums, and folders.
 */
export class PackWorld implements AsyncDisposable {
  readonly folder: string;
  readonly maker: DockerRegistry;
  readonly mirror: DockerRegistry;
  readonly web: FileServer;
  readonly images = new Map<string, Image>();
  readonly components: ServedComponent[];
  readonly #maker = new ImageMaker();

  private constructor(folder: string, maker: DockerRegistry, mirror: DockerRegistry, web: FileServer) {
    this.folder = folder;
    this.maker = maker;
    this.mirror = mirror;
    this.web = web;
    this.components = [
      { name: 'kubelet', tag: VERSION, path: '/kubelet', content: program('kubelet') },
      {
        name: 'containerd',
        tag: '2.3.4',
        path: '/containerd.tar.gz',
        content: tarball(folder, 'bin', ['containerd', 'ctr']),
      },
      { name: 'cni', tag: '1.9.1', path: '/cni.tgz', content: tarball(folder, '', ['bridge', 'loopback']) },
    ];
  }

  static async start(): Promise<PackWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'keel-pack-'));
    const [maker, mirror, web] = await Promise.all([
      DockerRegistry.start('token'),
      DockerRegistry.start('token'),
      FileServer.start(),
    ]);
    const world = new PackWorld(folder, maker, mirror, web);
    await Promise.all(
      IMAGES.map(async ([name, tag, path, recipe]) => {
        const image = await world.#maker.make(recipe);
        world.images.set(name, image);
        await new PlainPush(maker).push(path, tag, image);
        await new PlainPush(mirror).push(`keel/${path}`, tag, image);
      }),
    );
    for (const { path, content } of world.components) world.serve(path, content);
    return world;
  }

  /** Serves a file with the checksum that its maker publishes. */
  serve(path: string, content: Buffer, checksum = digestHex(digestOf(content))): void {
    this.web.put(path, content);
    for (const suffix of ['.sha256', '.sha256sum']) {
      this.web.put(`${path}${suffix}`, `${checksum}  ${path.slice(1)}\n`);
    }
  }

  /** Puts an image into the mirror, or at the maker's, in place of what is there. */
  async push(at: 'maker' | 'mirror', repository: string, tag: string, recipe: ImageRecipe): Promise<Image> {
    const image = await this.#maker.make(recipe);
    await new PlainPush(at === 'maker' ? this.maker : this.mirror).push(repository, tag, image);
    return image;
  }

  /** Returns the digest of an image's manifest for a platform. */
  manifest(name: string, index = 0): Digest {
    const child = this.images.get(name)?.children[index];
    if (child === undefined) throw new Error(`there is no ${name}`);
    return child.digest;
  }

  /** Returns a versions.json as an object, to be changed by a test. */
  versions() {
    return {
      arch: 'amd64',
      images: IMAGES.map(([name, tag, path]) => ({ name, tag, image: `${this.maker.host}/${path}` })),
      components: this.components.map(({ name, tag, path }): Record<string, string> => {
        return { name, tag, uri: `${this.web.origin}${path}` };
      }),
    };
  }

  /** Writes a versions.json and returns its path. */
  write(versions: object | string, name = 'versions.json'): string {
    const file = join(this.folder, name);
    writeFileSync(file, typeof versions === 'string' ? versions : JSON.stringify(versions, undefined, 2));
    return file;
  }

  /** Returns the flags that pack the small package into a folder of its own. */
  flags(name = 'one'): Record<string, string> {
    return {
      'image-source': `${this.mirror.host}/keel`,
      output: join(this.folder, name, 'out'),
      'image-output': join(this.folder, name, 'images'),
      'download-output': join(this.folder, name, 'downloads'),
      retry: '2',
      'retry-interval': '1ms',
    };
  }

  /** Packs in this process; the flags are those of `packer`. */
  async pack(
    values: Record<string, string> = {},
    options: { name?: string; destinations?: Destinations<unknown>; signal?: AbortSignal } = {},
  ) {
    const { name, destinations = NOWHERE, signal = new AbortController().signal } = options;
    const given = { 'version-config': join(this.folder, 'versions.json'), ...this.flags(name), ...values };
    const parsed = parsePackSettings({
      values: new Map(Object.entries(given)),
      environment: {},
      label: (flag) => `--${flag}`,
    });
    if (!parsed.ok) throw parsed.failures[0];
    const reporter = new Listener();
    const result = await runPack(parsed.settings, {
      reporter,
      signal,
      environment: { HOME: this.folder },
      runCredentialHelper: async () => undefined,
      onSecret: () => undefined,
      ownFiles: await readOverlay('package'),
      destinations,
      timeouts: SHORT,
    });
    return { result, reporter };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.maker, this.mirror, this.web].map((service) => service[Symbol.asyncDispose]()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
