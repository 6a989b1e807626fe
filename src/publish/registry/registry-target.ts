import { Readable } from 'node:stream';
import { describeFailure, Failure, failureCode } from '../../lib/failure.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { type BlobPush, pushBlob } from '../../registry/blob/blob-push.ts';
import type { BlobSource } from '../../registry/blob/blob-source.ts';
import { cancelUpload, openUpload } from '../../registry/blob/blob-upload.ts';
import { mayBeOfSite, orStranger } from '../../registry/likeness.ts';
import { howToLogIn } from '../../registry/missing-login.ts';
import type { Image } from '../../registry/oci/manifest.ts';
import { formatReference, type Reference, type Repository, type Tag } from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound, mayBeDeniedToUs } from '../../registry/registry-failure.ts';
import { alreadyPublished, mayReplace } from '../contract/replacement.ts';
import type { PackageFile, PackageLocation, PublishTarget, TransferProgress } from '../contract/target.ts';
import { type BaseImage, readBaseImage } from './base-image.ts';
import { type PackageLayer, plainLayer, tarLayer } from './image-layer.ts';
import { artifactDocuments, type ImageDocuments, imageDocuments, OUTPUT_FOLDER } from './image-manifest.ts';
import { packageArchitecture, packageTag } from './package-tag.ts';

/** The settings of a registry to publish to. */
interface RegistryTargetSettings {
  readonly registries: Registries;
  /** Host and repository, without tag. */
  readonly repository: Reference;
  readonly form: 'image' | 'artifact';
  /** The image to build on, which makes the result runnable; without one it is only good for `docker cp`. */
  readonly base: Reference | undefined;
  readonly overwrite: boolean;
  readonly reporter: Reporter;
  /** Returns the name of a flag as users write it. */
  readonly label: (flag: 'dockerhub-username' | 'dockerhub-password' | 'dockerhub-form') => string;
}

/** Publishes packages to a registry, as an image or an OCI artifact, without a Docker daemon. */
export class RegistryTarget implements PublishTarget {
  readonly name = 'dockerhub';
  readonly #settings: RegistryTargetSettings;
  readonly #registry: Registry;
  readonly #repository: Repository;

  constructor(settings: RegistryTargetSettings) {
    this.#settings = settings;
    this.#registry = settings.registries.at(settings.repository.host);
    this.#repository = settings.repository.repository;
  }

  /** Opens an upload and cancels it, which needs the permission to push. */
  async prove(signal: AbortSignal): Promise<void> {
    try {
      await this.#registry.asMetadata(signal, async () => {
        const upload = await openUpload(this.#registry, this.#repository, signal);
        if (typeof upload !== 'string') await cancelUpload(this.#registry, upload);
      });
    } catch (error) {
      throw await this.#explain(error, signal);
    }
  }

