import { ConcurrencyLimiter } from '../../lib/concurrency-limiter.ts';
import { describeFailure, Failure } from '../../lib/failure.ts';
import { countOf } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import type { Image } from '../../registry/oci/manifest.ts';
import { entryFor, type Platform } from '../../registry/oci/platform.ts';
import { formatReference, type Host } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import { isAtMaker } from '../plan/image-source.ts';
import type { BlobFiles } from './blob-store.ts';
import type { LocatedImage } from './image-lookup.ts';
import type { MakerRegistries } from './maker-registries.ts';
import { UnpackingAllowance, UnpackingLimitError, unpackedDigest } from './unpacked-layer.ts';

/** What verifies an image, apart from the registry that it was pulled from. */
export type ImageCheck =
  /** The versions.json pins its digest, or the manifest of an add-on. */
  | { readonly kind: 'pin'; readonly manifest?: string | undefined }
  /** The upstream registry has the same content: the image was pulled from there, or compared with it. */
  | {
      readonly kind: 'upstream';
      readonly registry: Host;
      /**
       * What was compared if the manifests differ, for example in their format. Undefined if their digests are equal.
       */
      readonly compared?: ComparedContent | undefined;
    }
  | { readonly kind: 'mirror-only'; readonly reason: string };

/**
 * The digests of configuration and layers; or the configuration, and the layers' unpacked content, if they were compressed
 * again.
 */
type ComparedContent = 'layers' | 'unpacked-layers';

/** What is known before the layers are fetched. */
export type EarlyCheck =
  | ImageCheck
  /** The configuration is upstream's, but the layers have other digests. Their unpacked content decides. */
  | { readonly kind: 'compressed-again'; readonly registry: Host; readonly maker: Image };

/** The most bytes that all layers of an image may unpack to, as for the files of an archive. */
const UNPACKED_LIMIT = 8 * 1024 ** 3;
/** Images whose layers are unpacked at once: each may hold a window of 128 MiB. */
const UNPACKED_AT_ONCE = 2;

/** Compares images of a mirror with those at the upstream registries, as far as packer can reach these. */
export class UpstreamComparison {
  readonly #makers: MakerRegistries;
  readonly #platform: Platform;
  readonly #unpackedLimit: number;
  readonly #unpacking = new ConcurrencyLimiter({ start: UNPACKED_AT_ONCE });

  constructor(makers: MakerRegistries, platform: Platform, unpackedLimit = UNPACKED_LIMIT) {
    this.#makers = makers;
    this.#platform = platform;
    this.#unpackedLimit = unpackedLimit;
  }

