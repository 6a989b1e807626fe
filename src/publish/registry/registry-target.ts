import { Readable } from 'node:stream';
import { describeFailure, Failure } from '../../lib/failure.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { pushBlob } from '../../registry/blob-push.ts';
import { type BlobSource, registrySource } from '../../registry/blob-source.ts';
import { cancelUpload, openUpload } from '../../registry/blob-upload.ts';
import type { Image } from '../../registry/oci/manifest.ts';
import { matchesPlatform } from '../../registry/oci/platform.ts';
import {
  formatReference,
  parseTag,
  type Reference,
  type Repository,
  type Tag,
} from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import { alreadyPublished, mayReplace } from '../target/replacement.ts';
import type { PackageFile, PackageLocation, PublishTarget, TransferProgress } from '../target/target.ts';
import { type PackageLayer, plainLayer, tarLayer } from './image-layer.ts';
import {
  artifactDocuments,
  type BaseImage,
  type ImageDocuments,
  imageDocuments,
  OUTPUT_FOLDER,
} from './image-manifest.ts';

/** How packages go to Docker Hub or any other registry. */
export interface ImageSettings {
  readonly registries: Registries;
  /** Host and repository, without tag. */
  readonly repository: Reference;
  readonly form: 'image' | 'artifact';
  /** What a runnable image is put on; undefined for one that is only there to copy from. */
  readonly base: Reference | undefined;
  readonly overwrite: boolean;
  readonly reporter: Reporter;
}

const ARCHITECTURE = /-(amd64|arm64|arm|386|ppc64le|s390x|riscv64)(?=[.-]|$)/;

/** Returns the tag of a package: its name without `kube-` and `.tar.gz`, such as `1.36.2-amd64-beta`. */
export function tagOf(packageName: string): Tag {
  const bare = packageName.replace(/\.(?:tar(?:\.[a-z0-9]+)?|tgz)$/, '').replace(/^kube-/, '');
  return parseTag(bare.replaceAll(/[^\w.-]/g, '_').replace(/^[.-]+/, ''), packageName);
}

/** Publishes packages to a registry, as an image or an OCI artifact, without any daemon. */
export class RegistryTarget implements PublishTarget {
  readonly name = 'dockerhub';
  readonly #settings: ImageSettings;
  readonly #registry: Registry;
  readonly #repository: Repository;

  constructor(settings: ImageSettings) {
    this.#settings = settings;
    this.#registry = settings.registries.at(settings.repository.host);
    this.#repository = settings.repository.repository;
  }

  /** Opens an upload and cancels it, which only who may push there can do. */
  async prove(signal: AbortSignal): Promise<void> {
    await this.#registry.asMetadata(signal, async () => {
      const upload = await openUpload(this.#registry, this.#repository, signal);
      if (typeof upload !== 'string') await cancelUpload(this.#registry, upload);
    });
  }