  /** Replaces a refusal with a failure that the host is not a registry, or that the login for it is missing. */
  async #explain(error: unknown, signal: AbortSignal): Promise<unknown> {
    const registry = this.#registry;
    if (!registry.likeness.isProven && mayBeOfSite(error)) {
      const listing = registry.listTags(this.#repository, signal);
      const reason = await listing.then(
        () => error,
        (refused: unknown) => orStranger(registry, refused),
      );
      return failureCode(reason) === 'NOT_A_REGISTRY' ? reason : error;
    }
    if (!mayBeDeniedToUs(error)) return error;
    const { scheme, username } = await registry.aboutLogin(this.#repository);
    if (scheme === 'none' || username !== undefined) return error;
    const { label } = this.#settings;
    return await registry.missingLogin(
      `set ${label('dockerhub-username')} and ${label('dockerhub-password')}, or KEEL_DOCKERHUB_USERNAME and KEEL_DOCKERHUB_PASSWORD, or ${howToLogIn(registry.host)}`,
    );
  }

  async publish(
    file: PackageFile,
    signal: AbortSignal,
    onProgress: TransferProgress,
  ): Promise<PackageLocation> {
    const tag = packageTag(file.name);
    const address = formatReference({ ...this.#settings.repository, tag });
    const isArtifact = this.#settings.form === 'artifact';
    const layer = isArtifact ? plainLayer(file) : await tarLayer(file, signal);
    const present = await this.#findPublished(tag, signal);
    const below = present?.layers.at(-1)?.digest === layer.digest ? present.layers.length - 1 : undefined;
    // For an image, only the layer with the package is compared: its base may be newer by now. An artifact has no base.
    if (below === 0 || (below !== undefined && !isArtifact)) {
      const instruction = this.#instruction(file, address, below > 0);
      const uncompared =
        below > 0 ? 'the package in the image was compared, but not the base image' : undefined;
      return { target: this.name, address, instruction, outcome: 'present', uncompared };
    }
    if (present !== undefined && !mayReplace(file.name, this.#settings.overwrite)) {
      throw await this.#taken({ file, address, present }, signal);
    }
    const base = isArtifact ? undefined : await this.#readBase(file, signal);
    const documents = isArtifact
      ? artifactDocuments(file, layer)
      : imageDocuments(file, layer, { architecture: packageArchitecture(file.name), base });
    if (base !== undefined) await this.#pushBase(base, signal);
    await this.#pushPackage(layer, signal, (sent) => onProgress(Math.min(sent, file.size)));
    onProgress(file.size);
    await this.#pushConfig(documents, signal);
    await this.#registry.putManifest(this.#repository, tag, documents.manifest, signal);
    const instruction = this.#instruction(file, address, base !== undefined);
    return { target: this.name, address, instruction, outcome: 'published' };
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

  /** Returns the failure for a tag that has something else, or the same package in the other form. */
  async #taken({ file, address, present }: TakenTag, signal: AbortSignal): Promise<Failure> {
    const { form, label } = this.#settings;
    const other = form === 'artifact' ? 'image' : 'artifact';
    const layer = other === 'artifact' ? plainLayer(file) : await tarLayer(file, signal);
    if (present.layers.at(-1)?.digest !== layer.digest) {
      return alreadyPublished(address, `the content of this tag differs from ${file.name}`);
    }
    return alreadyPublished(
      address,
      `this tag has ${file.name} as an ${other}, and would get it as an ${form}`,
      `it is complete there; to replace it use --overwrite, to keep it use ${label('dockerhub-form')} ${other}`,
    );
  }

  /**
   * Returns the base image; undefined, with a warning, if it cannot be read, because the image is useful without it.
   */
  async #readBase(file: PackageFile, signal: AbortSignal): Promise<BaseImage | undefined> {
    const { base: reference, registries, reporter, label } = this.#settings;
    if (reference === undefined) return undefined;
    const registry = registries.at(reference.host);
    try {
      const architecture = packageArchitecture(file.name);
      return await readBaseImage({ registry, reference, architecture }, signal);
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Failure ? `${error.about}: ${error.message}` : describeFailure(error);
      // The hint of a failure is for an image that the user named, but packer chose this one.
      reporter.warning(
        `the package is complete, but its image cannot run and works with "docker cp" only: the base image ${formatReference(reference)} could not be fetched: ${reason} (${label('dockerhub-form')} artifact needs no base image)`,
      );
      return undefined;
    }
  }

  async #pushBase({ reference, layers, source }: BaseImage, signal: AbortSignal): Promise<void> {
    const mountFrom = reference.host === this.#registry.host ? reference.repository : undefined;
    for (const descriptor of layers) await this.#push({ descriptor, source, mountFrom, signal });
  }

  async #pushPackage(
    layer: PackageLayer,
    signal: AbortSignal,
    onProgress: (sent: number) => void,
  ): Promise<void> {
    let sent = 0;
    const onBytes = (count: number): void => {
      sent += count;
      onProgress(sent);
    };
    await this.#push({ descriptor: layer, source: layer.source, signal, onBytes });
  }

  async #pushConfig({ config }: ImageDocuments, signal: AbortSignal): Promise<void> {
    const source: BlobSource = {
      about: 'image configuration',
      open: async (_descriptor, _signal, range) =>
        Readable.from([config.bytes.subarray(range?.start, range?.end)]),
    };
    await this.#push({
      descriptor: { digest: config.digest, size: config.bytes.length },
      source,
      signal,
    });
  }

  async #push({ source, ...blob }: OwnBlob): Promise<void> {
    const to = { registry: this.#registry, repository: this.#repository };
    await pushBlob({ ...to, ...blob, isAbsent: false, sources: () => [source] });
  }

  /** Returns the command that downloads the package. Only an image with a base can be run. */
  #instruction({ name }: PackageFile, address: string, isRunnable: boolean): string {
    if (this.#settings.form === 'artifact') return `oras pull ${address}`;
    if (isRunnable) return `docker run --rm -v "$PWD:${OUTPUT_FOLDER}" ${address}`;
    return `id=$(docker create ${address}) && docker cp "$id:/${name}" . && docker rm "$id"`;
  }
}

/** A tag that has something already. */
interface TakenTag {
  readonly file: PackageFile;
  readonly address: string;
  readonly present: Pick<Image, 'layers'>;
}

/** A blob of the image, and where its bytes come from. */
type OwnBlob = Pick<BlobPush, 'descriptor' | 'mountFrom' | 'signal' | 'onBytes'> & {
  readonly source: BlobSource;
};