  /**
   * Returns what verifies an image, or that its layers must decide. Throws `IMAGE_DIFFERS` if upstream has another one
   * under its name.
   */
  async check(image: LocatedImage, signal: AbortSignal): Promise<EarlyCheck> {
    const { upstream, pulledBy, plan, namesArchitecture } = image;
    if (plan.digest !== undefined) return { kind: 'pin', manifest: plan.pinnedBy };
    const { host } = upstream;
    if (isAtMaker(pulledBy, upstream, namesArchitecture)) return { kind: 'upstream', registry: host };
    const trouble = await this.#makers.trouble(host, signal);
    if (trouble !== undefined) {
      return { kind: 'mirror-only', reason: `${host} cannot be reached (${reasonOf(trouble)})` };
    }
    try {
      const found = await this.#compare(this.#makers.at(host), image, signal);
      return found ?? { kind: 'mirror-only', reason: `${host} has no image for this platform` };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Failure && error.code === 'IMAGE_DIFFERS') throw error;
      const reason = isNotFound(error) ? `${host} does not have it` : `${host}: ${reasonOf(error)}`;
      return { kind: 'mirror-only', reason };
    }
  }

  /**
   * Returns what verifies an image whose layers are stored: they are unpacked if `check` could not decide. Throws
   * `IMAGE_DIFFERS` if one does not match upstream's configuration, or the signal's reason.
   */
  async settle(
    image: LocatedImage,
    early: EarlyCheck,
    { blobFiles, signal }: { readonly blobFiles: BlobFiles; readonly signal: AbortSignal },
  ): Promise<ImageCheck> {
    if (early.kind !== 'compressed-again') return early;
    const { registry, maker } = early;
    const giveBack = await ConcurrencyLimiter.take([this.#unpacking], signal);
    try {
      await this.#unpackAll(image, maker, { blobFiles, signal });
      return { kind: 'upstream', registry, compared: 'unpacked-layers' };
    } catch (error) {
      if (!(error instanceof UnpackingLimitError)) throw error;
      const size = formatSize(error.limit);
      return {
        kind: 'mirror-only',
        reason: `its layers are compressed differently from those at ${registry}, and unpack to more than ${size}`,
      };
    } finally {
      giveBack();
    }
  }

  async #compare(
    registry: Registry,
    image: LocatedImage,
    signal: AbortSignal,
  ): Promise<EarlyCheck | undefined> {
    const { host: name, repository, tag } = image.upstream;
    if (tag === undefined) return undefined;
    const found = await registry.getManifest(repository, tag, signal);
    const { manifest, diffIds } = image;
    const same = { kind: 'upstream', registry: name } as const;
    if (found.digest === manifest.digest || found.digest === image.index) return same;
    const child = found.kind === 'image' ? found.digest : entryFor(found.manifests, this.#platform)?.digest;
    if (child === undefined) return undefined;
    if (child === manifest.digest) return same;
    const other = found.kind === 'image' ? found : await registry.getManifest(repository, child, signal);
    if (other.kind !== 'image') return undefined;
    // A mirror may store the same image in the other format, or compress it again. A configuration lists the digests of
    // the unpacked layers, but a registry may serve other layers.
    if (other.config.digest !== manifest.config.digest) throw differs(image, child);
    if (hasSameLayers(other, manifest)) return { ...same, compared: 'layers' };
    if (diffIds?.length !== manifest.layers.length) {
      const told = diffIds === undefined ? 'lists none' : `lists ${diffIds.length}`;
      throw layersDiffer(
        image,
        `it has ${countOf(manifest.layers.length, 'layer')}, but its configuration ${told}`,
      );
    }
    return { kind: 'compressed-again', registry: name, maker: other };
  }

  async #unpackAll(
    image: LocatedImage,
    maker: Image,
    { blobFiles, signal }: { readonly blobFiles: BlobFiles; readonly signal: AbortSignal },
  ): Promise<void> {
    const allowance = new UnpackingAllowance(this.#unpackedLimit);
    const known = new Set<string>();
    for (const [position, { digest }] of image.manifest.layers.entries()) {
      const diffId = image.diffIds?.[position];
      if (diffId === undefined) throw layersDiffer(image, `${digest} is not in its configuration`);
      // Layers are often equal, such as empty ones. A layer that upstream has at the same position need not be
      // unpacked.
      const isOfMaker = maker.layers[position]?.digest === digest;
      const pair = `${digest} ${diffId}`;
      if (isOfMaker || known.has(pair)) continue;
      let unpacked: Digest;
      try {
        unpacked = await unpackedDigest(blobFiles(digest), { like: diffId, allowance, signal });
      } catch (error) {
        signal.throwIfAborted();
        const isOfDisk = error instanceof Error && 'syscall' in error;
        if (isOfDisk || error instanceof UnpackingLimitError) throw error;
        throw layersDiffer(image, `its layer ${digest} cannot be unpacked (${describeFailure(error)})`);
      }
      if (unpacked !== diffId) {
        throw layersDiffer(image, `its layer ${digest} unpacks to ${unpacked}, not ${diffId}`);
      }
      known.add(pair);
    }
  }
}

function hasSameLayers(one: Image, other: Image): boolean {
  return (
    one.layers.length === other.layers.length &&
    one.layers.every(({ digest }, position) => digest === other.layers[position]?.digest)
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Failure ? error.message : describeFailure(error);
}

function differs(image: LocatedImage, expected: Digest): Failure<'IMAGE_DIFFERS'> {
  return otherImage(image, `expected ${expected}, got ${image.manifest.digest}`);
}

function layersDiffer(image: LocatedImage, detail: string): Failure<'IMAGE_DIFFERS'> {
  return otherImage(image, `it has the same configuration but different layers: ${detail}`);
}

function otherImage(
  { plan, pulledBy, manifest, upstream }: LocatedImage,
  detail: string,
): Failure<'IMAGE_DIFFERS'> {
  return new Failure({
    code: 'IMAGE_DIFFERS',
    about: formatReference(pulledBy),
    message: `it differs from ${formatReference(upstream)}: ${detail}`,
    hint: `mirror it again, and find out who changed it; if the change is yours, pin it: "image": "${upstream.host}/${upstream.repository}@${manifest.digest}" for ${plan.name}`,
  });
}