  async publish(
    file: PackageFile,
    signal: AbortSignal,
    onProgress: TransferProgress,
  ): Promise<PackageLocation> {
    const tag = tagOf(file.name);
    const isArtifact = this.#settings.form === 'artifact';
    const layer = isArtifact ? plainLayer(file) : await tarLayer(file, signal);
    const present = await this.#findPublished(tag, signal);
    // By the layer that is the package: the base below it may have moved on since.
    if (present?.layers.at(-1)?.digest === layer.digest) {
      return this.#locate(file, tag, 'present', present.layers.length > 1);
    }
    if (present !== undefined && !mayReplace(file.name, this.#settings.overwrite)) {
      const address = formatReference({ ...this.#settings.repository, tag });
      throw alreadyPublished(address, `this tag has other content than ${file.name}`);
    }
    const base = isArtifact ? undefined : await this.#readBase(file, signal);
    const documents = isArtifact
      ? artifactDocuments(file, layer)
      : imageDocuments(file, layer, architectureOf(file), base?.image);
    await this.#pushLayers(file, layer, base, signal, onProgress);
    await this.#pushConfig(documents, signal);
    await this.#registry.putManifest(this.#repository, tag, documents.manifest, signal);
    return this.#locate(file, tag, 'published', base !== undefined);
  }

  async #findPublished(tag: Tag, signal: AbortSignal): Promise<Pick<Image, 'layers'> | undefined> {
    try {
      const manifest = await this.#registry.getManifest(this.#repository, tag, signal);
      return manifest.kind === 'image' ? manifest : { layers: [] };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #pushLayers(
    file: PackageFile,
    layer: PackageLayer,
    base: FoundBase | undefined,
    signal: AbortSignal,
    onProgress: TransferProgress,
  ): Promise<void> {
    for (const descriptor of base?.image.layers ?? []) {
      const isHere = base?.reference.host === this.#registry.host;
      await pushBlob({
        ...this.#common(signal, base?.source),
        descriptor,
        ...(isHere ? { mountFrom: base.reference.repository } : {}),
      });
    }
    let sent = 0;
    await pushBlob({
      ...this.#common(signal, layer.source),
      descriptor: layer,
      onBytes: (count) => {
        sent += count;
        onProgress(Math.min(sent, file.size));
      },
    });
    onProgress(file.size);
  }

  async #pushConfig({ config }: ImageDocuments, signal: AbortSignal): Promise<void> {
    const source: BlobSource = {
      about: 'image configuration',
      open: async (_descriptor, _signal, range) =>
        Readable.from([config.bytes.subarray(range?.start, range?.end)]),
    };
    const descriptor = { digest: config.digest, size: config.bytes.length };
    await pushBlob({ ...this.#common(signal, source), descriptor });
  }

  #common(signal: AbortSignal, source: BlobSource | undefined) {
    const sources = source === undefined ? [] : [source];
    return {
      registry: this.#registry,
      repository: this.#repository,
      isAbsent: false,
      sources: () => sources,
      signal,
    };
  }

  /** A base that cannot be had makes the image less handy, not impossible. */
  async #readBase(file: PackageFile, signal: AbortSignal): Promise<FoundBase | undefined> {
    const { base, registries, reporter } = this.#settings;
    if (base === undefined) return undefined;
    const registry = registries.at(base.host);
    try {
      const manifest = await readPlatform(registry, base, architectureOf(file), signal);
      const config = await registry.readBlob(base.repository, manifest.config, signal);
      const image = { layers: manifest.layers, config: JSON.parse(config.toString('utf8')) };
      return { image, reference: base, source: registrySource(registry, base.repository) };
    } catch (error) {
      signal.throwIfAborted();
      reporter.warning(
        `the image is made without its base and serves for docker cp only: ${describeFailure(error)}`,
      );
      return undefined;
    }
  }

  #locate(
    file: PackageFile,
    tag: Tag,
    outcome: PackageLocation['outcome'],
    isRunnable: boolean,
  ): PackageLocation {
    const address = formatReference({ ...this.#settings.repository, tag });
    const create = `id=$(docker create ${address}) && docker cp "$id:/${file.name}" . && docker rm "$id"`;
    const run = `docker run --rm -v "$PWD:${OUTPUT_FOLDER}" ${address}`;
    const ofImage = isRunnable ? run : create;
    const instruction = this.#settings.form === 'artifact' ? `oras pull ${address}` : ofImage;
    return { target: this.name, address, instruction, outcome };
  }
}

interface FoundBase {
  readonly image: BaseImage;
  readonly reference: Reference;
  readonly source: BlobSource;
}

function architectureOf(file: PackageFile): string {
  return ARCHITECTURE.exec(file.name)?.[1] ?? 'amd64';
}

async function readPlatform(
  registry: Registry,
  base: Reference,
  architecture: string,
  signal: AbortSignal,
): Promise<Image> {
  const name = base.digest ?? base.tag ?? parseTag('latest');
  const manifest = await registry.getManifest(base.repository, name, signal);
  if (manifest.kind === 'image') return manifest;
  const wanted = { os: 'linux', architecture };
  const child = manifest.manifests.find(
    ({ platform }) => platform !== undefined && matchesPlatform(platform, wanted),
  );
  const found =
    child === undefined ? undefined : await registry.getManifest(base.repository, child.digest, signal);
  if (found?.kind === 'image') return found;
  throw new Failure({
    code: 'NOT_FOUND',
    about: formatReference(base),
    message: `it has no image for linux/${architecture}`,
  });
}
