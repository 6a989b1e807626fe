import { describeFailure, Failure } from '../../lib/failure.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { entryFor, type Platform } from '../../registry/oci/platform.ts';
import { formatReference, type Host } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import type { FoundImage } from './image-lookup.ts';
import type { Makers } from './maker-registries.ts';

/** Who vouches for an image, apart from the registry that it was pulled from. */
export type ImageCheck =
  /** The versions.json pins its digest. */
  | { readonly kind: 'pin' }
  /** The maker's registry has the same content: the image was pulled from there, or compared with it. */
  | { readonly kind: 'upstream'; readonly registry: Host }
  | { readonly kind: 'mirror-only'; readonly reason: string };

/** Compares images of a mirror with those at their makers' registries, as far as these can be reached. */
export class UpstreamComparison {
  readonly #makers: Makers;
  readonly #platform: Platform;

  constructor(makers: Makers, platform: Platform) {
    this.#makers = makers;
    this.#platform = platform;
  }

  /** Returns who vouches for an image. Throws `IMAGE_DIFFERS` if its maker has another one under its name. */
  async check(image: FoundImage, signal: AbortSignal): Promise<ImageCheck> {
    const { upstream, pulledBy, plan } = image;
    if (plan.digest !== undefined) return { kind: 'pin' };
    const { host } = upstream;
    if (pulledBy.host === host) return { kind: 'upstream', registry: host };
    const trouble = await this.#makers.trouble(host, signal);
    if (trouble !== undefined) {
      return { kind: 'mirror-only', reason: `${host} cannot be reached (${reasonOf(trouble)})` };
    }
    try {
      if (await this.#hasSame(this.#makers.at(host), image, signal))
        return { kind: 'upstream', registry: host };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Failure && error.code === 'IMAGE_DIFFERS') throw error;
      const reason = isNotFound(error) ? `${host} does not have it` : `${host}: ${reasonOf(error)}`;
      return { kind: 'mirror-only', reason };
    }
    return { kind: 'mirror-only', reason: `${host} does not have it for this platform` };
  }

  async #hasSame(registry: Registry, image: FoundImage, signal: AbortSignal): Promise<boolean> {
    const { repository, tag } = image.upstream;
    if (tag === undefined) return false;
    const found = await registry.getManifest(repository, tag, signal);
    const { manifest } = image;
    if (found.digest === manifest.digest || found.digest === image.index) return true;
    const child = found.kind === 'image' ? found.digest : entryFor(found.manifests, this.#platform)?.digest;
    if (child === undefined) return false;
    if (child === manifest.digest) return true;
    const other = found.kind === 'image' ? found : await registry.getManifest(repository, child, signal);
    // A mirror may store the same image in the other format: its configuration identifies all of its content.
    if (other.kind === 'image' && other.config.digest === manifest.config.digest) return true;
    throw differs(image, child);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Failure ? error.message : describeFailure(error);
}

function differs(
  { plan, pulledBy, manifest, upstream }: FoundImage,
  expected: Digest,
): Failure<'IMAGE_DIFFERS'> {
  return new Failure({
    code: 'IMAGE_DIFFERS',
    about: formatReference(pulledBy),
    message: `it is not the image that ${formatReference(upstream)} is: expected ${expected}, got ${manifest.digest}`,
    hint: `mirror it again; if it is meant to differ, pin it: "image": "${upstream.host}/${upstream.repository}@${manifest.digest}" for ${plan.name}`,
  });
}
